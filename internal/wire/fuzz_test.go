package wire_test

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/refundry/refundry/internal/wire"
)

// What we take as JSON is read as encoding/json reads it, and nothing is refused
// but what is no JSON, or is on the list of [wire.ErrJSON].
func FuzzParse(f *testing.F) {
	for _, body := range []string{
		"", " ", "null", "true ", "-0", "01", "1.", "1e", "-12.5e+3", "9223372036854775808", `"a\u00e9\n\/"`, `"\ud83d\ude00"`,
		`"\ud83d"`, `"\u0000"`, `"\u"`, "\"\xff\"", "\"\t\"", `{"a":1,"b":[{}, [] ,null]}`, `{"a":1,"a":2}`, `{"a":1,"\u0061":2}`,
		`{"a":1,}`, `[1 2]`, "[1]x", "\ufeff{}", strings.Repeat("[", 65) + strings.Repeat("]", 65),
		strings.Repeat("[", 66) + strings.Repeat("]", 66), strings.Repeat("[", 10000),
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		sent := bytes.Clone(body)
		value, err := wire.Parse(body)
		if !bytes.Equal(sent, body) {
			t.Fatalf("%q was changed", sent)
		}
		if err != nil {
			if !errors.Is(err, wire.ErrJSON) || !reflect.DeepEqual(value, wire.Value{}) {
				t.Errorf("%q: %v beside %v", body, value, err)
			}
			if isPlainJSON(body) {
				t.Errorf("%q is refused", body)
			}
			return
		}
		decoder := json.NewDecoder(bytes.NewReader(body))
		decoder.UseNumber()
		var want any
		if err := decoder.Decode(&want); err != nil || !json.Valid(body) {
			t.Fatalf("%q is taken: %v", body, err)
		}
		if got := plain(value); !reflect.DeepEqual(got, want) {
			t.Errorf("%q is read as %v", body, got)
		}
		again, err := wire.Parse([]byte(value.Compact()))
		if err != nil || !reflect.DeepEqual(plain(again), want) || again.Compact() != value.Compact() {
			t.Errorf("%q is %q when it is compact: %v", body, value.Compact(), err)
		}
	})
}

// plain returns a value as encoding/json has it.
func plain(value wire.Value) any {
	switch value.Kind() {
	case wire.Bool:
		flag, _ := value.Bool()
		return flag
	case wire.Number:
		return json.Number(value.Raw())
	case wire.String:
		text, _ := value.Text()
		return text
	case wire.Array:
		list := []any{}
		for _, element := range value.Elements() {
			list = append(list, plain(element))
		}
		return list
	case wire.Object:
		members := map[string]any{}
		for _, name := range value.Names() {
			members[name] = plain(value.Get(name))
		}
		return members
	case wire.Absent, wire.Null:
	}
	return nil
}

var special = regexp.MustCompile(`\\u(0000|[dD][89a-fA-F])`)

// isPlainJSON reports whether a text is JSON with nothing in it that may be
// refused: it looks by other means than the parser.
func isPlainJSON(body []byte) bool {
	if !json.Valid(body) || !utf8.Valid(body) || special.Match(body) {
		return false
	}
	depth, names := 0, []map[any]bool{}
	isName := []bool{} // whether a text of the object at this depth would be a name
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	for {
		token, err := decoder.Token()
		if err != nil {
			return errors.Is(err, io.EOF)
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
			names, isName = append(names, map[any]bool{}), append(isName, token == json.Delim('{'))
			if depth > 64 {
				return false
			}
			continue
		case json.Delim('}'), json.Delim(']'):
			depth--
			names, isName = names[:depth], isName[:depth]
		default:
			if depth > 0 && isName[depth-1] && names[depth-1] != nil {
				if _, isText := token.(string); isText && names[depth-1][token] {
					return false
				}
				names[depth-1][token] = true
				isName[depth-1] = false
				continue
			}
		}
		if depth > 0 && !isName[depth-1] && len(names[depth-1]) > 0 {
			isName[depth-1] = true // a value has ended
		}
	}
}

