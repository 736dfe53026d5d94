package web_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/web"
	"github.com/refundry/refundry/internal/wire"
)

type unmeasured struct{}

func (unmeasured) Served(string, int, time.Duration) {}

// A caller's address is where the connection comes from; of proxies that are
// trusted, and of no others, what they say of who asked them is believed.
func TestAddressOfTheCaller(t *testing.T) {
	t.Parallel()
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for name, try := range map[string]struct {
		trusted []netip.Prefix
		remote  string
		said    []string
		want    string
	}{
		"nothing is said":                  {proxies, "203.0.113.7:4711", nil, "203.0.113.7"},
		"nobody is trusted":                {nil, "10.0.0.1:4711", []string{"198.51.100.1"}, "10.0.0.1"},
		"a caller who lies":                {proxies, "203.0.113.7:4711", []string{"198.51.100.1"}, "203.0.113.7"},
		"a proxy":                          {proxies, "10.0.0.1:4711", []string{"198.51.100.1"}, "198.51.100.1"},
		"a caller who lies to the proxy":   {proxies, "10.0.0.1:4711", []string{"192.0.2.9, 198.51.100.1"}, "198.51.100.1"},
		"two proxies":                      {proxies, "10.0.0.1:4711", []string{"192.0.2.9, 198.51.100.1, 10.0.0.2"}, "198.51.100.1"},
		"two headers":                      {proxies, "10.0.0.1:4711", []string{"192.0.2.9", "198.51.100.1"}, "198.51.100.1"},
		"only proxies":                     {proxies, "10.0.0.1:4711", []string{"10.0.0.3,10.0.0.2"}, "10.0.0.3"},
		"a proxy that says nonsense":       {proxies, "10.0.0.1:4711", []string{"192.0.2.9, unknown"}, "10.0.0.1"},
		"a proxy that says nothing":        {proxies, "10.0.0.1:4711", nil, "10.0.0.1"},
		"ports and brackets":               {proxies, "[fd00::1]:4711", []string{"[2001:db8::1]:80"}, "2001:db8::1"},
		"an IPv4 address spelled as IPv6":  {proxies, "[::ffff:10.0.0.1]:4711", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		"brackets that are no IPv6's":      {proxies, "10.0.0.1:4711", []string{"[[[1.2.3.4]]]"}, "10.0.0.1"},
		"brackets around IPv4":             {proxies, "10.0.0.1:4711", []string{"[1.2.3.4]"}, "10.0.0.1"},
		"a bracket":                        {proxies, "10.0.0.1:4711", []string{"[2001:db8::1"}, "10.0.0.1"},
		"brackets without a port":          {proxies, "10.0.0.1:4711", []string{"[2001:db8::1]"}, "2001:db8::1"},
		"the operator's socket":            {proxies, "@", []string{"198.51.100.1"}, ""},
		"a zone that only this host knows": {nil, "[fe80::1%eth0]:4711", nil, "fe80::1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := "not asked"
			handler := web.Wrap(web.Config{
				Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = wire.Address(r.Context()) }),
				Hold:    func(ctx context.Context) (context.Context, func()) { return ctx, func() {} },
				Trusted: try.trusted, NewID: func() string { return "req_1" }, Machine: time.Now,
				Log: slog.New(slog.DiscardHandler), Metrics: unmeasured{},
			})
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			r.RemoteAddr = try.remote
			r.Header["X-Forwarded-For"] = try.said
			handler.ServeHTTP(httptest.NewRecorder(), r)
			if got != try.want {
				t.Errorf("it comes from %q, want %q", got, try.want)
			}
		})
	}
}
