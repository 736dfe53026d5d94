package main

import (
	"context"
	"encoding/json"
	"net/http"
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
	return c.operate(ctx, t, http.MethodPatch, "/v1/settings", changes, "name", "value", "is_default")
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
	return c.operate(ctx, t, http.MethodPatch, "/v1/settings", changes, "name", "value", "is_default")
}
