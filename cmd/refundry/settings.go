package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/service"
)

// settingsCommand shows and changes a tenant's settings.
type settingsCommand struct {
	List  settingsList  `cmd:"" default:"withargs" help:"Show every setting, with its default."`
	Set   settingsSet   `cmd:"" help:"Change settings: NAME=VALUE; lists are comma-separated."`
	Reset settingsReset `cmd:"" help:"Give settings their defaults again."`
}

type settingsList struct{ operatorFlags }

type settingsSet struct {
	operatorFlags

	Settings []string `arg:"" help:"As in pike.parallel_refunds=true."`
}

type settingsReset struct {
	operatorFlags

	Names []string `arg:"" help:"Names of settings."`
}

// Run implements the command.
func (c *settingsList) Run(ctx context.Context, t *terminal) error {
	return c.operate(ctx, t, http.MethodGet, "/v1/settings", nil, "name", "value", "is_default", "doc")
}

// Run implements the command.
func (c *settingsSet) Run(ctx context.Context, t *terminal) error {
	changes := map[string]any{}
	for _, text := range c.Settings {
		name, value, ok := strings.Cut(text, "=")
		if !ok {
			return fault.New(fault.Invalid, "a setting is changed by NAME=VALUE")
		}
		changes[name] = settingValue(name, value)
	}
	return c.change(ctx, t, changes)
}

// change changes settings, and prints those that were named; with --json all.
func (f operatorFlags) change(ctx context.Context, t *terminal, changes map[string]any) error {
	o, err := f.dial(ctx, t)
	if err != nil {
		return err
	}
	text, err := o.call(ctx, http.MethodPatch, "/v1/settings", changes)
	if err == nil && !t.isJSON {
		text, err = onlyNamed(text, changes)
	}
	if err == nil {
		err = t.printAnswer(text, []string{"name", "value", "is_default"})
	}
	return errors.Join(err, o.close())
}

// onlyNamed leaves those settings in an answer that were changed.
func onlyNamed(text []byte, changes map[string]any) ([]byte, error) {
	var answer struct {
		Settings []map[string]any `json:"settings"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return nil, fmt.Errorf("answer: %w", err)
	}
	answer.Settings = slices.DeleteFunc(answer.Settings, func(setting map[string]any) bool {
		name, _ := setting["name"].(string)
		_, isNamed := changes[name]
		return !isNamed
	})
	return json.Marshal(answer)
}

// settingValue reads a value as its setting's type has it. Of a setting that
// nobody knows the server says so.
func settingValue(name, text string) any {
	for _, spec := range service.SettingSpecs() {
		if spec.Name != name {
			continue
		}
		switch spec.Default.(type) {
		case string:
			return text
		case []string:
			if text == "" {
				return []string{}
			}
			return strings.Split(text, ",")
		}
	}
	if json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	return text
}

// Run implements the command.
func (c *settingsReset) Run(ctx context.Context, t *terminal) error {
	changes := map[string]any{}
	for _, name := range c.Names {
		changes[name] = nil
	}
	return c.change(ctx, t, changes)
}
