package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// completionCommand prints a script that completes commands and their flags.
type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Run implements the command.
func (c *completionCommand) Run(t *terminal, parser *kong.Kong) error {
	follow := map[string][]string{}
	collect(parser.Model.Node, "", follow)
	script := bashCompletion
	switch c.Shell {
	case "zsh":
		script = "autoload -U +X bashcompinit && bashcompinit\n" + bashCompletion
	case "fish":
		script = fishCompletion
	}
	var known, choices strings.Builder
	for n, line := range slices.Sorted(maps.Keys(follow)) {
		if n > 0 { // the first is the program alone
			fmt.Fprintf(&known, "|%q", line)
		}
		if c.Shell == "fish" {
			fmt.Fprintf(&choices, "complete -c refundry -n '__refundry_at %q' -f -a %q\n", line, strings.Join(follow[line], " "))
			continue
		}
		fmt.Fprintf(&choices, "    %q) choices=%q ;;\n", line, strings.Join(follow[line], " "))
	}
	among := strings.TrimPrefix(known.String(), "|")
	if c.Shell == "fish" {
		among = strings.ReplaceAll(among, "|", " ")
	}
	_, err := fmt.Fprint(t.stdout, strings.NewReplacer("KNOWN", among, "CHOICES", choices.String()).Replace(script))
	return err
}

// Both scripts find out which command the line has come to, leaving out flags
// and their values: a word counts if it makes a command with those before it.
const (
	bashCompletion = `_refundry() {
  local so_far="" word choices=""
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "${so_far:+$so_far }$word" in KNOWN) so_far="${so_far:+$so_far }$word" ;; esac
  done
  case "$so_far" in
CHOICES  esac
  COMPREPLY=($(compgen -W "$choices" -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _refundry refundry
`
	fishCompletion = `function __refundry_at
  set -l so_far ""
  for word in (commandline -opc)[2..-1]
    set -l next (string trim "$so_far $word")
    if contains -- "$next" KNOWN
      set so_far $next
    end
  end
  test "$so_far" = "$argv[1]"
end
CHOICES`
)

// collect gathers what may follow each command.
func collect(node *kong.Node, line string, follow map[string][]string) {
	follow[line] = []string{}
	for _, child := range node.Children {
		if !child.Hidden {
			follow[line] = append(follow[line], child.Name)
			collect(child, strings.TrimSpace(line+" "+child.Name), follow)
		}
	}
	for _, group := range node.AllFlags(true) { // those of the commands above, too
		for _, flag := range group {
			follow[line] = append(follow[line], "--"+flag.Name)
		}
	}
}
