package dialect_test

import (
	"crypto/tls"
	"net/http"
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/dialect"
)

// Where we are reached, a proxy in front of us knows better; nobody's host
// becomes anything but a host.
func TestOrigin(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		host, forwarded string
		isTLS           bool
		want            string
	}{
		{"example.com", "", false, "http://example.com"},
		{"example.com:8480", "", true, "https://example.com:8480"},
		{"example.com", "https", false, "https://example.com"},
		{"example.com", "HTTPS, http", false, "https://example.com"},
		{"example.com", "http", true, "http://example.com"},
		{"example.com", "javascript", false, "http://example.com"},
		{"example.com", "wss", true, "https://example.com"},
		{"[::1]:8480", "", false, "http://[::1]:8480"},
		{"127.0.0.1:8480", "", false, "http://127.0.0.1:8480"},
		{"", "", false, "http://localhost"},
		{":80", "https", false, "https://localhost"},
		{"user@example.com", "", false, "http://localhost"},
		{"example.com/evil", "", false, "http://localhost"},
		{"example.com?a", "", false, "http://localhost"},
		{"example.com#a", "", false, "http://localhost"},
		{"a b", "", false, "http://localhost"},
		{`a"b`, "", false, "http://localhost"},
		{"<b>", "", false, "http://localhost"},
		{"4444333322221111", "", false, "http://localhost"},
		{strings.Repeat("x", 256), "", false, "http://localhost"},
	} {
		r := &http.Request{Host: test.host, Header: http.Header{}}
		if test.forwarded != "" {
			r.Header.Set("X-Forwarded-Proto", test.forwarded)
		}
		if test.isTLS {
			r.TLS = &tls.ConnectionState{}
		}
		if got := dialect.Origin(r); got != test.want {
			t.Errorf("%q %q: %s, want %s", test.host, test.forwarded, got, test.want)
		}
	}
}
