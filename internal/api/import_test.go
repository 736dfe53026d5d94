package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// lines returns the answer's lines.
func (a answer) lines(t *testing.T) []map[string]any {
	t.Helper()
	var lines []map[string]any
	for text := range strings.Lines(a.text) {
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("not a line of JSON: %s", text)
		}
		lines = append(lines, line)
	}
	return lines
}

func TestImportKeepsGoodLinesAndReportsBadOnes(t *testing.T) {
	t.Parallel()
	w := setup(t)
	file := `{"id": "a", "amount": 100, "currency": "EUR", "captured_at": "2026-01-02T03:04:05Z", "home": "dialect", "session": "ps_1"}

{"id": "b", "amount": 0, "currency": "EUR"}
not JSON
{"id": "c", "amount": 300, "currency": "EUR", "aliases": [{"kind": "till", "value": "4242424242424242"}]}
{"id": "d", "amount": 1, "currency": "EUR", "home": "nonsense"}
{"id": "e", "amount": 1, "currency": "EUR", "note": "` + strings.Repeat("x", 300<<10) + `"}
{"id": "f", "amount": 1, "currency": "EUR", "aliases": [{"kind": "till", "value": "4242424242424242"}]}
{"id": "g", "amount": 500, "currency": "EUR"}`
	got := w.operate(t, "POST", "/v1/payments/import", file).want(t, 200).lines(t)
	want := map[int]string{
		1: "", 3: "invalid_request", 4: "invalid_json", 5: "", 6: "invalid_request", 7: "body_too_large",
		8: "already_exists", 9: "",
	}
	if len(got) != len(want) {
		t.Fatalf("got %d answers, want %d: %v", len(got), len(want), got)
	}
	for _, line := range got {
		number, _ := line["line"].(float64)
		problem, _ := line["error"].(map[string]any)
		if code, _ := problem["code"].(string); code != want[int(number)] {
			// Lines 5 and 8 ask for one alias: which of them gets it is open.
			if code+want[int(number)] != "already_exists" {
				t.Errorf("line %v: got code %q, want %q", number, code, want[int(number)])
			}
		}
	}
	again := w.operate(t, "POST", "/v1/payments/import", file).want(t, 200).lines(t)
	for i, line := range again {
		if got[i]["id"] != line["id"] || (line["id"] != nil) != (line["replayed"] == true) {
			t.Errorf("sent again: got %v after %v", line, got[i])
		}
	}
	first := w.operate(t, "GET", fmt.Sprintf("/v1/payments/%v", got[0]["id"]), "").want(t, 200)
	if first.string(t, "home") != "dialect" || first.string(t, "captured_at") != "2026-01-02T03:04:05.000000Z" {
		t.Errorf("imported as %s", first.text)
	}
	changed := w.operate(t, "POST", "/v1/payments/import", `{"id": "g", "amount": 501, "currency": "EUR"}`).lines(t)
	if problem, _ := changed[0]["error"].(map[string]any); problem["code"] != "idempotency_key_reused" {
		t.Errorf("a changed line with an old id: %v", changed)
	}
}

func TestImportTakesManyLines(t *testing.T) {
	t.Parallel()
	w := setup(t)
	var file strings.Builder
	const many = 1000
	for i := range many {
		fmt.Fprintf(&file, `{"id": "%d", "amount": %d, "currency": "EUR"}`+"\n", i, i+1)
	}
	got := w.operate(t, "POST", "/v1/payments/import", file.String()).want(t, 200).lines(t)
	if len(got) != many {
		t.Fatalf("got %d answers, want %d", len(got), many)
	}
	for i, line := range got {
		if line["line"] != float64(i+1) || line["id"] == nil {
			t.Fatalf("answer %d is %v", i, line)
		}
	}
}

// A payment that had a short id elsewhere keeps it.
func TestImportKeepsShortIDs(t *testing.T) {
	t.Parallel()
	w := setup(t)
	line := `{"id": "a", "amount": 100, "currency": "EUR", "aliases": [{"kind": "till", "value": "x"}, {"kind": "short", "value": "DdVYkpb1w"}]}`
	got := w.operate(t, "POST", "/v1/payments/import", line).want(t, 200).lines(t)
	paid := w.call(t, "GET", fmt.Sprintf("/v1/payments/%v", got[0]["id"]), "").want(t, 200)
	if !strings.Contains(paid.text, `"primer":"DdVYkpb1w"`) {
		t.Errorf("got %s", paid.text)
	}
	if again := w.operate(t, "POST", "/v1/payments/import", line).want(t, 200).lines(t); again[0]["replayed"] != true {
		t.Errorf("sent again: %v", again)
	}
}
