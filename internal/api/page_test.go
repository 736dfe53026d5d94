package api_test

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
	"testing"
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
