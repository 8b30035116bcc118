// Package notify tells others what happens to access: CloudEvents 1.0 in
// structured mode over HTTP, signed as Standard Webhooks are, retried within
// bounds, and kept in a file where they could not be delivered.
package notify

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/url"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"

	"github.com/postern-dev/postern/compiler/model"
)

// FormatVersion is the version of Data: members may be added within 1, and are
// not dropped or changed.
const FormatVersion = "1.0"

// Data is what an event carries. Nothing secret is in it.
type Data struct {
	FormatVersion string   `json:"format_version"`
	Project       string   `json:"project"`
	Revision      string   `json:"revision,omitempty"` // git commit of the source
	Command       string   `json:"command"`            // plan, apply or drift
	Actor         string   `json:"actor,omitempty"`
	Datasource    string   `json:"datasource,omitempty"` // empty: the event is about the whole run
	Database      string   `json:"database,omitempty"`
	Publish       string   `json:"publish,omitempty"` // a publish block, instead of a datasource
	Changes       []Change `json:"changes,omitempty"`
	// MoreChanges is how many changes were left out.
	MoreChanges int `json:"more_changes,omitempty"`
	// Access is who gained and who lost access, where that is known.
	Access json.RawMessage `json:"access,omitempty"`
	// Failures are what a run ended with.
	Failures []Failure `json:"failures,omitempty"`
}

// Change is one change of an object of a target.
type Change struct {
	Action string `json:"action"` // add, change or remove
	Object string `json:"object"`
	Effect string `json:"effect,omitempty"` // what a change made by hand lets whom do
}

// Failure is one diagnostic.
type Failure struct {
	Code    string `json:"code"`
	Summary string `json:"summary"`
}

// maxChanges bounds an event's size: receivers commonly take up to 256 KiB, and
// the CloudEvents specification asks for 64 KiB.
const maxChanges = 100

// typePrefix begins the type of all events; CloudEvents asks for a reversed
// domain name of who defines them.
const typePrefix = "com.github.postern-dev.postern."

// New is an event of an occasion, in the JSON format of CloudEvents, and its id.
func New(o model.Occasion, d Data, now time.Time) (id string, body []byte, err error) {
	d.FormatVersion = FormatVersion
	if len(d.Changes) > maxChanges {
		d.Changes, d.MoreChanges = d.Changes[:maxChanges], len(d.Changes)-maxChanges
	}
	e := event.New(event.CloudEventsVersionV1)
	e.SetID(rand.Text())
	e.SetType(typePrefix + string(o) + ".v1")
	e.SetSource("/postern/projects/" + url.PathEscape(d.Project))
	e.SetTime(now.UTC())
	if d.Datasource != "" {
		e.SetSubject("datasource." + d.Datasource)
	}
	if d.Publish != "" {
		e.SetSubject("publish." + d.Publish)
	}
	if err := e.SetData(event.ApplicationJSON, d); err != nil {
		return "", nil, fmt.Errorf("writing an event: %w", err)
	}
	body, err = json.Marshal(e)
	if err != nil {
		return "", nil, fmt.Errorf("writing an event: %w", err)
	}
	return e.ID(), body, nil
}
