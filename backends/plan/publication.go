package plan

import (
	"encoding/json"
	"fmt"
	"time"
)

// Publication is the change of one place that artifacts are published to.
type Publication struct {
	Project  string    `json:"project"`
	Revision string    `json:"revision"`
	Created  time.Time `json:"created"` // UTC, whole seconds
	Publish  string    `json:"publish"` // name of the block
	Place    string    `json:"place"`   // for a reader, without secrets
	// Live names what the place held when the plan was made; "" for nothing.
	Live string `json:"live"`
	// Files are what is published: the SHA-256 of each file before it is signed,
	// by path.
	Files map[string]string `json:"files"`
	// Changes are of what the files say, of the files, and of the OPAs.
	Changes []Change `json:"-"`
}

// members are those of a publication, without its methods.
type members Publication

type publicationJSON struct {
	members
	Changes []changeJSON `json:"changes"`
}

// MarshalJSON writes the changes as plans do.
func (p *Publication) MarshalJSON() ([]byte, error) {
	out := publicationJSON{members: members(*p), Changes: make([]changeJSON, len(p.Changes))}
	out.Created = p.Created.UTC().Truncate(time.Second)
	for i, c := range p.Changes {
		out.Changes[i] = encodeChange(c)
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (p *Publication) UnmarshalJSON(data []byte) error {
	var in publicationJSON
	if err := strict(data, &in); err != nil {
		return err
	}
	*p = Publication(in.members)
	for _, c := range in.Changes {
		change, err := c.decode()
		if err != nil {
			return err
		}
		p.Changes = append(p.Changes, change)
	}
	if p.Publish == "" {
		return fmt.Errorf("a publication names no block")
	}
	return nil
}

// Empty reports whether the place holds what the project says.
func (p *Publication) Empty() bool { return len(p.Changes) == 0 }