// A number is whole if encoding/json reads it into an int64, and never otherwise.
func FuzzInt(f *testing.F) {
	for _, text := range []string{"0", "-0", "1.0", "1e2", "9007199254740991", "9223372036854775807", "9223372036854775808", `"1"`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		value, err := wire.Parse([]byte(text))
		if err != nil {
			return
		}
		number, ok := value.Int()
		var want int64
		isWhole := json.Unmarshal([]byte(text), &want) == nil && value.Is(wire.Number)
		if ok != isWhole || ok && number != want || !ok && number != 0 {
			t.Errorf("%q: %d, %t, want %d", text, number, ok, want)
		}
	})
}

// A card number is seen wherever it stands, and fewer than 13 digits are none.
func FuzzHasCardNumber(f *testing.F) {
	for _, text := range []string{
		"", "4242424242424242", "4242 4242-4242 4242", "42424242-4242-4242-4242-424242424242", "7", "- -", "\xff4242\x004242",
	} {
		f.Add(text, text)
	}
	f.Fuzz(func(t *testing.T, before, behind string) {
		for _, card := range []string{"4242424242424242", "4242-4242 4242-4242", "2223003122003222", "6011000990139424"} {
			if text := before + "x" + card + "x" + behind; !wire.HasCardNumber(text) {
				t.Errorf("%q", text)
			}
		}
		digits := 0
		for _, letter := range before {
			if letter >= '0' && letter <= '9' {
				digits++
			}
		}
		if has := wire.HasCardNumber(before); has && digits < 13 || has && !wire.HasCardNumber("x"+before+"x"+behind) {
			t.Errorf("%q has %d digits: %t", before, digits, has)
		}
		if value, err := wire.Parse(wire.Encode(map[string]any{"a": []any{before}})); err == nil && utf8.ValidString(before) &&
			value.HasCardNumber() != wire.HasCardNumber(before) {
			t.Errorf("%q in JSON: %t", before, value.HasCardNumber())
		}
	})
}

// A header names a person as it stands, or nobody.
func FuzzUser(f *testing.F) {
	for _, text := range []string{"", "anna@shop.example", "anna b", "4242424242424242", strings.Repeat("a", 256), "é", "\x00", "a\r\n"} {
		f.Add(text, false)
		f.Add(text, true)
	}
	f.Fuzz(func(t *testing.T, text string, isTwice bool) {
		header := http.Header{wire.HeaderUser: {text}}
		if isTwice {
			header.Add(wire.HeaderUser, text)
		}
		user, err := wire.User(header)
		switch {
		case err != nil && (user != "" || !errors.Is(err, wire.ErrUser) && !errors.Is(err, wire.ErrUserCardNumber)):
			t.Errorf("%q: %q beside %v", text, user, err)
		case err == nil && (user != text || isTwice || !wire.IsVisible(user, wire.UserMax) || wire.HasCardNumber(user)):
			t.Errorf("%q is taken as %q", text, user)
		}
	})
}

// A body arrives whole and as it was sent, or it is too large.
func FuzzBody(f *testing.F) {
	for _, limit := range []int64{0, 1, 5, 6, 4096} {
		f.Add([]byte("refund"), limit, true)
		f.Add([]byte("refund"), limit, false)
	}
	f.Fuzz(func(t *testing.T, body []byte, limit int64, tellsLength bool) {
		limit &= 1<<20 - 1
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
		if !tellsLength {
			r.ContentLength = -1
		}
		read, err := wire.Body(httptest.NewRecorder(), r, limit)
		switch isLarge := int64(len(body)) > limit; {
		case isLarge && (!errors.Is(err, wire.ErrTooLarge) || read != nil):
			t.Errorf("%d bytes of %d: %d, %v", len(body), limit, len(read), err)
		case !isLarge && (err != nil || !bytes.Equal(read, body)):
			t.Errorf("%q is read as %q, %v", body, read, err)
		}
	})
}

