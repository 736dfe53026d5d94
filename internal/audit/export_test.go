package audit_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/audit"
	"github.com/refundry/refundry/internal/ledger"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/row"
)

// chain is a store that has nothing but a tenant's commits.
type chain struct {
	audit.Store

	parts []audit.Part
	links []row.Link
	asked int // pages
}

func (c *chain) Links(_ context.Context, after, last int64, limit int) ([]row.Link, error) {
	last = min(last, after+int64(limit), int64(len(c.links)))
	return c.links[min(after, last):last], nil
}

func (c *chain) Checkpoint(_ context.Context, _ payment.TenantID, number int64) (audit.Checkpoint, error) {
	if number == 0 {
		number = int64(len(c.parts))
	}
	if number > int64(len(c.parts)) {
		return audit.Checkpoint{}, audit.ErrNoCommit
	}
	return c.parts[number-1].Checkpoint, nil
}

func (c *chain) Parts(_ context.Context, _ payment.TenantID, after, last int64, limit int) ([]audit.Part, error) {
	c.asked++
	return c.parts[after:min(last, after+int64(limit))], nil
}

var tenant = payment.TenantID{1, 2}

// newChain returns a chain with one event in each commit, as different as events are.
func newChain(commits int) *chain {
	c := &chain{}
	at := time.Date(2026, 3, 1, 12, 0, 0, 1000, time.UTC)
	var link row.Link
	for n := range commits {
		fact := row.Fact{
			Event: payment.Event{
				Tenant: tenant, Kind: "refund.created", Payment: payment.PaymentID{1, byte(n)}, Subject: [16]byte{1, 7}, Version: 3,
				At: at, Actor: "key:x", Door: "api", Request: "<&>\u2028", Detail: `{"a":"<ü>"}`,
			},
			Entries: []ledger.Entry{{Cause: "refund.created", Postings: []ledger.Posting{
				{Debit: "a", Credit: "b", Amount: money.Of(5, "EUR")}, {Debit: "c", Credit: "d", Amount: money.Of(6, "EUR")},
			}}},
			Payout: payment.Payout{ID: payment.PayoutID{1, 7}, Order: payment.OrderID{1, 8}, Merchant: "m", Amount: money.Of(9, "SEK"), At: at},
		}
		switch n % 3 {
		case 0:
			fact.Person, fact.Sealed = payment.PersonID{9}, []byte{0, 1, 255}
		case 1:
			fact.Address = "203.0.113.7"
		}
		facts := row.Facts{Tenant: tenant, Facts: []row.Fact{fact}}
		link = row.Link{Number: link.Number + 1, At: row.Micros(at), Digests: row.Digests([]row.Facts{facts})}.Follow(link.Hash)
		c.links = append(c.links, link)
		c.parts = append(c.parts, audit.Part{Checkpoint: audit.CheckpointOf(link, tenant), Facts: facts})
	}
	return c
}

