package dialect_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/dialect"
	"github.com/refundry/refundry/internal/wire"
)

// Whatever a caller says of where it has reached us, what others are told is a
// scheme and a host, and nothing else.
func FuzzOrigin(f *testing.F) {
	for _, host := range []string{
		"", "example.com", "example.com:8080", "[::1]:80", "a@b", "a/b", "a?b", "a#b", "a b", "\"", "a\r\nb", "é", "a%zz", "[::1", "4242424242424242", ":80",
	} {
		f.Add(host, "https")
		f.Add(host, "HTTP , https")
		f.Add(host, "javascript")
	}
	f.Fuzz(func(t *testing.T, host, forwarded string) {
		origin := dialect.Origin(&http.Request{Host: host, Header: http.Header{"X-Forwarded-Proto": {forwarded}}})
		to, err := url.Parse(origin)
		if err != nil || to.Scheme != "http" && to.Scheme != "https" || to.Hostname() == "" || to.User != nil || to.Path != "" ||
			to.RawQuery != "" || to.Fragment != "" || !wire.IsVisible(origin, 300) || to.Host != host && to.Host != "localhost" {
			t.Errorf("%q by %q is %q: %v", host, forwarded, origin, err)
		}
	})
}

// A path has the slashes that were sent as slashes, and no others: what is part of a
// name stays part of it.
func FuzzPath(f *testing.F) {
	for _, sent := range []string{"/", "/a/b", "/a%2fb", "/a%2Fb/c", "/%252f", "/a%20b", "/%zz", "/a%00", "//", "/a%2", "/é", "/%c3%a9%2F"} {
		f.Add(sent)
	}
	f.Fuzz(func(t *testing.T, sent string) {
		to, err := url.ParseRequestURI(sent)
		if err != nil {
			return
		}
		path := dialect.Path(&http.Request{URL: to})
		escaped := to.EscapedPath()
		if strings.Count(path, "/") != strings.Count(escaped, "/") {
			t.Errorf("%q is the path %q", sent, path)
		}
		if !strings.Contains(strings.ToLower(escaped), "%2f") && path != to.Path {
			t.Errorf("%q is the path %q, want %q", sent, path, to.Path)
		}
	})
}
