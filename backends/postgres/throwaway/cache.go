package throwaway

import (
	"os"
	"path/filepath"
	"strconv"
)

// cacheMode lets another account (the one that runs the server for root) reach
// downloaded binaries; templates inside have their own, closed mode.
const cacheMode = 0o755

// cacheDir is where templates and downloaded binaries are kept between runs.
// For root it lies outside the home directory, which other accounts cannot enter.
func cacheDir() string {
	if os.Geteuid() == 0 {
		return "/var/cache/postern"
	}
	if dir, err := os.UserCacheDir(); err == nil {
		return filepath.Join(dir, "postern")
	}
	return filepath.Join(os.TempDir(), "postern-cache-"+strconv.Itoa(os.Geteuid()))
}
