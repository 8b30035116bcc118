package throwaway

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// initArgs are initdb's arguments beside the places: byte-order collation and
// UTF-8 everywhere, SCRAM for every login, small WAL files that copy fast.
var initArgs = []string{
	"--no-sync", "--username=" + superuser, "--encoding=UTF8", "--locale=C",
	"--auth=scram-sha-256", "--wal-segsize=1",
}

// staleAfter is the age from which a half-made template is litter.
const staleAfter = time.Hour

// fromTemplate makes the data directory by copying the cached result of one
// initdb, and returns the superuser's password.
//
// The password is random for each template, not for each cluster: the template
// is readable by the starting user alone, and so is every process of theirs.
func fromTemplate(ctx context.Context, bins binaries, acc account, data string) (string, error) {
	cache := cacheDir()
	if err := os.MkdirAll(cache, cacheMode); err != nil {
		return "", fmt.Errorf("make the cache of cluster templates: %w", err)
	}
	template := filepath.Join(cache, "cluster-"+templateKey(bins, acc))
	password, err := os.ReadFile(filepath.Join(template, "password"))
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeTemplate(ctx, bins, acc, filepath.Dir(data), template); err != nil {
			return "", err
		}
		password, err = os.ReadFile(filepath.Join(template, "password"))
	}
	if err != nil {
		return "", fmt.Errorf("read the cluster template: %w", err)
	}
	if err := copyTree(filepath.Join(template, "data"), data, acc); err != nil {
		return "", fmt.Errorf("copy the cluster template: %w", err)
	}
	return string(password), nil
}

// templateKey names a template by all that its content depends on.
func templateKey(bins binaries, acc account) string {
	h := sha256.New()
	for _, part := range append([]string{bins.version, bins.initdb, acc.name, acc.id()}, initArgs...) {
		h.Write([]byte(part + "\x00"))
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// makeTemplate runs initdb inside work (the new cluster's directory, which the
// janitor guards) and moves a copy into place in one step, so that another
// process sees a whole template or none.
func makeTemplate(ctx context.Context, bins binaries, acc account, work, template string) (err error) {
	password := rand.Text()
	pwfile, made := filepath.Join(work, "password"), filepath.Join(work, "template")
	if err := os.WriteFile(pwfile, []byte(password), 0o600); err != nil {
		return err
	}
	if err := acc.own(pwfile); err != nil {
		return err
	}
	args := append([]string{"--pgdata=" + made, "--pwfile=" + pwfile}, initArgs...)
	cmd := exec.CommandContext(ctx, bins.initdb, args...)
	cmd.Dir, cmd.Env, cmd.SysProcAttr = work, environment(), acc.attributes()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, strings.TrimSpace(string(out)))
	}
	sweep(filepath.Dir(template))
	draft, err := os.MkdirTemp(filepath.Dir(template), "draft-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(draft)) }()
	if err := copyTree(made, filepath.Join(draft, "data"), account{}); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(draft, "password"), []byte(password), 0o600); err != nil {
		return err
	}
	if err := os.Rename(draft, template); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("keep the cluster template: %w", err)
	}
	// fs.ErrExist: another process was faster, and its template is as good.
	return errors.Join(os.RemoveAll(made), os.Remove(pwfile))
}

// sweep removes drafts that a killed process left in the cache. What cannot be
// removed now is left to the next sweep.
func sweep(cache string) {
	drafts, err := filepath.Glob(filepath.Join(cache, "draft-*"))
	if err != nil {
		return
	}
	for _, d := range drafts {
		if info, err := os.Stat(d); err == nil && time.Since(info.ModTime()) > staleAfter {
			_ = os.RemoveAll(d)
		}
	}
}

// copyTree copies plain files and directories with their permissions and gives
// the copy to the account.
func copyTree(from, to string, acc account) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		info, err := d.Info()
		if err != nil {
			return err
		}
		switch {
		case d.IsDir():
			err = os.Mkdir(target, info.Mode().Perm())
		case d.Type().IsRegular():
			err = copyFile(path, target, info.Mode().Perm())
		default:
			err = fmt.Errorf("%s is neither a file nor a directory", path)
		}
		if err != nil {
			return err
		}
		return acc.own(target)
	})
}

// copyFile copies a file that fits in memory; a template's largest has 1 MB.
func copyFile(from, to string, mode fs.FileMode) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, content, mode)
}
