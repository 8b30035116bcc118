package throwaway

import "syscall"

// dieWithParent has the kernel interrupt the child when its parent is gone.
func dieWithParent(attr *syscall.SysProcAttr) *syscall.SysProcAttr {
	attr.Pdeathsig = fastShutdown
	return attr
}
