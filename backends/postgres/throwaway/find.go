package throwaway

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// EnvBinDir names the environment variable that holds the directory of the
// Postgres binaries to use. When it is set nothing else is searched.
const EnvBinDir = "POSTERN_TEST_PG_BIN"

// binaries are the two programs that a cluster needs.
type binaries struct {
	initdb, postgres string
	version          string // what `initdb --version` prints
}

// NotFoundError says that no Postgres server is installed where it was looked for.
type NotFoundError struct {
	Looked []string // the places, in the order they were searched
}

// Error names the places and the ways to install Postgres.
func (e *NotFoundError) Error() string {
	return "no Postgres server binaries (initdb and postgres); looked in: " + strings.Join(e.Looked, ", ") +
		". Install them (Debian, Ubuntu: apt-get install postgresql; Fedora: dnf install postgresql-server; " +
		"macOS: brew install postgresql@17) or set " + EnvBinDir + " to the directory that holds them"
}

// finder looks for binaries; its fields are what it asks of the machine.
type finder struct {
	getenv func(string) string
	path   string   // a PATH list
	globs  []string // the usual directories; the newest version of each wins
}

func systemFinder() finder {
	return finder{
		getenv: os.Getenv,
		path:   os.Getenv("PATH"),
		globs: []string{
			"/usr/lib/postgresql/*/bin",                      // Debian, Ubuntu
			"/usr/pgsql-*/bin",                               // the PGDG packages for Red Hat
			"/usr/libexec/postgresql*",                       // Alpine
			"/opt/homebrew/opt/postgresql*/bin",              // Homebrew on Apple silicon
			"/usr/local/opt/postgresql*/bin",                 // Homebrew on Intel
			"/usr/local/pgsql/bin",                           // built from source
			"/Library/PostgreSQL/*/bin",                      // the macOS installer
			`C:\Program Files\PostgreSQL\*\bin`,              // the Windows installer
			"/home/linuxbrew/.linuxbrew/opt/postgresql*/bin", // Homebrew on Linux
		},
	}
}

// find returns the binaries that the options ask for, downloading them only
// where none is installed and the options allow it.
func find(ctx context.Context, opts Options) (binaries, error) {
	f := systemFinder()
	dir, err := f.dir(opts.BinDir)
	if err != nil {
		if !opts.Download {
			return binaries{}, err
		}
		if dir, err = download(ctx, publicRepository, cacheDir()); err != nil {
			return binaries{}, err
		}
	}
	b := binaries{initdb: program(dir, "initdb"), postgres: program(dir, "postgres")}
	out, err := exec.CommandContext(ctx, b.initdb, "--version").CombinedOutput()
	if err != nil {
		return binaries{}, fmt.Errorf("%s --version: %w: %s", b.initdb, err, out)
	}
	b.version = strings.TrimSpace(string(out))
	return b, nil
}

// dir is the directory of the binaries. A directory that was named explicitly
// must hold them: falling back to another version would test the wrong one.
func (f finder) dir(explicit string) (string, error) {
	if explicit == "" {
		explicit = f.getenv(EnvBinDir)
	}
	if explicit != "" {
		if dir, ok := holds(explicit); ok {
			return dir, nil
		}
		return "", &NotFoundError{Looked: []string{explicit}}
	}
	looked := []string{"PATH"}
	for _, d := range filepath.SplitList(f.path) {
		if dir, ok := holds(d); ok && filepath.IsAbs(d) {
			return dir, nil
		}
	}
	for _, glob := range f.globs {
		looked = append(looked, glob)
		found, err := filepath.Glob(glob)
		if err != nil {
			return "", fmt.Errorf("search %s: %w", glob, err)
		}
		slices.SortFunc(found, func(a, b string) int { return version(b) - version(a) })
		for _, d := range found {
			if dir, ok := holds(d); ok {
				return dir, nil
			}
		}
	}
	return "", &NotFoundError{Looked: looked}
}

// holds reports whether dir holds both programs, and where they really are:
// initdb looks for its neighbours beside the file, not beside a link to it.
func holds(dir string) (string, bool) {
	for _, name := range []string{"initdb", "postgres"} {
		info, err := os.Stat(program(dir, name))
		if err != nil || info.IsDir() {
			return "", false
		}
	}
	file, err := filepath.EvalSymlinks(program(dir, "postgres"))
	if err != nil {
		return "", false
	}
	return filepath.Dir(file), true
}

func program(dir, name string) string {
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return filepath.Join(dir, name)
}

// version is the last number in a path such as /usr/lib/postgresql/15/bin,
// and 0 where there is none.
func version(path string) int {
	digits := strings.FieldsFunc(path, func(r rune) bool { return r < '0' || r > '9' })
	if len(digits) == 0 {
		return 0
	}
	n, err := strconv.Atoi(digits[len(digits)-1])
	if err != nil {
		return 0
	}
	return n
}
