package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/refundry/refundry/internal/service"
	"github.com/refundry/refundry/internal/setting"
)

// settingSpecs describes every setting.
func settingSpecs() []setting.Spec { return service.SettingSpecs() }

type versionCommand struct{}

// Run implements the command.
func (versionCommand) Run(t *terminal) error {
	facts := map[string]string{"version": "unknown"}
	if info, ok := debug.ReadBuildInfo(); ok {
		facts["version"], facts["go"] = info.Main.Version, info.GoVersion
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" || setting.Key == "vcs.time" {
				facts[strings.TrimPrefix(setting.Key, "vcs.")] = setting.Value
			}
		}
	}
	if t.isJSON {
		return json.NewEncoder(t.stdout).Encode(facts)
	}
	_, err := fmt.Fprintf(t.stdout, "refundry %s %s %s\n", facts["version"], facts["revision"], facts["go"])
	return err
}

// migrateCommand brings tables up to date; `refundry serve` does so too.
type migrateCommand struct {
	storeFlags
}

// Run implements the command.
func (c *migrateCommand) Run(ctx context.Context, t *terminal) error {
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	if err := service.Migrate(ctx, service.Config{Data: c.Data, Database: c.Database}); err != nil {
		return err
	}
	_, err := fmt.Fprintln(t.stdout, "the tables are up to date")
	return err
}

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Run implements the command: it prints a script that completes commands and
// their flags.
func (c *completionCommand) Run(t *terminal, parser *kong.Kong) error {
	words := map[string][]string{}
	collect(parser.Model.Node, "", words)
	var script strings.Builder
	switch c.Shell {
	case "fish":
		for path, list := range words {
			condition := "__fish_use_subcommand"
			if path != "" {
				condition = "__fish_seen_subcommand_from " + filepath.Base(strings.ReplaceAll(path, " ", "/"))
			}
			fmt.Fprintf(&script, "complete -c refundry -n '%s' -f -a '%s'\n", condition, strings.Join(list, " "))
		}
	default:
		if c.Shell == "zsh" {
			script.WriteString("autoload -U +X bashcompinit && bashcompinit\n")
		}
		script.WriteString("_refundry() {\n  local path=\"\" word\n  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n" +
			"    case \"$word\" in -*) ;; *) path=\"${path:+$path }$word\" ;; esac\n  done\n  local words=\"\"\n  case \"$path\" in\n")
		for path, list := range words {
			fmt.Fprintf(&script, "    %q) words=%q ;;\n", path, strings.Join(list, " "))
		}
		script.WriteString("  esac\n  COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n}\n" +
			"complete -o default -F _refundry refundry\n")
	}
	_, err := fmt.Fprint(t.stdout, script.String())
	return err
}

// collect gathers what may follow each command.
func collect(node *kong.Node, path string, words map[string][]string) {
	for _, child := range node.Children {
		if child.Hidden {
			continue
		}
		words[path] = append(words[path], child.Name)
		collect(child, strings.TrimSpace(path+" "+child.Name), words)
	}
	for _, flag := range node.Flags {
		if !flag.Hidden {
			words[path] = append(words[path], "--"+flag.Name)
		}
	}
}
