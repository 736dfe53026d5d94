package api_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/api"
	"github.com/refundry/refundry/internal/payment"
)

// Every kind of event that is declared has a sentence, once, and so has every
// status that something can come to.
func TestKindsOfEventsAreCatalogued(t *testing.T) {
	t.Parallel()
	names := api.EventKinds()
	if sorted := slices.Sorted(slices.Values(names)); len(slices.Compact(sorted)) != len(names) {
		t.Error("a kind is listed twice")
	}
	declared := declaredKinds(t)
	for _, ends := range payment.RefundLife {
		for _, status := range ends {
			declared = append(declared, "refund."+string(status))
		}
	}
	for _, ends := range payment.DisputeLife {
		for _, status := range ends {
			declared = append(declared, "dispute."+string(status))
		}
	}
	for _, ends := range payment.PaymentLife {
		for _, status := range ends {
			declared = append(declared, "payment."+string(status))
		}
	}
	for _, ends := range payment.OrderLife {
		for _, status := range ends {
			declared = append(declared, "order."+string(status))
		}
	}
	for _, kind := range declared {
		if !slices.Contains(names, kind) {
			t.Errorf("%s is not catalogued", kind)
		}
	}
}

// declaredKinds returns the constants of kinds of event.
func declaredKinds(t *testing.T) (kinds []string) {
	t.Helper()
	files, err := filepath.Glob("../*/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(node ast.Node) bool {
			spec, ok := node.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 || !isKind(spec.Type) {
				return true
			}
			if literal, ok := spec.Values[0].(*ast.BasicLit); ok {
				text, _ := strconv.Unquote(literal.Value)
				kinds = append(kinds, text)
			}
			return true
		})
	}
	if len(kinds) < 40 {
		t.Fatalf("found %d kinds only", len(kinds))
	}
	return kinds
}

func isKind(expression ast.Expr) bool {
	switch expression := expression.(type) {
	case *ast.Ident:
		return expression.Name == "EventKind"
	case *ast.SelectorExpr:
		return expression.Sel.Name == "EventKind"
	default:
		return false
	}
}

// The page of webhooks lists every kind of event.
func TestKindsOfEventsAreDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/webhooks.md")
	if err != nil {
		t.Fatal(err)
	}
	if table := api.KindTable(); !strings.Contains(string(page), "\n\n"+table+"\n") {
		t.Errorf("docs/webhooks.md does not have this table:\n%s", table)
	}
}

// An endpoint that names a kind of event that it would never be told is refused.
func TestUnknownKindsOfEventsAreRefused(t *testing.T) {
	t.Parallel()
	w := setup(t)
	of := "/v1/endpoints/" + w.call(t, "POST", "/v1/endpoints", `{"url": "`+w.hear+`"}`).want(t, 201).string(t, "id")
	for _, kind := range []string{"refund.bogus", "refund.suceeded", "refund", "refund.submitted", "settings.changed"} {
		body := `{"url": "` + w.hear + `", "kinds": ["refund.succeeded", "` + kind + `"]}`
		for method, path := range map[string]string{"POST": "/v1/endpoints", "PATCH": of} {
			got := w.call(t, method, path, body).wantCode(t, 422, "invalid_request")
			if !strings.Contains(got.text, `"pointer":"#/kinds"`) {
				t.Errorf("%s: %s", kind, got.text)
			}
		}
	}
	for _, kind := range []string{"refund.succeeded", "batch.done", "endpoint.disabled", "payment.captured"} {
		w.call(t, "PATCH", of, `{"kinds": ["`+kind+`"]}`).want(t, 200)
	}
}
