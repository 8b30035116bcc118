package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/lang/diag"
)

// unknownCommand refuses a first argument that is no command, before flags are
// read: those of a command that does not exist would be said to be wrong.
func (s *session) unknownCommand(root *cobra.Command, args []string) error {
	for i := 0; i < len(args); i++ {
		switch a := args[i]; {
		case a == "-C" || a == "--chdir" || a == "-chdir":
			i++ // the folder
		case a == "--":
			return nil
		case strings.HasPrefix(a, "-"):
		case strings.HasPrefix(a, "__"): // cobra's own, for shells that complete
			return nil
		default:
			err := noCommand(root, []string{a})
			s.json = err != nil && slices.ContainsFunc(args, func(a string) bool { return a == "--json" || a == "-json" })
			return err
		}
	}
	return nil
}

// noCommand is the error when a path leads to no command of root, and nil when
// it does.
func noCommand(root *cobra.Command, path []string) error {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd(path...)
	at := root
	for _, name := range path {
		next := child(at, name)
		if next == nil {
			d := diag.Diagnostic{
				Code: CodeRunFailed, Severity: diag.Error, Summary: fmt.Sprintf("Unknown command %q", name),
				Detail: "postern help lists the commands.",
			}
			if at != root {
				d.Detail = at.CommandPath() + " --help lists its commands."
			}
			at.SuggestionsMinimumDistance = 2
			if near := at.SuggestionsFor(name); len(near) > 0 {
				d.Detail = "Did you mean " + near[0] + "? " + d.Detail
			}
			return d
		}
		at = next
	}
	return nil
}

func child(at *cobra.Command, name string) *cobra.Command {
	for _, c := range at.Commands() {
		if c.Name() == name || c.HasAlias(name) {
			return c
		}
	}
	return nil
}

// newHelp is the command help; unlike cobra's it fails for what is no command.
func newHelp(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND]", Short: "Say what a command does, with examples",
		RunE: func(_ *cobra.Command, args []string) error {
			if err := noCommand(root, args); err != nil {
				return err
			}
			cmd, _, err := root.Find(args)
			if err != nil {
				return err
			}
			cmd.InitDefaultHelpFlag()
			return cmd.Help()
		},
	}
}

// takesNone is how cobra says that a command has arguments and takes none.
var takesNone = regexp.MustCompile(`^unknown command ("(?:[^"\\]|\\.)*") for "([^"]*)"$`)

// unwanted puts the error of an argument too many in words that fit it.
func unwanted(err error) error {
	m := takesNone.FindStringSubmatch(err.Error())
	if m == nil {
		return err
	}
	return diag.Diagnostic{
		Code: CodeRunFailed, Severity: diag.Error, Summary: fmt.Sprintf("%s takes no argument, and was given %s", m[2], m[1]),
		Detail: fmt.Sprintf("%s --help says what it takes. The project's folder is named with -C.", m[2]),
	}
}
