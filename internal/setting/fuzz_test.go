package setting_test

import (
	"reflect"
	"testing"

	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/setting"
)

// What is read as settings is written and read again as the same; and whatever a
// value is, a setting takes it as it is or says what it takes, and nothing else.
func FuzzDecode(f *testing.F) {
	for _, text := range []string{
		"", "null", "{}", "[]", `{"a":true,"b":-7,"c":"x","d":["x","y"],"e":[]}`, `{"a":1.5}`, `{"a":1e3}`, `{"a":null}`, `{"a":{}}`,
		`{"a":[1]}`, `{"a":9223372036854775808}`, `{"a":1,"a":2}`, `{"policy.maximum_amount":-1,"policy.reasons":["\u0000"]}`,
	} {
		f.Add([]byte(text))
	}
	specs := []setting.Spec{
		setting.NewBool("policy.partial", true, "").Spec, setting.NewInt("policy.window_days", 30, 1, "").Spec,
		setting.NewText("pike.mode", "", "fast", "slow").Spec,
		setting.NewList("policy.reasons", "").Limited(3, func(text string) bool { return text != "" }).Spec,
	}
	says := map[string]bool{}
	for _, spec := range specs {
		for _, value := range []any{struct{}{}, []string{"a", "b", "c", "d"}, []string{""}} {
			if _, err := spec.Check(value); err != nil {
				says[err.Error()] = true
			}
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		values, err := setting.Decode(text)
		if err != nil {
			if values != nil {
				t.Errorf("%q: %v beside %v", text, values, err)
			}
			return
		}
		written, err := setting.Encode(values)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		again, err := setting.Decode(written)
		if err != nil || !reflect.DeepEqual(again, values) {
			t.Errorf("%q is %v, and then %v: %v", text, values, again, err)
		}
		for _, value := range values {
			for _, spec := range specs {
				kept, err := spec.Check(value)
				switch {
				case err == nil && (!reflect.DeepEqual(kept, value) || reflect.TypeOf(kept) != reflect.TypeOf(spec.Default)):
					t.Errorf("%s takes %v as %v", spec.Name, value, kept)
				case err != nil && (fault.CodeOf(err) != fault.Invalid || !says[err.Error()]):
					t.Errorf("%s: %v", spec.Name, err)
				}
			}
		}
	})
}