func export(t *testing.T, c *chain, first, last int64) string {
	t.Helper()
	var text strings.Builder
	if err := audit.Export(t.Context(), c, tenant, first, last, &text); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

func TestExportIsWhatWasSealed(t *testing.T) {
	t.Parallel()
	c := newChain(1200)
	text := export(t, c, 0, 0)
	checked, err := audit.Check(strings.NewReader(text))
	if err != nil || !checked.IsClean() || checked.Commits != 1200 || checked.Events != 1200 || len(checked.Anchors) != 1201 {
		t.Fatalf("%d commits, %d events, %v: %v", checked.Commits, checked.Events, checked.Findings[:min(3, len(checked.Findings))], err)
	}
	if c.asked != 3 {
		t.Errorf("1200 commits were read in %d pages", c.asked)
	}
	if differ, err := audit.Prove(t.Context(), c, checked); err != nil || len(differ) > 0 {
		t.Errorf("not in the chain: %v, %v", differ, err)
	}
	other := newChain(1200)
	for n := range other.links {
		other.links[n].Hash[0]++
	}
	if differ, err := audit.Prove(t.Context(), other, checked); err != nil || len(differ) != 1201 {
		t.Errorf("in another chain %d differ, %v", len(differ), err)
	}
	if differ, err := audit.Prove(t.Context(), newChain(1199), checked); err != nil || len(differ) != 2 || differ[0].Number != 1200 {
		t.Errorf("in a chain that was cut %v differ, %v", differ, err)
	}
	part := export(t, c, 100, 120)
	if checked, err := audit.Check(strings.NewReader(part)); err != nil || !checked.IsClean() || checked.Commits != 21 {
		t.Errorf("a part: %d commits, %v: %v", checked.Commits, checked.Findings[:min(3, len(checked.Findings))], err)
	}
}

// Whatever is changed in an export is found in it.
func TestExportThatWasChangedIsFound(t *testing.T) {
	t.Parallel()
	text := export(t, newChain(6), 0, 0)
	lines := strings.SplitAfter(text, "\n")
	nobodys := lines[slices.IndexFunc(lines, func(l string) bool { // an event that names nobody
		return strings.Contains(l, `"line":"event"`) && !strings.Contains(l, `"sealed"`) && !strings.Contains(l, `"address"`)
	})]
	for name, changed := range map[string]string{
		"an actor":             strings.Replace(text, `"actor":"key:x"`, `"actor":"key:y"`, 1),
		"an address":           strings.Replace(text, "203.0.113.7", "203.0.113.8", 1),
		"a sealed part":        strings.Replace(text, `"sealed":"AAH/"`, `"sealed":"AAH+"`, 1),
		"a person":             strings.Replace(text, `"person":"09`, `"person":"08`, 1),
		"a posting":            strings.Replace(text, `"amount":5`, `"amount":50`, 1),
		"a payout":             strings.Replace(text, `"currency":"SEK"`, `"currency":"NOK"`, 1),
		"a detail":             strings.Replace(text, `\"a\"`, `\"b\"`, 1),
		"an event gone":        strings.Join(slicesWithout(lines, 1), ""),
		"a commit gone":        strings.Join(slicesWithout(slicesWithout(lines, 2), 2), ""),
		"a commit's line gone": strings.Join(slicesWithout(lines, 2), ""),
		"the end gone":         strings.Join(lines[:8], ""),
		"commits in disorder":  strings.Join([]string{lines[2], lines[3], lines[0], lines[1], strings.Join(lines[4:], "")}, ""),
		"something behind it":  text + lines[0] + lines[1],
		"a commit twice":       counting(strings.Join(append(lines[:2:2], append(lines[:2:2], lines[2:]...)...), ""), 7),
		"another tenant":       strings.Replace(text, tenant.String(), payment.TenantID{1, 3}.String(), 1),
		"a commit's count":     strings.Replace(text, `"events":1`, `"events":2`, 1),
		"its first":            strings.Replace(text, `"first":1`, `"first":2`, 1),
		"a name of nobody":     strings.Replace(text, nobodys, strings.Replace(nobodys, `"event"`, `"event","sealed":"AAH/"`, 1), 1),
	} {
		checked, err := audit.Check(strings.NewReader(changed))
		if changed == text || err != nil || checked.IsClean() {
			t.Errorf("%s: found %v: %v", name, checked.Findings[:min(3, len(checked.Findings))], err)
		}
	}
	for _, bad := range []string{"", "x", `{"line":"event"}`, `{"line":"commit"}`, `{"number":1,"hash":"00"}`, `[]`, text[:400],
		strings.Replace(text, tenant.String(), "", 1), strings.Replace(text, tenant.String(), payment.TenantID{}.String(), 1),
		strings.Replace(text, `"line":"event"`, `"line":"event","remark":"approved"`, 1),
		strings.Replace(text, `"line":"event"`, `"line":"event","number":1`, 1),
		strings.Replace(text, `"line":"commit"`, `"line":"commit","detail":"x"`, 1),
	} {
		if checked, err := audit.Check(strings.NewReader(bad)); err == nil {
			t.Errorf("%.300q is taken: %v", bad, checked.Findings)
		}
	}
}

func slicesWithout(lines []string, at int) []string {
	return append(append([]string(nil), lines[:at]...), lines[at+1:]...)
}

// counting returns an export whose checkpoint counts so many commits, of one event each.
func counting(text string, commits int) string {
	text = strings.Replace(text, `"events":6`, fmt.Sprintf(`"events":%d`, commits), 1)
	return strings.Replace(text, `"commits":6`, fmt.Sprintf(`"commits":%d`, commits), 1)
}

// What is left out of an export, or told of another time, is found in the chain.
func TestExportIsProvenWhole(t *testing.T) {
	t.Parallel()
	c := newChain(6)
	text := export(t, c, 0, 0)
	lines := strings.SplitAfter(text, "\n")
	for name, try := range map[string]struct{ text, want string }{
		"as it is":   {text, "[]"},
		"a part":     {export(t, c, 3, 4), "[]"},
		"the first":  {counting(strings.Join(lines[2:], ""), 5), "[{1 the commit is left out of the export}]"},
		"one of it":  {counting(strings.Join(append(lines[:4:4], lines[6:]...), ""), 5), "[{3 the commit is left out of the export}]"},
		"the last":   {counting(strings.Join(append(lines[:10:10], lines[12:]...), ""), 5), "[{6 the commit is left out of the export}]"},
		"its time":   {strings.Replace(text, "2026-03-01T12", "2026-03-01T13", 1), "[{1 the commit is not the one that the checkpoint is of}]"},
		"a tenant's": {strings.ReplaceAll(text, tenant.String(), payment.TenantID{1, 3}.String()), ""},
	} {
		checked, err := audit.Check(strings.NewReader(try.text))
		if err != nil || !checked.IsClean() {
			t.Fatalf("%s: %v: %v", name, checked.Findings, err)
		}
		differ, err := audit.Prove(t.Context(), c, checked)
		if got := fmt.Sprint(differ); err != nil || got != try.want && try.want != "" || len(differ) != 7 && try.want == "" {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
}
