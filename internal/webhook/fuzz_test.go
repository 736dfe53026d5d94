package webhook_test

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/refundry/refundry/internal/webhook"
	"github.com/refundry/refundry/internal/wire"
)

// Of what a receiver answers its beginning is kept, as a text that every store
// keeps alike, and never a card number.
func FuzzLoggable(f *testing.F) {
	for _, answer := range []string{
		"", "ok", "\xff\x00\xfe", "4242424242424242", "4242\x004242\x004242\x004242", "4242\xff424242424242", strings.Repeat("é", 3000),
		strings.Repeat("x", 4080) + "42424242424242420000", strings.Repeat("x", 4090) + "4242 4242 4242 4242",
	} {
		f.Add([]byte(answer))
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		kept := webhook.Loggable(answer)
		if !utf8.ValidString(kept) || strings.ContainsRune(kept, 0) || wire.HasCardNumber(kept) || utf8.RuneCountInString(kept) > 4096 {
			t.Errorf("%q is kept as %q", answer, kept)
		}
	})
}

// A receiver can put an attempt off by a day at the most, and never into the past.
func FuzzRetryAfter(f *testing.F) {
	for _, text := range []string{
		"", "0", "1", "-1", "86401", "9223372036854775807", "-9223372036854775808", "-10000000000", "1e3", "soon", "Wed, 21 Oct 2099 07:28:00 GMT",
		"Sunday, 01-Mar-26 13:00:00 GMT", "Mon, 01 Jan 0001 00:00:00 GMT",
	} {
		f.Add(text)
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		pause := webhook.RetryAfter(text, now)
		seconds, err := strconv.ParseInt(text, 10, 64)
		isWrong := err == nil && pause != time.Duration(min(max(seconds, 0), 86_400))*time.Second
		if pause < 0 || pause > 24*time.Hour || isWrong {
			t.Errorf("%q is %s", text, pause)
		}
	})
}

// A URL that names an address which is nobody else's is not reached, however it is
// spelled.
func FuzzReach(f *testing.F) {
	for _, host := range []string{
		"127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "[fe80::1%25eth0]", "localhost", "LOCALHOST", "10.0.0.1:80", "192.168.1.1", "169.254.169.254", "0.0.0.0",
		"203.0.114.1", "[::ffff:10.1.1.1]:443", "[64:ff9b::7f00:1]", "shop.example", "[fd00::1]", "100.64.0.1", "[::]", "8.8.8.8",
	} {
		f.Add("https://" + host + "/")
	}
	reaches, all := webhook.NewReach(nil), webhook.NewReach([]netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")})
	f.Fuzz(func(t *testing.T, text string) {
		to, err := url.Parse(text)
		if err != nil {
			return
		}
		address, err := netip.ParseAddr(to.Hostname())
		if err != nil {
			return
		}
		address = address.WithZone("").Unmap()
		isOurs := address.IsLoopback() || address.IsPrivate() || address.IsLinkLocalUnicast() || address.IsUnspecified() || address.IsMulticast()
		if isOurs && reaches(text) {
			t.Errorf("%q is reached", text)
		}
		if reaches(text) && !all(text) {
			t.Errorf("%q is reached only if nothing is allowed", text)
		}
	})
}
