package throwaway

import "syscall"

const (
	memory = "/dev/shm"
	// memoryNeeded leaves a cluster (30 MB), its databases (8 MB each) and its
	// write-ahead log (128 MB) ample room beside others: 2 GiB, in bytes.
	memoryNeeded = 2 << 30
	tmpfsMagic   = 0x01021994 // TMPFS_MAGIC, statfs(2)
)

// memoryDir is a file system in memory with room for a cluster. Containers
// often have a small one, which is not used.
func memoryDir() (string, bool) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(memory, &fs); err != nil || fs.Type != tmpfsMagic || fs.Bsize <= 0 {
		return "", false
	}
	return memory, fs.Bavail >= memoryNeeded/uint64(fs.Bsize)
}
