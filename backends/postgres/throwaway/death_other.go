//go:build !linux

package throwaway

import "syscall"

// dieWithParent changes nothing: only Linux has a parent-death signal, and
// elsewhere the janitor alone ends an orphan.
func dieWithParent(attr *syscall.SysProcAttr) *syscall.SysProcAttr { return attr }
