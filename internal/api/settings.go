package api

import (
	"maps"
	"net/http"
	"slices"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/setting"
	"github.com/refundry/refundry/internal/wire"
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
	if err := a.config.Auth.SetSettings(r.Context(), by(r, caller), caller.Tenant, changes); err != nil {
		return err
	}
	return a.listSettings(w, r, caller)
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
