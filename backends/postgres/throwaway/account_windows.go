package throwaway

import (
	"os"
	"syscall"
)

// account is who runs initdb and postgres: on Windows always this process's user.
type account struct {
	name  string
	other bool
}

func serverAccount() (account, error) { return account{name: os.Getenv("USERNAME")}, nil }

func (a account) id() string                       { return a.name }
func (a account) own(string) error                 { return nil }
func (a account) attributes() *syscall.SysProcAttr { return nil }

// shutdown is always a kill on Windows, which has no signals.
type shutdown = os.Signal

var (
	fastShutdown      = os.Kill
	immediateShutdown = os.Kill
	lastResort        = os.Kill
)
