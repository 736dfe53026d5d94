package primer_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
)

// likeness is how far a body need not be like its example. Paths have * for
// the places of a list, as in "transactions.*.processorName".
type likeness struct {
	vary   []string // texts that are ours: any, but there
	lacks  []string // members that we never send
	exceed []string // members that we always send and the example has not
}

// ours are the texts that differ from any example: ids, names and times.
var ours = []string{
	"id", "date", "dateUpdated", "paymentMethod.analyticsId", "processor.name", "processor.processorMerchantId",
	"transactions.*.date", "transactions.*.processorTransactionId", "transactions.*.processorName",
	"transactions.*.processorMerchantId", "transactions.*.events.*.id", "transactions.*.events.*.date",
	"transactions.*.events.*.processorEventId",
}

// likePayment is how an answer is like its example. Nobody looks at risks here.
func likePayment(vary ...string) likeness {
	return likeness{
		vary: append(vary, ours...), lacks: []string{"riskData", "paymentMethod.descriptor"},
		exceed: []string{"paymentMethod.threeDSecureAuthentication"},
	}
}

// like fails the test unless a body is like its example: the same members, of
// the same types, with the same values.
func like(t *testing.T, name string, got any, by likeness) {
	t.Helper()
	by.compare(t, name, "", dialecttest.Decode(readFile(t, name)), got)
}

func (l likeness) compare(t *testing.T, name, path string, want, got any) {
	t.Helper()
	fail := func(format string, args ...any) {
		t.Helper()
		t.Errorf("%s, %s: %s", name, path, fmt.Sprintf(format, args...))
	}
	switch want := want.(type) {
	case map[string]any:
		members, ok := got.(map[string]any)
		if !ok {
			fail("is %T, not an object", got)
			return
		}
		for member, value := range want {
			inner := strings.TrimPrefix(path+"."+member, ".")
			have, is := members[member]
			if lacks := slices.Contains(l.lacks, inner); is == lacks {
				fail("has %s: %t", member, is)
			} else if is {
				l.compare(t, name, inner, value, have)
			}
		}
		for member := range members {
			if _, is := want[member]; !is && !slices.Contains(l.exceed, strings.TrimPrefix(path+"."+member, ".")) {
				fail("has %s besides", member)
			}
		}
	case []any:
		elements, ok := got.([]any)
		if !ok || len(elements) != len(want) {
			fail("is %v, not %d elements", got, len(want))
			return
		}
		for i, value := range want {
			l.compare(t, name, strings.TrimPrefix(path+".*", "."), value, elements[i])
		}
	case string:
		text, ok := got.(string)
		switch {
		case !ok || text == "":
			fail("is %v", got)
		case !slices.Contains(l.vary, path) && text != want:
			fail("is %q, not %q", text, want)
		case isDate.MatchString(path) && !timeFormat.MatchString(text):
			fail("is %q, no time", text)
		}
	default:
		if got != want && !slices.Contains(l.vary, path) || fmt.Sprintf("%T", got) != fmt.Sprintf("%T", want) {
			fail("is %v, not %v", got, want)
		}
	}
}

var (
	isDate     = regexp.MustCompile(`(^|\.)date(Updated)?$`)
	timeFormat = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$`)
)

// wellFormed fails the test if anything that was sent is null, or a time has a zone.
func wellFormed(t *testing.T, raw string) {
	t.Helper()
	if strings.Contains(raw, "null") {
		t.Errorf("null is sent: %s", raw)
	}
	var walk func(name string, value any)
	walk = func(name string, value any) {
		switch value := value.(type) {
		case map[string]any:
			for name, member := range value {
				walk(name, member)
			}
		case []any:
			for _, element := range value {
				walk(name, element)
			}
		case string:
			if (name == "date" || name == "dateUpdated") && !timeFormat.MatchString(value) {
				t.Errorf("%s is %q: %s", name, value, raw)
			}
		case json.Number:
			if strings.ContainsAny(value.String(), ".eE") {
				t.Errorf("%s is no whole number: %s", name, raw)
			}
		}
	}
	walk("", dialecttest.Decode(raw))
}
