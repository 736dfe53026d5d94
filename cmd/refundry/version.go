package main

import (
	"encoding/json"
	"fmt"
	"runtime/debug"
)

// versionCommand says what this program was built from.
type versionCommand struct{}

// build is what a program was built from.
type build struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Time     string `json:"time,omitempty"`     // of the revision
	Modified bool   `json:"modified,omitempty"` // there were changes that no revision has
	Go       string `json:"go"`
}

// Run implements the command.
func (versionCommand) Run(t *terminal) error {
	b := readBuild()
	if t.isJSON {
		return json.NewEncoder(t.stdout).Encode(b)
	}
	text := "refundry " + b.Version
	if b.Revision != "" {
		text += " " + b.Revision + " " + b.Time
	}
	if b.Modified {
		text += " (modified)"
	}
	_, err := fmt.Fprintln(t.stdout, text+" "+b.Go)
	return err
}

func readBuild() build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return build{Version: "unknown"}
	}
	b := build{Version: info.Main.Version, Go: info.GoVersion}
	for _, fact := range info.Settings {
		switch fact.Key {
		case "vcs.revision":
			b.Revision = fact.Value
		case "vcs.time":
			b.Time = fact.Value
		case "vcs.modified":
			b.Modified = fact.Value == "true"
		}
	}
	return b
}