// aPublicKey is somebody's.
const aPublicKey = `-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAmwwn7TYrximgbPJgFqvK
aOlfHpZilTKS64e57aiGeP3OsF1Ptwx/OQK48VPTxDIRrAAkFDavpSZNY+Jf607P
ndDGvoQV+j6jC+K+xCuDgTXeliGH27FgCxyZ2xhm7YBycIyXfaaSROMBkkP8WCD0
q0+2Xo/sLmm8+Fd5ZtMS/QfUplnUOmXqBt2uXimQ0NSxk66JdU/wAzOzN/OeZG/t
wjHEcincYArKPDQfbKybu79+F0MsjfTei8V/CMBPVbFszpMocoG5pk3oD4OFI253
Xg2MjG7+yDjEq+7NTJboddapBLuRbEq5W09CoN4/DdzwEqzibPswmYS0rbfgxjho
AwIDAQAB
-----END PUBLIC KEY-----
`

// Somebody's key is of a length that can be verified with, or it is none; what
// was sent is not repeated.
func FuzzParseRSAPublicKey(f *testing.F) {
	whole, _ := pem.Decode([]byte(aPublicKey))
	f.Add([]byte(aPublicKey), false)
	f.Add(whole.Bytes, true)
	f.Add([]byte(strings.ReplaceAll(aPublicKey, "PUBLIC", "RSA PUBLIC")), false)
	f.Add([]byte("-----BEGIN PUBLIC KEY-----\n\n-----END PUBLIC KEY-----"), false)
	f.Add([]byte(""), true)
	f.Fuzz(func(t *testing.T, text []byte, isDER bool) {
		if isDER {
			text = pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: text})
		}
		key, err := wire.ParseRSAPublicKey(text)
		switch {
		case err != nil && (key != nil || err != wire.ErrRSAKey): //nolint:errorlint // it is that, and has nothing in it
			t.Errorf("%q: %v beside %v", text, key, err)
		case err == nil && (key.N.BitLen() < wire.RSABitsMin || key.N.BitLen() > wire.RSABitsMax):
			t.Errorf("%q is a key of %d bits", text, key.N.BitLen())
		case err == nil:
			wire.VerifyRSA(key, text, "AAAA") // whatever key it is
		}
	})
}

// A body has one signature, which is spelled in one way.
func FuzzVerifyRSA(f *testing.F) {
	private, _, err := wire.NewRSAKey()
	if err != nil {
		f.Fatal(err)
	}
	key, err := wire.ParseRSAPrivateKey(private)
	if err != nil {
		f.Fatal(err)
	}
	sign := func(body []byte) string {
		signature, err := wire.SignRSA(key, body)
		if err != nil {
			f.Fatal(err)
		}
		return signature
	}
	good := sign([]byte(`{"a":1}`))
	f.Add([]byte(`{"a":1}`), good)
	f.Add([]byte(`{"a":1}`), good+"\n")
	f.Add([]byte(`{"a":1}`), good[:len(good)-4])
	f.Add([]byte(`{"a":1}`), strings.TrimRight(good, "="))
	f.Add([]byte(`{"a":1}`), "")
	f.Add([]byte(`{"a":2}`), good)
	f.Fuzz(func(t *testing.T, body []byte, signature string) {
		want := sign(body)
		if got := wire.VerifyRSA(&key.PublicKey, body, signature); got != (signature == want) {
			t.Errorf("%q with %q: %t", body, signature, got)
		}
		if !wire.VerifyRSA(&key.PublicKey, body, want) || wire.VerifyRSA(&key.PublicKey, append(body, 'x'), want) {
			t.Errorf("%q: its own signature", body)
		}
	})
}
