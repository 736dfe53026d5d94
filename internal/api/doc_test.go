package api_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the answers in docs/api.md")

const docPath = "../../docs/api.md"

// Every request in docs/api.md gets the answer that follows it there.
func TestDocumentedExamplesAreTrue(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(docPath)
	if err != nil {
		t.Fatal(err)
	}
	w := setup(t)
	e := &story{world: w, ids: map[string]string{}, shower: shower{map[string]string{}}}
	fence := regexp.MustCompile("(?s)```http\n(.*?)```\n\n```http\n(.*?)```\n")
	rewritten := fence.ReplaceAllStringFunc(string(page), func(text string) string {
		parts := fence.FindStringSubmatch(text)
		got := e.run(t, parts[1])
		if !*update {
			if diff := cmp.Diff(parts[2], got); diff != "" {
				t.Errorf("%s answers otherwise (-documented +answered):\n%s", strings.SplitN(parts[1], "\n", 2)[0], diff)
			}
		}
		return "```http\n" + parts[1] + "```\n\n```http\n" + got + "```\n"
	})
	if *update {
		if err := os.WriteFile(docPath, []byte(rewritten), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// story runs the page's requests one after the other.
type story struct {
	shower

	world *world
	ids   map[string]string // "PAYMENT" → the newest payment's id
}

var variables = map[string]string{"pay": "PAYMENT", "rfd": "REFUND", "dsp": "DISPUTE", "end": "ENDPOINT", "bat": "BATCH"}

// run sends a request and returns the answer as the page shows it.
func (e *story) run(t *testing.T, request string) string {
	t.Helper()
	for name, id := range e.ids {
		request = strings.ReplaceAll(request, "$"+name, id)
	}
	head, body, _ := strings.Cut(request, "\n\n")
	lines := strings.Split(strings.TrimSpace(head), "\n")
	method, path, _ := strings.Cut(lines[0], " ")
	headers := lines[1:]
	server := e.world.server
	if strings.Contains(head, "Refundry-Tenant: ") {
		server = e.world.operator
	} else {
		headers = append(headers, "Authorization: Bearer "+e.world.key)
	}
	got := send(t, server, method, path, body, headers...)
	for _, found := range idText.FindAllStringSubmatch(got.text, -1) {
		if name := variables[found[1]]; name != "" && e.ids[name] == "" {
			e.ids[name] = found[0]
		}
	}
	return e.show(fmt.Sprintf("HTTP/1.1 %d %s\nContent-Type: %s\n\n", got.status, http.StatusText(got.status),
		got.header.Get("Content-Type")) + indent(got.text))
}

// indent spreads an object over lines; lines of JSON stay as they are.
func indent(text string) string {
	var to bytes.Buffer
	if err := json.Indent(&to, []byte(text), "", "  "); err != nil {
		return strings.TrimSuffix(text, "\n") + "\n"
	}
	return to.String() + "\n"
}
