//go:build unix

package throwaway

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
)

// janitorScript waits until the pipe on its input closes, ends the server that
// the data directory names, waits for it, and removes the cluster's directory.
const janitorScript = `
read -r _
if read -r pid 2>/dev/null <"$1/data/postmaster.pid"; then
	kill -INT "$pid" 2>/dev/null
	while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
fi
rm -rf "$1"`

// janitor tidies up after this process should it end without calling Stop.
type janitor struct {
	cmd  *exec.Cmd
	pipe *os.File // the write end; the kernel closes it with this process
}

func startJanitor(dir string, acc account) (*janitor, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start the janitor: %w", err)
	}
	cmd := exec.Command("/bin/sh", "-c", janitorScript, "postern-pg-janitor", dir)
	cmd.Dir, cmd.Env, cmd.SysProcAttr = "/", environment(), acc.attributes()
	cmd.Stdin = r
	err = cmd.Start()
	_ = r.Close()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the janitor: %w", err), w.Close())
	}
	return &janitor{cmd: cmd, pipe: w}, nil
}

// dismiss ends the janitor, whose work has been done in order.
func (j *janitor) dismiss() error {
	err := j.cmd.Process.Kill()
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	_ = j.cmd.Wait() // reports the kill
	return errors.Join(err, j.pipe.Close())
}
