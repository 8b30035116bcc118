//go:build unix

package throwaway

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// account is who runs initdb and postgres. The zero value is this process's
// own user.
type account struct {
	name     string
	uid, gid uint32
	other    bool // another user than this process's
}

// serverAccount is this process's own user, or for root the first of
// "postgres" and "nobody" that exists.
func serverAccount() (account, error) {
	if os.Geteuid() != 0 {
		return account{name: strconv.Itoa(os.Geteuid())}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return account{}, fmt.Errorf("user %s: %w", name, err)
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return account{}, fmt.Errorf("user %s: %w", name, err)
		}
		return account{name: name, uid: uint32(uid), gid: uint32(gid), other: true}, nil
	}
	return account{}, errors.New(`as root Postgres must run as another user, and there is no user "postgres" or "nobody"`)
}

func (a account) id() string { return strconv.FormatUint(uint64(a.uid), 10) }

// own gives a file or directory to the account.
func (a account) own(path string) error {
	if !a.other {
		return nil
	}
	return os.Lchown(path, int(a.uid), int(a.gid))
}

// attributes start a child as the account, without further groups, and in a
// process group of its own: an interrupt from the keyboard reaches only this
// process, which then takes the server down in order.
func (a account) attributes() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if a.other {
		attr.Credential = &syscall.Credential{Uid: a.uid, Gid: a.gid}
	}
	return attr
}

// shutdown is the signal for one of Postgres's ways to end (Postgres
// documentation, "Shutting Down the Server").
type shutdown = syscall.Signal

const (
	fastShutdown      = syscall.SIGINT
	immediateShutdown = syscall.SIGQUIT
	lastResort        = syscall.SIGKILL
)
