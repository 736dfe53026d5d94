package audit_test

import (
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/audit"
)

// Whatever is done to an export, if it is found clean and in the chain, then it
// tells the same events as the one that was written, to every reader of JSON. If
// it is no export at all, the error does not repeat what it is.
func FuzzCheck(f *testing.F) {
	c := newChain(4)
	var written strings.Builder
	if err := audit.Export(f.Context(), c, tenant, 0, 0, &written); err != nil {
		f.Fatal(err)
	}
	text := written.String()
	want := told(f, text)
	lines := strings.SplitAfter(text, "\n")
	checkpoint := strings.Replace(lines[8], `"line":"checkpoint",`, "", 1)
	alone := checkpoint[:strings.Index(checkpoint, `,"events"`)] + "}\n"
	smuggled := strings.Replace(strings.Replace(lines[1], `"commit":1`, `"commit":0`, 1), "key:x", "key:evil", 1)
	for _, put := range []struct {
		at, without int
		with        string
	}{
		{0, 0, ""},
		{0, len(text), ""},
		{0, len(text), alone},
		{0, len(text), strings.Replace(alone, "{", `{"line":"x",`, 1)},
		{0, 0, smuggled},
		{0, len(text), smuggled},
		{0, len(text), smuggled + strings.Replace(text, `"events":4`, `"events":5`, 1)},
		{strings.Index(text, lines[8]), len(lines[8]), alone},
		{0, len(text), lines[0] + lines[1] + alone},
		{strings.Index(text, `"actor"`), 0, `"actor":"key:evil",`},
		{strings.Index(text, `"actor"`), 0, `"Actor":"key:evil",`},
		{strings.Index(text, `"actor"`), 0, `"commits":7,`},
		{strings.Index(text, `"debit"`), 0, `"debit":"evil",`},
		{strings.Index(text, `"hash"`), 0, `"first":9,"commits":8,`},
		{strings.Index(text, `"AAH/"`), len(`"AAH/"`), `"AAH/\n"`},
		{strings.Index(text, `"at"`), 0, "\n "},
	} {
		f.Add(put.at, put.without, put.with)
	}
	f.Fuzz(func(t *testing.T, at, without int, with string) {
		at = min(max(at, 0), len(text))
		without = min(max(without, 0), len(text)-at)
		changed := text[:at] + with + text[at+without:]
		checked, err := audit.Check(strings.NewReader(changed))
		if err != nil {
			if len(with) > 12 && strings.Contains(err.Error(), with) {
				t.Errorf("%q: %v", with, err)
			}
			return
		}
		if checked.IsClean() && len(checked.Anchors) == 0 {
			t.Fatalf("%q is checked, and says nothing", changed)
		}
		differ, err := audit.Prove(t.Context(), c, checked)
		if err != nil || !checked.IsClean() || len(differ) > 0 {
			return
		}
		last := checked.Anchors[len(checked.Anchors)-1]
		if checked.First == 0 && (len(checked.Anchors) != 1 || last.IsCommit) {
			t.Errorf("%q is clean, and no export", changed)
		}
		got := told(t, changed)
		if int64(len(got)) != checked.Events || checked.First == 0 && len(got) > 0 {
			t.Errorf("%q is clean with %d events, and tells %d", changed, checked.Events, len(got))
		}
		whole := slices.DeleteFunc(slices.Clone(want), func(line map[string]any) bool {
			number, _ := line["commit"].(json.Number).Int64()
			return number < checked.First || number > last.Number
		})
		if checked.First > 0 && !reflect.DeepEqual(got, whole) {
			t.Errorf("%q is clean, and tells %v", changed, got)
		}
	})
}

// told returns the events of an export as a reader has them who takes the first of
// two members of a name.
func told(t testing.TB, text string) (events []map[string]any) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	for {
		line, err := first(decoder)
		if errors.Is(err, io.EOF) {
			return events
		}
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if members, _ := line.(map[string]any); members["line"] == "event" {
			delete(members, "line")
			events = append(events, members)
		}
	}
}

// first reads a value; of two members of a name the first.
func first(decoder *json.Decoder) (any, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('['):
		list := []any{}
		for decoder.More() {
			element, err := first(decoder)
			if err != nil {
				return nil, err
			}
			list = append(list, element)
		}
		_, err = decoder.Token()
		return list, err
	case json.Delim('{'):
		members := map[string]any{}
		for decoder.More() {
			name, err := decoder.Token()
			if err != nil {
				return nil, err
			}
			value, err := first(decoder)
			if err != nil {
				return nil, err
			}
			if _, known := members[name.(string)]; !known {
				members[name.(string)] = value
			}
		}
		_, err = decoder.Token()
		return members, err
	default:
		return token, nil
	}
}
