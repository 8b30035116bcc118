package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/backends/notify"
	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/cmd/internal/view"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
)

// told is what a run has to tell to the project's notify blocks.
type told struct {
	project *project  // the project that was read last
	found   diag.List // all diagnostics that were printed with a source
	events  []happening
}

type happening struct {
	on   model.Occasion
	data notify.Data
}

// happened keeps an event for the end of the run.
func (s *session) happened(on model.Occasion, d notify.Data) {
	s.told.events = append(s.told.events, happening{on, d})
}

// about is what an event says of a plan.
func about(pl *plan.Plan, actor string, changes []plan.Change) notify.Data {
	d := notify.Data{Revision: pl.Revision, Actor: actor, Datasource: pl.Datasource, Database: pl.Database}
	for _, c := range changes {
		change := notify.Change{Action: string(plan.ActionOf(c)), Object: c.What().Object.String()}
		if c.What().Drift {
			change.Effect = view.Effect(c)
		}
		d.Changes = append(d.Changes, change)
	}
	return d
}

// telling makes a command tell the notify blocks how it went.
func (s *session) telling(cmd *cobra.Command) *cobra.Command {
	var quiet bool
	cmd.Flags().BoolVar(&quiet, "no-notify", false, "send no events to the project's notify blocks")
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		s.told = told{}
		err := run(cmd, args)
		if p := s.told.project; p != nil && p.program != nil && !quiet && cmd.Context().Err() == nil {
			s.failed(err)
			s.tell(cmd.Context(), p, cmd.Name())
		}
		return err
	}
	return cmd
}

// failed adds the event of a run that ended in an error.
func (s *session) failed(err error) {
	if err == nil || errors.Is(err, errChanges) {
		return
	}
	list := slices.Clone(s.told.found)
	var single diag.Diagnostic
	var more diag.List
	switch {
	case errors.As(err, &more):
		list = append(list, more...)
	case errors.As(err, &single):
		list = append(list, single)
	case !errors.Is(err, errShown):
		list = append(list, diag.Diagnostic{Code: CodeRunFailed, Severity: diag.Error, Summary: err.Error()})
	}
	var d notify.Data
	for _, x := range list {
		if x.Code == CodeApplyDeclined {
			return // a person said no
		}
		if x.Severity == diag.Error {
			d.Failures = append(d.Failures, notify.Failure{Code: string(x.Code), Summary: sentence(x.Summary)})
		}
	}
	s.happened(model.OnFailed, d)
}

// tell sends the run's events. What cannot be delivered is a warning, and stays
// in the dead-letter file.
func (s *session) tell(ctx context.Context, p *project, command string) {
	var list diag.List
	for _, h := range s.told.events {
		h.data.Project, h.data.Command = p.program.Project, command
		if h.data.Revision == "" {
			h.data.Revision = p.set.Revision
		}
		for _, n := range p.program.Notifies {
			if !n.Wants(h.on) {
				continue
			}
			if err := s.send(ctx, n, h); err != nil {
				list.Warn(CodeNotifyUndelivered, n.Span, fmt.Sprintf("notify.%s was not told of %q", n.Name, string(h.on)), sentence(err.Error())+".")
			}
		}
	}
	if len(list) > 0 {
		if err := view.Diagnostics(s.output(s.err), list, p.set); err != nil {
			_, _ = fmt.Fprintln(s.err, err)
		}
	}
}

// send delivers one event, or buries it.
func (s *session) send(ctx context.Context, n *model.Notify, h happening) error {
	id, body, err := notify.New(h.on, h.data, time.Now())
	if err != nil {
		return err
	}
	err = s.deliver(ctx, n, id, body)
	if err == nil {
		return nil
	}
	path := s.deadLetter(n)
	if lost := notify.Bury(path, notify.Letter{Failed: time.Now().UTC(), Reason: err.Error(), ID: id, Event: body}); lost != nil {
		return fmt.Errorf("%w, and the event is lost: %w", err, lost)
	}
	return fmt.Errorf("%w; the event is in %s, and `postern notify resend %s` sends it again", err, n.DeadLetter, n.Name)
}

func (s *session) deliver(ctx context.Context, n *model.Notify, id string, body []byte) error {
	address, err := s.read(n.URL)
	if err != nil {
		return err
	}
	secret := ""
	if n.Secret != nil {
		if secret, err = s.read(n.Secret); err != nil {
			return err
		}
		if secret == "" {
			return errors.New("its secret is empty")
		}
	}
	return (&notify.Sender{}).Send(ctx, strings.TrimSpace(address), secret, id, body)
}

func (s *session) deadLetter(n *model.Notify) string {
	if filepath.IsAbs(n.DeadLetter) {
		return n.DeadLetter
	}
	return filepath.Join(s.dir, n.DeadLetter)
}

func newNotify(s *session) *cobra.Command {
	cmd := &cobra.Command{
		Use: "notify", Short: "Send events again that could not be delivered", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	f := &inputFlags{}
	resend := &cobra.Command{
		Use:   "resend [NAMES…]",
		Short: "Send what is in the dead-letter files",
		Long: "Sends the events in the dead-letter files of the notify blocks, or of the named ones, once more.\n" +
			"What fails again stays there.",
		Example: "  postern notify resend\n  postern notify resend security",
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := s.load(cmd.Context(), f, false)
			if err != nil {
				return err
			}
			return s.resend(cmd.Context(), p, args)
		},
	}
	f.add(resend)
	cmd.AddCommand(resend)
	return cmd
}

func (s *session) resend(ctx context.Context, p *project, names []string) error {
	var known []string
	for _, n := range p.program.Notifies {
		known = append(known, n.Name)
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return fmt.Errorf("the project has no notify block %q; it has %s", name, strings.Join(known, ", "))
		}
	}
	out := []view.Resent{}
	for _, n := range p.program.Notifies {
		if len(names) > 0 && !slices.Contains(names, n.Name) {
			continue
		}
		sent, left, err := notify.Resend(s.deadLetter(n), func(l notify.Letter) error { return s.deliver(ctx, n, l.ID, l.Event) })
		if err != nil {
			return fmt.Errorf("notify.%s: %w", n.Name, err)
		}
		out = append(out, view.Resent{Notify: n.Name, Sent: sent, Left: left})
	}
	if err := view.Resends(s.results(), out); err != nil {
		return err
	}
	for _, r := range out {
		if r.Left > 0 {
			return fmt.Errorf("notify.%s: %d events could not be delivered; they stay in its dead-letter file", r.Notify, r.Left)
		}
	}
	return nil
}
