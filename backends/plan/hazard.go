package plan

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Hazard is an effect of a plan that its statements do not show at a glance:
// Locks, LosesAccess, KeepsRights, BindsOwner, SwitchesLogin, EndsLogin or
// DropsRole.
//
//sumtype:decl
type Hazard interface {
	hazard()
	// Message is one clear sentence.
	Message() string
}

type (
	// Locks says that the tables are locked while the plan runs, so that others
	// wait for it.
	Locks struct {
		Mode   string   `json:"mode"` // as Postgres names it, such as "ACCESS EXCLUSIVE"
		Tables []string `json:"tables"`
	}
	// LosesAccess says that a role outside the project loses rights.
	LosesAccess struct {
		Role    string   `json:"role"`
		Objects []string `json:"objects"` // what it loses rights on
	}
	// KeepsRights says that sessions under way keep what is taken from these
	// roles until their transaction or SET ROLE ends.
	KeepsRights struct {
		Roles []string `json:"roles"`
	}
	// BindsOwner says that row security starts to hold for a table's owner.
	BindsOwner struct {
		Owner  string   `json:"owner"`
		Tables []string `json:"tables"`
		// Affects lists what is there that goes by the owner's rights or copies
		// the tables, each with its kind, such as materialized views.
		Affects []string `json:"affects,omitempty"`
	}
	// SwitchesLogin says that the clients of an account are to log in as another
	// role, with the new password.
	SwitchesLogin struct {
		Account string `json:"account"` // the service account's name
		From    string `json:"from"`
		To      string `json:"to"`
		Both    bool   `json:"both"` // from works on, with the password before, until it is retired
	}
	// EndsLogin says that nobody can log in as a role any more, which stays.
	EndsLogin struct {
		Role string `json:"role"`
	}
	// DropsRole says that a login of the project ends.
	DropsRole struct {
		Role string `json:"role"`
	}
)

func (Locks) hazard()         {}
func (LosesAccess) hazard()   {}
func (KeepsRights) hazard()   {}
func (BindsOwner) hazard()    {}
func (SwitchesLogin) hazard() {}
func (EndsLogin) hazard()     {}
func (DropsRole) hazard()     {}

// Message says what is locked.
func (h Locks) Message() string {
	return fmt.Sprintf("takes %s on %s while it runs: other sessions wait for it", h.Mode, few(h.Tables, "tables"))
}

// Message says who loses what.
func (h LosesAccess) Message() string {
	return fmt.Sprintf("role %s loses rights on %s", h.Role, few(h.Objects, "objects"))
}

// Message says whose sessions keep revoked rights.
func (h KeepsRights) Message() string {
	return fmt.Sprintf("sessions of %s that are open keep revoked rights until their transaction ends",
		few(h.Roles, "roles"))
}

// Message says which owner is bound from now on.
func (h BindsOwner) Message() string {
	text := fmt.Sprintf("%s, the owner of %s, sees only the rows that policies give it from now on: its migrations change no other rows, "+
		"pg_dump fails for it without --enable-row-security, and replication that runs as it copies no others", h.Owner, few(h.Tables, "tables"))
	if len(h.Affects) > 0 {
		text += "; look at " + strings.Join(h.Affects, ", ")
	}
	return text
}

// Message says what the clients have to do.
func (h SwitchesLogin) Message() string {
	m := fmt.Sprintf("account %s: clients log in as %s, with the new password", h.Account, h.To)
	if h.Both {
		return m + fmt.Sprintf("; %s works on with the password before, until apply --retire-logins or the next change", h.From)
	}
	return m + fmt.Sprintf("; %s works no more", h.From)
}

// Message says which login ends.
func (h EndsLogin) Message() string {
	return fmt.Sprintf("nobody can log in as %s any more; its sessions that are open last until they end", h.Role)
}

// Message says which role is gone.
func (h DropsRole) Message() string {
	return fmt.Sprintf("role %s is dropped: whoever logs in with it is locked out", h.Role)
}

// few lists up to three names, and counts the rest.
func few(names []string, of string) string {
	if len(names) <= 3 {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%d %s (%s, …)", len(names), of, strings.Join(names[:3], ", "))
}

type hazardJSON struct {
	Kind   string `json:"kind"`
	Hazard Hazard `json:"hazard"`
}

func encodeHazard(h Hazard) hazardJSON {
	switch h.(type) {
	case Locks:
		return hazardJSON{"locks", h}
	case LosesAccess:
		return hazardJSON{"loses_access", h}
	case KeepsRights:
		return hazardJSON{"keeps_rights", h}
	case BindsOwner:
		return hazardJSON{"binds_owner", h}
	case SwitchesLogin:
		return hazardJSON{"switches_login", h}
	case EndsLogin:
		return hazardJSON{"ends_login", h}
	case DropsRole:
		return hazardJSON{"drops_role", h}
	}
	return hazardJSON{}
}

func decodeHazard(raw json.RawMessage) (Hazard, error) {
	var j struct {
		Kind   string          `json:"kind"`
		Hazard json.RawMessage `json:"hazard"`
	}
	if err := strict(raw, &j); err != nil {
		return nil, err
	}
	switch j.Kind {
	case "locks":
		return hazardOf[Locks](j.Hazard)
	case "loses_access":
		return hazardOf[LosesAccess](j.Hazard)
	case "keeps_rights":
		return hazardOf[KeepsRights](j.Hazard)
	case "binds_owner":
		return hazardOf[BindsOwner](j.Hazard)
	case "switches_login":
		return hazardOf[SwitchesLogin](j.Hazard)
	case "ends_login":
		return hazardOf[EndsLogin](j.Hazard)
	case "drops_role":
		return hazardOf[DropsRole](j.Hazard)
	}
	return nil, fmt.Errorf("unknown kind of hazard %q", j.Kind)
}

func hazardOf[T Hazard](raw json.RawMessage) (Hazard, error) {
	var h T
	if err := strict(raw, &h); err != nil {
		return nil, err
	}
	return h, nil
}
