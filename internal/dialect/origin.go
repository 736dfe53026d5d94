package dialect

import (
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/refundry/refundry/internal/wire"
)

// unknownHost stands for a host that cannot be part of a URL for others.
const unknownHost = "localhost"

// Origin returns where a caller has reached us, as in "https://example.com",
// for URLs that are given to others. A proxy that ends TLS says so in
// X-Forwarded-Proto.
func Origin(r *http.Request) string {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	first, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Proto"), ",") // each proxy may add its own
	if forwarded := strings.ToLower(strings.TrimSpace(first)); forwarded == "http" || forwarded == "https" {
		scheme = forwarded
	}
	if !isPlainHost(r.Host) {
		return scheme + "://" + unknownHost
	}
	return scheme + "://" + r.Host
}

// isPlainHost reports whether a request's host is one that can be part of a
// URL for others: a name or address, with or without a port.
func isPlainHost(host string) bool {
	const hostMax = 255
	to, err := url.Parse("http://" + host + "/")
	return err == nil && to.Host == host && to.Hostname() != "" && to.Path == "/" && wire.IsVisible(host, hostMax) &&
		utf8.ValidString(host) && !strings.ContainsAny(host, `"'<>%`) && !wire.HasCardNumber(host)
}
