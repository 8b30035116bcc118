package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/cmd/internal/review"
	"github.com/postern-dev/postern/cmd/internal/view"
	"github.com/postern-dev/postern/lang/source"
)

// diffFlags say what is compared, and how it ends.
type diffFlags struct {
	inputFlags
	gateFlags
	markdown bool
	detailed bool
}

func newDiff(s *session) *cobra.Command {
	f := &diffFlags{}
	cmd := &cobra.Command{
		Use:   "diff [REV..REV]",
		Short: "Show who gains and who loses access between two git revisions",
		Long: "Compares what two revisions of the project allow: for each subject, action and table whether there is a\n" +
			"user and a record that one allows and the other does not. It needs no database. REV alone is compared with\n" +
			"the folder, REV...REV begins where the two went apart; default: HEAD with the folder.",
		Example: "  postern diff\n" +
			"  postern diff main...HEAD --deny widening\n" +
			"  postern diff v1..v2 --markdown",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.markdown && s.json {
				return errors.New("--markdown and --json are two forms: choose one")
			}
			r, project, after, err := s.diff(cmd.Context(), f, args)
			if err != nil {
				return err
			}
			gate, err := f.gate(s, after)
			if err != nil {
				return err
			}
			asked := ask(gate, []*review.Report{r})
			if f.markdown {
				err = view.AccessMarkdown(s.out, project, []*review.Report{r}, asked)
			} else {
				err = view.AccessDiff(s.results(), project, r, asked)
			}
			if err != nil {
				return err
			}
			if len(asked.Refused) > 0 && s.json {
				return errRefused // the result names them
			}
			if err := s.pass(gate, []*review.Report{r}); err != nil {
				return err
			}
			if f.detailed && !r.Empty() {
				return errChanges
			}
			return nil
		},
	}
	f.addVars(cmd)
	f.gateFlags.add(cmd)
	cmd.Flags().BoolVar(&f.markdown, "markdown", false, "print Markdown, for a comment on a pull request")
	cmd.Flags().BoolVar(&f.detailed, "detailed-exitcode", false, "exit with 2 when somebody gains or loses")
	return cmd
}

// diff compares the revisions of the argument; after is the one that
// approvals are read at, "" for the folder.
func (s *session) diff(ctx context.Context, f *diffFlags, args []string) (r *review.Report, project, after string, err error) {
	before := "HEAD"
	if len(args) > 0 {
		if before, after, err = s.revisions(args[0]); err != nil {
			return nil, "", "", err
		}
	}
	f.rev = before
	old, err := s.load(ctx, &f.inputFlags, false)
	if err != nil {
		return nil, "", "", atRevision(before, err)
	}
	f.rev = after
	next, err := s.load(ctx, &f.inputFlags, false)
	if err != nil {
		return nil, "", "", atRevision(after, err)
	}
	if r, err = review.Compare(ctx, old.program, next.program); err != nil {
		return nil, "", "", err
	}
	if r.Before, err = s.revisionSide(before); err != nil {
		return nil, "", "", err
	}
	r.After = review.Side{Kind: review.Folder}
	if after != "" {
		r.After, err = s.revisionSide(after)
	}
	return r, next.program.Project, after, err
}

// atRevision says at which revision a project cannot be read.
func atRevision(rev string, err error) error {
	if rev == "" || errors.Is(err, errShown) {
		return err
	}
	return fmt.Errorf("%s: %w", rev, err)
}

// revisions reads REV, REV..REV and REV...REV; a side left out is HEAD.
func (s *session) revisions(arg string) (before, after string, err error) {
	before, after, two := strings.Cut(arg, "..")
	if !two {
		return arg, "", nil
	}
	after, apart := strings.CutPrefix(after, ".")
	if before == "" {
		before = "HEAD"
	}
	if after == "" {
		after = "HEAD"
	}
	if apart {
		before, err = source.MergeBase(s.dir, before, after)
	}
	return before, after, err
}

// revisionSide says who made a revision, and when.
func (s *session) revisionSide(rev string) (review.Side, error) {
	c, err := source.CommitAt(s.dir, rev)
	if err != nil {
		return review.Side{}, err
	}
	return review.Side{Kind: review.Revision, Name: rev, Revision: c.Hash, Author: c.Author, Subject: c.Subject, At: &c.When}, nil
}
