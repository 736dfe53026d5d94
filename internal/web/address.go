package web

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// address returns the IP address that a request came from; empty if it did not
// come over the network, as over the operator's socket. What a proxy says of
// who asked it is believed of proxies that are trusted, and of no others:
// anybody can send the header.
func address(r *http.Request, trusted []netip.Prefix) string {
	from, ok := parseAddress(r.RemoteAddr)
	if !ok {
		return ""
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		if !slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(from) }) {
			break
		}
		before, ok := parseAddress(strings.TrimSpace(hop))
		if !ok {
			break // the proxy that we trust says nothing that can be read
		}
		from = before
	}
	return from.String()
}

// parseAddress reads an address with or without a port; one of IPv6 may stand in
// brackets without a port, too.
func parseAddress(text string) (netip.Addr, bool) {
	withPort, err := netip.ParseAddrPort(text)
	address := withPort.Addr()
	if err != nil {
		inner, isOpen := strings.CutPrefix(text, "[")
		inner, isClosed := strings.CutSuffix(inner, "]")
		if address, err = netip.ParseAddr(inner); err != nil || isOpen != isClosed || isOpen && address.Is4() {
			return netip.Addr{}, false
		}
	}
	return address.Unmap().WithZone(""), true
}
