package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/postern-dev/postern/cmd/internal/view"
	"github.com/postern-dev/postern/lang/diag"
)

// The exit statuses of all commands.
const (
	exitDone        = 0
	exitFailed      = 1 // a diagnostic was printed
	exitChanges     = 2 // plan --detailed-exitcode, drift, fmt --check: there are changes; audit, lint: there are findings
	exitRefused     = 3 // plan, apply and diff --deny: a change in access is not approved
	exitInterrupted = 130
)

// errShown ends a command whose diagnostics have been printed already.
var errShown = errors.New("diagnostics were printed")

// errChanges ends a command that found changes and says so by its status.
var errChanges = errors.New("there are changes")

// errRefused ends a command that a gate stops; what is missing was printed.
var errRefused = errors.New("refused by a gate")

// session is what a command runs in: its streams, its environment and the
// flags that all commands take.
type session struct {
	in      io.Reader
	out     io.Writer
	err     io.Writer
	getenv  func(string) string
	environ func() []string
	dir     string
	json    bool
	noColor bool
	verbose bool
	told    told
}

// run is the program without the process: it returns the exit status.
func run(ctx context.Context, args []string, in io.Reader, out, errw io.Writer) int {
	s := &session{in: in, out: out, err: errw, getenv: os.Getenv, environ: os.Environ}
	root := newRoot(s)
	root.SetArgs(longFlags(root, args))
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errw)
	err := s.unknownCommand(root, args)
	if err == nil {
		if err = root.ExecuteContext(ctx); err != nil {
			err = unwanted(err)
		}
	}
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errChanges), errors.Is(err, errFound):
		return exitChanges
	case errors.Is(err, errRefused):
		return exitRefused
	case ctx.Err() != nil:
		s.fail(diag.Diagnostic{Code: CodeRunInterrupted, Severity: diag.Error, Summary: "Interrupted", Detail: "Nothing was left half done."})
		return exitInterrupted
	case errors.Is(err, errShown):
		return exitFailed
	}
	var list diag.List
	var single diag.Diagnostic
	switch {
	case errors.As(err, &list):
		s.show(list)
	case errors.As(err, &single):
		s.fail(single)
	default:
		s.fail(diag.Diagnostic{Code: CodeRunFailed, Severity: diag.Error, Summary: sentence(err.Error())})
	}
	return exitFailed
}

func newRoot(s *session) *cobra.Command {
	root := &cobra.Command{
		Use:   "postern",
		Short: "Access policies as code, for Postgres, OPA and JSON engines",
		Long: "Postern reads a folder of HCL files that say who may do what on which records and columns,\n" +
			"and compiles them to Postgres roles, grants and row-level security, to a Rego bundle for OPA,\n" +
			"and to a JSON document for runtime engines. It shows what would change before it does.",
		SilenceErrors: true, SilenceUsage: true,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	flags := root.PersistentFlags()
	flags.StringVarP(&s.dir, "chdir", "C", ".", "run as if started in `DIR`, the project's folder")
	flags.BoolVar(&s.json, "json", false, "print results and diagnostics as JSON")
	flags.BoolVar(&s.noColor, "no-color", false, "print without colour (NO_COLOR does the same)")
	flags.BoolVarP(&s.verbose, "verbose", "v", false, "list what is summed up otherwise")
	root.AddCommand(commands(s)...)
	root.CompletionOptions.HiddenDefaultCmd = false
	root.SetHelpCommand(newHelp(root))
	return root
}

// commands is the table of all commands.
func commands(s *session) []*cobra.Command {
	return []*cobra.Command{
		newDemo(s), newInit(s), newFmt(s), newValidate(s), newLint(s), newOutput(s),
		newTest(s), newVerify(s),
		newBuild(s),
		newPull(s),
		s.telling(newPlan(s)), s.telling(newApply(s)), s.telling(newDrift(s)),
		newAudit(s),
		newServe(s),
		newExport(s),
		newDiff(s), newReport(s), newSchema(s), newExplain(s), newWho(s), newWhat(s),
		newToken(s), newKey(s),
		newNotify(s),
		newVersion(s), newMan(),
	}
}

// longFlags turns Terraform's -flag into --flag for the flags that exist, so
// that both work.
func longFlags(root *cobra.Command, args []string) []string {
	cmd, _, err := root.Find(args)
	if err != nil {
		cmd = root
	}
	out := make([]string, 0, len(args))
	for i, a := range args {
		if a == "--" {
			return append(out, args[i:]...)
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(a, "-"), "=")
		long := strings.HasPrefix(a, "-") && !strings.HasPrefix(a, "--") && len(name) > 1
		if long && (cmd.Flag(name) != nil || cmd.InheritedFlags().Lookup(name) != nil || name == "help") {
			a = "-" + a
		}
		out = append(out, a)
	}
	return out
}

// color reports whether a stream should be coloured.
func (s *session) color(w io.Writer) bool {
	return !s.noColor && s.getenv("NO_COLOR") == "" && s.terminal(w)
}

// terminal reports whether text that is written goes to a terminal that takes
// control sequences.
func (s *session) terminal(w io.Writer) bool {
	if s.json || s.getenv("TERM") == "dumb" {
		return false
	}
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) // #nosec G115 -- a file descriptor fits an int
}

// width is the columns of a terminal, or 100.
func (s *session) width(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if cols, _, err := term.GetSize(int(f.Fd())); err == nil && cols > 40 { // #nosec G115 -- a file descriptor fits an int
			return min(cols, 120)
		}
	}
	return 100
}

// fail prints one diagnostic.
func (s *session) fail(d diag.Diagnostic) { s.show(diag.List{d}) }

// show prints diagnostics without a source to quote from.
func (s *session) show(list diag.List) {
	if err := view.Diagnostics(s.diagnostics(), list, nil); err != nil {
		_, _ = fmt.Fprintln(s.err, err)
	}
}

func newVersion(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return view.Version(s.results(), version()) },
	}
}

// sentence starts a message with a capital letter, unless it starts with a name
// such as crm.deals.
func sentence(msg string) string {
	first, _, _ := strings.Cut(msg, " ")
	if first == "" || strings.IndexFunc(first, func(r rune) bool { return r < 'a' || r > 'z' }) >= 0 {
		return msg
	}
	return strings.ToUpper(msg[:1]) + msg[1:]
}
