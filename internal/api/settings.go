package api

import (
	"maps"
	"net/http"
	"slices"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/openapi"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/setting"
	"github.com/refundry/refundry/internal/wire"
)

func (a *API) settingOperations() []operation {
	settings := all("SettingList", "settings", settingSchema)
	return []operation{
		{
			method: "GET", path: "/v1/settings", id: "listSettings", tag: tagOperators, summary: "Read settings",
			access: forOperators, answers: ok("Every setting.", settings), serve: a.listSettings,
		},
		{
			method: "PATCH", path: "/v1/settings", id: "changeSettings", tag: tagOperators, summary: "Change settings",
			doc:    "Some, all together or none. `null` is the default again.",
			access: forOperators, body: settingsRequest, answers: ok("Every setting, as it is now.", settings),
			codes: []code{codeReasonUsed}, serve: a.changeSettings,
		},
	}
}

// settingsRequest is what changeSettings reads.
var settingsRequest = &openapi.Schema{
	Name: "SettingsRequest", Doc: "New values of settings, by name.", Type: openapi.Object, Rest: settingValueSchema,
}

// settingValueSchema is what settingValue takes.
var settingValueSchema = &openapi.Schema{
	Name: "SettingValue", Doc: "What a setting is set to.",
	AnyOf: []*openapi.Schema{
		{Type: openapi.Boolean, IsNullable: true}, {Type: openapi.Integer, Format: "int64"}, {Type: openapi.String},
		listOf(someText),
	},
}

// settingSchema is what showSetting writes.
var settingSchema = shown("Setting", "What a tenant may change.",
	must("name", &openapi.Schema{Type: openapi.String, Example: "policy.approval_above"}, ""),
	must("type", &openapi.Schema{
		Type: openapi.String, Words: []string{"boolean", "integer", "string", "strings"}, Example: "integer",
	}, "What it takes."),
	may("unit", &openapi.Schema{
		Type: openapi.String, Words: []string{"days", "hours", "minutes", "seconds", "minor_units"}, Example: "minor_units",
	}, "What a number counts. Absent: things."),
	may("minimum", &openapi.Schema{Type: openapi.Integer, Format: "int64"}, "The least that a number may be."),
	may("maximum", &openapi.Schema{Type: openapi.Integer, Format: "int64"}, "The most that it may be. Absent: no limit."),
	must("value", settingValueSchema, ""),
	must("default", settingValueSchema, ""),
	must("is_default", someFlag, "Whether the tenant has not chosen."),
	must("doc", someText, "What it does."),
	may("choices", listOf(someText), "What it may be set to. Absent: anything of the default's type."),
)

// listSettings shows every setting with its default, and the tenant's choice.
func (a *API) listSettings(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	tenant, err := a.config.Auth.Tenant(r.Context(), caller.Tenant)
	if err != nil {
		return err
	}
	list(w, "settings", a.config.Auth.Specs(), func(to *writer, spec setting.Spec) {
		showSetting(to, spec, tenant.Settings)
	})
	return nil
}

func showSetting(w *writer, spec setting.Spec, values setting.Values) {
	value, isSet := values[spec.Name]
	if !isSet {
		value = spec.Default
	}
	w.begin("")
	w.string("name", spec.Name)
	w.string("type", spec.Type())
	w.maybe("unit", spec.Unit())
	if _, isNumber := spec.Default.(int64); isNumber {
		w.number("minimum", spec.Min)
		if spec.Max > 0 {
			w.number("maximum", spec.Max)
		}
	}
	w.any("value", value)
	w.any("default", spec.Default)
	w.flag("is_default", !isSet)
	w.string("doc", spec.Doc)
	if len(spec.Choices) > 0 {
		w.any("choices", spec.Choices)
	}
	w.end()
}

// changeSettings gives settings a value, or their default again for null.
func (a *API) changeSettings(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	in, err := a.read(w, r)
	if err != nil {
		return err
	}
	changes := map[string]any{}
	for _, name := range in.value.Names() {
		changes[name] = settingValue(in.value.Get(name))
	}
	if err := a.config.Auth.SetSettings(r.Context(), by(r, caller), caller.Tenant, changes,
		a.keepUsedReasons(r.Context()), a.knowConnectors); err != nil {
		return err
	}
	return a.listSettings(w, r, caller)
}

// knowConnectors refuses to halt a connector that there is not: nothing would be
// stopped. One that was halted before stays.
func (a *API) knowConnectors(before payment.Tenant, after setting.Values) error {
	halted := payment.PolicyHaltedConnectors.Of(before.Settings)
	for _, name := range payment.PolicyHaltedConnectors.Of(after) {
		if !slices.Contains(a.config.Connectors, name) && !slices.Contains(halted, name) {
			return fault.New(fault.Invalid, "%s names a connector that there is not", payment.PolicyHaltedConnectors.Name)
		}
	}
	return nil
}

// settingValue returns a value as settings keep it, nil for null. What no
// setting takes becomes something that none of them takes.
func settingValue(value wire.Value) any {
	switch value.Kind() {
	case wire.Absent, wire.Null:
		return nil
	case wire.Bool:
		flag, _ := value.Bool()
		return flag
	case wire.Number:
		if number, ok := value.Int(); ok {
			return number
		}
	case wire.String:
		text, _ := value.Text()
		return text
	case wire.Array:
		texts := []string{}
		for _, element := range value.Elements() {
			text, ok := element.Text()
			if !ok {
				return struct{}{}
			}
			texts = append(texts, text)
		}
		return texts
	case wire.Object:
	}
	return struct{}{}
}

func sortedKeys[V any](of map[string]V) []string { return slices.Sorted(maps.Keys(of)) }
