//go:build !linux

package throwaway

// memoryDir finds none: only Linux has one that every machine shares.
func memoryDir() (string, bool) { return "", false }
