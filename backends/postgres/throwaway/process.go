package throwaway

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"time"
)

// process is one postgres that this process started.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed once it has ended and been waited for
}

// startProcess starts postgres with its output going to logFile. The goroutine
// keeps its thread until postgres has ended, because the parent-death signal
// of Linux is sent when the starting thread, not the process, ends.
func startProcess(postgres string, args []string, dir, logFile string, acc account) (*process, error) {
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the server's log: %w", err)
	}
	p := &process{cmd: exec.Command(postgres, args...), done: make(chan struct{})}
	p.cmd.Dir, p.cmd.Env = dir, environment()
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = dieWithParent(acc.attributes())
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			_ = p.cmd.Wait() // its exit status is read from ProcessState
		}
		_ = log.Close()
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", postgres, err)
	}
	return p, nil
}

// state is how the process ended; valid once done is closed.
func (p *process) state() string { return p.cmd.ProcessState.String() }

// end asks postgres to shut down, insists after the limit, and returns once it
// is gone. Only this one process is signalled; it ends its own children.
func (p *process) end(how shutdown, limit time.Duration) error {
	for _, sig := range []shutdown{how, immediateShutdown, lastResort} {
		if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("signal postgres: %w", err)
		}
		timer := time.NewTimer(limit)
		select {
		case <-p.done:
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
	return fmt.Errorf("postgres (process %d) did not end", p.cmd.Process.Pid)
}

// environment is all that initdb and postgres get to see: the caller's PG*
// variables must not reach them, and messages must stay in English.
func environment() []string {
	env := []string{"LC_ALL=C", "TZ=UTC", "PATH=" + os.Getenv("PATH")}
	for _, name := range []string{"LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TEMP"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}
