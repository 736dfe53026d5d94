package main

import (
	"fmt"
	"testing"
)

// Callers' addresses are never IPv4 spelled as IPv6: networks must not be, either.
func TestPrefixesAreAsAddressesAre(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"10.0.0.0/8": "[10.0.0.0/8]", "10.0.0.1": "[10.0.0.1/32]", "fd00::/8": "[fd00::/8]",
		"::ffff:127.0.0.0/104": "[127.0.0.0/8]", "::ffff:10.0.0.1": "[10.0.0.1/32]",
		"::ffff:0.0.0.0/90": "", "10.0.0.0/33": "", "x": "",
	} {
		prefixes, err := parsePrefixes("--proxies", []string{text})
		got := fmt.Sprint(prefixes)
		if (err != nil) != (want == "") || err == nil && got != want {
			t.Errorf("%s is %s, want %s: %v", text, got, want, err)
		}
	}
}
