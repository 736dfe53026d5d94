package web_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/web"
	"github.com/refundry/refundry/internal/wire"
)

// Whatever a request says of itself, it comes from an address or from none, has an
// id that can be logged, and a clean path; and without a proxy that is trusted it
// comes from where the connection does.
func FuzzFrame(f *testing.F) {
	for _, said := range []string{
		"", "198.51.100.1", "10.0.0.1, 198.51.100.1", "[2001:db8::1]:80", "fe80::1%\x00", "unknown,", ",,,", "1.2.3.4:99999", "::ffff:1.2.3.4", "[1.2.3.4]",
	} {
		f.Add("10.0.0.1:4711", said, "req_1", "/v1//payments/")
		f.Add("203.0.113.7:4711", said, "a\nb", "/../x")
		f.Add("@", said, strings.Repeat("x", 65), "//")
		f.Add("[fd00::1%eth0]:1", said, "\x1b", "/%2f/a/./b")
	}
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	f.Fuzz(func(t *testing.T, remote, said, id, path string) {
		to, err := url.ParseRequestURI("/" + strings.TrimPrefix(path, "/"))
		if err != nil {
			return
		}
		serve := func(trusted []netip.Prefix) (address, known string) {
			handler := web.Wrap(web.Config{
				Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					address, known = wire.Address(r.Context()), wire.RequestID(r.Context())
					if !strings.HasPrefix(r.URL.Path, "/") || strings.Contains(r.URL.EscapedPath(), "//") {
						t.Errorf("%q is served as %q", path, r.URL.Path)
					}
				}),
				Hold:    func(ctx context.Context) (context.Context, func()) { return ctx, func() {} },
				Trusted: trusted, NewID: func() string { return "req_new" }, Machine: time.Now,
				Log: slog.New(slog.DiscardHandler), Metrics: unmeasured{},
			})
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			r.URL, r.RemoteAddr = to, remote
			r.Header["X-Forwarded-For"], r.Header["X-Request-Id"] = []string{said}, []string{id}
			handler.ServeHTTP(httptest.NewRecorder(), r)
			return address, known
		}
		direct, _ := serve(nil)
		address, known := serve(proxies)
		if !wire.IsVisible(known, 64) || known != id && known != "req_new" {
			t.Errorf("%q is logged as %q", id, known)
		}
		for _, text := range []string{direct, address} {
			if from, err := netip.ParseAddr(text); text != "" && (err != nil || from.String() != text || from.Zone() != "" || from.Is4In6()) {
				t.Errorf("%q that says %q comes from %q", remote, said, text)
			}
		}
		from, _ := netip.ParseAddr(direct)
		isTrusted := proxies[0].Contains(from) || proxies[1].Contains(from)
		if !isTrusted && address != direct || (direct == "") != (address == "") {
			t.Errorf("%q that says %q comes from %q, and not from %q", remote, said, address, direct)
		}
	})
}
