package auth_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/fault"
)

// unheard must not come back in an error.
const unheard = "hunter2hunter2"

// A secret that is taken is the bytes that were meant, in their one spelling, and
// is what deliveries are signed with; an error does not repeat it.
func FuzzParseEndpointSecret(f *testing.F) {
	spell := func(raw string) string { return "whsec_" + base64.StdEncoding.EncodeToString([]byte(raw)) }
	for _, text := range []string{
		"", "whsec_", spell(strings.Repeat("k", 24)), spell(strings.Repeat("k", 64)), spell(strings.Repeat("k", 65)), spell(strings.Repeat("k", 23)),
		spell(strings.Repeat("k", 32))[6:], spell("rotated:" + strings.Repeat("k", 24)), spell(`rotated:{"current":"AAAA"}`), unheard,
		spell(strings.Repeat("k", 32)) + "\n", "whsec_" + spell(strings.Repeat("k", 32)), spell(strings.Repeat("k", 25))[:39] + "B",
		strings.Replace(spell(strings.Repeat("k", 25)), "w==", "x==", 1),
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		raw, err := auth.ParseEndpointSecret(auth.Secret(text))
		if err != nil {
			if raw != nil || fault.CodeOf(err) != fault.Invalid || strings.Contains(err.Error(), unheard) {
				t.Errorf("%q: %x beside %v", text, raw, err)
			}
			return
		}
		if len(raw) < 24 || len(raw) > 64 || strings.TrimPrefix(text, "whsec_") != base64.StdEncoding.EncodeToString(raw) {
			t.Errorf("%q is %d bytes", text, len(raw))
		}
		if signing, err := auth.SecretsOf(raw, time.Now()); err != nil || len(signing) != 1 || !bytes.Equal(signing[0], raw) {
			t.Errorf("%q signs with %q: %v", text, signing, err)
		}
	})
}

// Where a webhook is to go there is a host, nobody's password, and no part of the
// error.
func FuzzCheckURL(f *testing.F) {
	for _, text := range []string{
		"", "https://shop.example/refunds?a=b", "http://:80/", "https://a:b@c/", "https://c/#x", "HTTPS://c", "https:c", "https:///x", "//c",
		"https://" + unheard + ".example:x/", "https://[::1]/", "https://[/", "https://c/%zz", "https://c/\x7f", "https://c/\xff", "https://c:", "javascript:x",
		"https://c/" + strings.Repeat("x", 3000),
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if err := auth.CheckURL(text); err != nil {
			if fault.CodeOf(err) != fault.Invalid || strings.Contains(err.Error(), unheard) {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		to, err := url.Parse(text)
		if err != nil || to.Hostname() == "" || to.User != nil || to.Scheme != "http" && to.Scheme != "https" {
			t.Errorf("%q goes to %q: %v", text, to, err)
		}
		if _, err := http.NewRequest(http.MethodPost, text, nil); err != nil { //nolint:noctx // it is never sent
			t.Errorf("%q cannot be asked: %v", text, err)
		}
	})
}

// Of all bytes only those open that were sealed for this row; the key itself is
// read as it was written, or not at all and unsaid.
func FuzzKeyring(f *testing.F) {
	keyring, err := auth.NewKeyring()
	if err != nil {
		f.Fatal(err)
	}
	sealed, err := keyring.Seal([]byte("secret"), []byte("row"))
	if err != nil {
		f.Fatal(err)
	}
	for _, bad := range [][]byte{nil, sealed, sealed[:5], sealed[:len(sealed)-1], append(bytes.Clone(sealed), 0), []byte(unheard), []byte("{}")} {
		f.Add(bad, []byte("row"))
		f.Add(bad, []byte("another"))
	}
	f.Add(keyring.Bytes(), []byte{})
	f.Fuzz(func(t *testing.T, text, row []byte) {
		secret, err := keyring.Open(text, row)
		isGood := bytes.Equal(text, sealed) && string(row) == "row"
		if isGood != (err == nil) || isGood != (string(secret) == "secret") || err != nil && !errors.Is(err, auth.ErrSealed) {
			t.Errorf("%x of %q opens as %q: %v", text, row, secret, err)
		}
		read, err := auth.ParseKeyring(text)
		if err != nil {
			if read != nil || strings.Contains(err.Error(), unheard) {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		if again, err := auth.ParseKeyring(read.Bytes()); err != nil || !bytes.Equal(again.Bytes(), read.Bytes()) {
			t.Errorf("%q is another key when it is written: %v", text, err)
		}
	})
}
