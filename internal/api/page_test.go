package api_test

import (
	"crypto/sha256"
	"encoding/hex"
	"html"
	"regexp"
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/api"
)

// redocSum is of redoc.standalone.js in npm's redoc 2.5.4.
const redocSum = "dcaf76612bc4a3fbcc923a8966dee2f6146a5f32e5ce1b6f02dd60cbbf89500b"

// The page of the document has what it needs, and may reach nothing else.
func TestDocsStayWithinThePage(t *testing.T) {
	t.Parallel()
	w := setup(t)
	page := send(t, w.server, "GET", "/docs", "").want(t, 200)
	policy := page.header.Get("Content-Security-Policy")
	for _, wanted := range []string{"default-src 'none'", "script-src 'self'", "connect-src 'self'", "img-src 'self' data:"} {
		if !strings.Contains(policy, wanted) {
			t.Errorf("no %s in %s", wanted, policy)
		}
	}
	if strings.Contains(policy, "http") || strings.Contains(policy, "*") || strings.Contains(policy, "unsafe-eval") {
		t.Errorf("the policy is too wide: %s", policy)
	}
	for _, found := range regexp.MustCompile(`(?:src|href|spec-url)="([^"]+)"`).FindAllStringSubmatch(page.text, -1) {
		if found[1] == "data:," {
			continue // no icon
		}
		if got := send(t, w.server, "GET", found[1], ""); got.status != 200 || !strings.HasPrefix(found[1], "/") {
			t.Errorf("%s: %d", found[1], got.status)
		}
	}
	script := send(t, w.server, "GET", "/docs/redoc.standalone.js", "").want(t, 200)
	if sum := sha256.Sum256([]byte(script.text)); hex.EncodeToString(sum[:]) != redocSum {
		t.Errorf("another Redoc: %x", sum)
	}
	if got := script.header.Get("Content-Type"); !strings.HasPrefix(got, "text/javascript") {
		t.Errorf("the script is %s", got)
	}
}

// Each code's page says what has happened, what to do, and whether the same
// request, and the same key, may be sent again.
func TestEveryCodeIsExplained(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for _, code := range api.Codes() {
		title, means, todo, again, status := api.ExplainedText(code)
		for _, text := range []string{means, todo, again} {
			if words := strings.Fields(text); len(words) < 4 || !strings.HasSuffix(text, ".") {
				t.Errorf("%s says %q", code, text)
			}
		}
		kept := code == "idempotency_key_reused" || code == "idempotency_key_used"
		if isKept := strings.Contains(again, "stays with the request"); isKept != kept {
			t.Errorf("%s says of the key %q", code, again)
		}
		if status >= 500 && !strings.Contains(again, "may succeed later") {
			t.Errorf("%s: a 5xx means that nothing was done: %q", code, again)
		}
		page := send(t, w.server, "GET", "/errors/"+code, "", "Accept: text/html").want(t, 200).text
		plain := send(t, w.server, "GET", "/errors/"+code, "").want(t, 200).text
		for _, text := range []string{title, means, todo, again} {
			if !strings.Contains(plain, text) || !strings.Contains(html.UnescapeString(page), text) {
				t.Errorf("%s: a page lacks %q", code, text)
			}
		}
	}
}
