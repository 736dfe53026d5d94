package id_test

import (
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/id"
)

type kind struct{}

// Prefix implements [id.Kind].
func (kind) Prefix() string { return "rfd" }

// Each spelling is read back as it was written, and nothing else is taken for an
// id: no two texts of a spelling are the same one. What is none changes nothing,
// and is not repeated.
func FuzzID(f *testing.F) {
	for _, text := range []string{
		"", "rfd_", "rfd_06e40bvx550000000000000004", "rfd_06e40bvx550000000000000005", "pay_06e40bvx550000000000000004",
		"rfd_06E40BVX550000000000000004", "rfd_0000000000000000000000\r000", "rfd_00000000000000000000000000",
		"019c40af-7d29-4000-8000-000000000001", "019C40AF-7D29-4000-8000-000000000001", "019c40af-7d29-4000-8000-00000000000-",
		"{19c40af-7d29-4000-8000-00000000000}", "0", "00", "-1", "+1", "1_000", "340282366920938463463374607431768211455",
		"340282366920938463463374607431768211456", "ps_17", "ps_", "_17", "ps_1_7", "rfd_17", "１２",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		before := id.ID[kind]{0xaa, 15: 0xbb}
		for name, spelling := range map[string]struct {
			parse func(*id.ID[kind], string) error
			spell func(id.ID[kind]) string
		}{
			"ours":    {(*id.ID[kind]).Parse, id.ID[kind].String},
			"decimal": {(*id.ID[kind]).ParseDecimal, id.ID[kind].Decimal},
			"UUID":    {(*id.ID[kind]).ParseUUID, func(i id.ID[kind]) string { return sameCase(i.UUID(), text) }},
			"any":     {id.ParseAny[kind], func(i id.ID[kind]) string { return anyOf(i, text) }},
		} {
			read := before
			err := spelling.parse(&read, text)
			switch {
			case err != nil && (read != before || err.Error() != "not an id"):
				t.Errorf("%s: %q is %s beside %v", name, text, read.UUID(), err)
			case err == nil && spelling.spell(read) != text:
				t.Errorf("%s: %q is spelled %q", name, text, spelling.spell(read))
			}
		}
		var read id.ID[kind]
		if err := read.UnmarshalText([]byte(text)); err == nil {
			if again, _ := read.MarshalText(); string(again) != text && !read.IsZero() {
				t.Errorf("%q is written %q", text, again)
			}
		}
	})
}

// sameCase returns a UUID with its letters as large as those of a text.
func sameCase(uuid, text string) string {
	if strings.EqualFold(uuid, text) && len(uuid) == len(text) {
		return text
	}
	return uuid
}

// anyOf returns that spelling of an id which a text is.
func anyOf(i id.ID[kind], text string) string {
	if prefix, digits, ok := strings.Cut(text, "_"); ok && digits == i.Decimal() {
		return prefix + "_" + digits
	}
	if len(text) == len(i.String()) && text[3] == '_' {
		return i.String()
	}
	return sameCase(i.UUID(), text)
}

// Every id has three spellings, and is the one that each of them names.
func FuzzSpelling(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\x01\x9c\x40\xaf\x7d\x29\x40\x00\x80\x00\x00\x00\x00\x00\x00\x01"))
	f.Add([]byte(strings.Repeat("\xff", 16)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var want id.ID[kind]
		copy(want[:], raw)
		var ours, decimal, uuid id.ID[kind]
		if ours.Parse(want.String()) != nil || ours != want {
			t.Errorf("%s is read as %s", want, ours)
		}
		if decimal.ParseDecimal(want.Decimal()) != nil || decimal != want {
			t.Errorf("%s is read as %s", want.Decimal(), decimal)
		}
		if uuid.ParseUUID(want.UUID()) != nil || uuid != want {
			t.Errorf("%s is read as %s", want.UUID(), uuid)
		}
	})
}
