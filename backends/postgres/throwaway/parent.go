package throwaway

import (
	"os"
	"path/filepath"
)

// tempParent is the directory in which clusters are made: TMPDIR where that is
// set, else memory where there is enough of it (a cluster is a thousand small
// files, ten times faster there), else the system's temporary directory. Root's
// own TMPDIR may be closed to the account that runs the server; then it is /tmp.
func tempParent(acc account) string {
	dir := os.TempDir()
	if os.Getenv("TMPDIR") == "" {
		if memory, ok := memoryDir(); ok {
			dir = memory
		}
	}
	if acc.other && !open(dir) {
		return "/tmp"
	}
	return dir
}

// open reports whether every account can pass through dir and all above it.
func open(dir string) bool {
	for d := filepath.Clean(dir); ; d = filepath.Dir(d) {
		info, err := os.Stat(d)
		if err != nil || info.Mode().Perm()&0o001 == 0 {
			return false
		}
		if d == filepath.Dir(d) {
			return true
		}
	}
}
