package payment_test

import (
	"testing"

	"github.com/refundry/refundry/internal/payment"
)

// A place is spelled in one way, and only the empty text is the beginning: who
// goes on from anything else goes on behind something.
func FuzzParsePlace(f *testing.F) {
	for _, text := range []string{
		"", "0-", "64c3d0f3e9d40-019c40af7d2940008000000000000001", "64c3d0f3e9d40-019C40AF7D2940008000000000000001",
		"064c3d0f3e9d40-019c40af7d2940008000000000000001", "-1-019c40af7d2940008000000000000001", "+1-00", " 1-00",
		"-dcbffeff2bc000-00000000000000000000000000000000", "7fffffffffffffff-ffffffffffffffffffffffffffffffff",
		"64c3d0f3e9d40-019c40af7d2940008000000000000001\n", "1_0-019c40af7d2940008000000000000001", "1-1-1",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		place, ok := payment.ParsePlace(text)
		isBeginning := place.At.IsZero()
		if ok && (isBeginning != (text == "") || !isBeginning && place.String() != text) {
			t.Errorf("%q is %v", text, place)
		}
	})
}

// The same of a place in the feed.
func FuzzParseCursor(f *testing.F) {
	for _, text := range []string{
		"", "0-0", "1-0", "1-", "-1-0", "1--1", "01-0", "1-00", "A-0", "a-1f", "7fffffffffffffff-7fffffffffffffff",
		"8000000000000000-0", "0x1-0", "1-0x", "1-0\n", " 1-0", "1_1-0",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		cursor, ok := payment.ParseCursor(text)
		isBeginning := cursor == payment.Cursor{}
		if ok && (isBeginning != (text == "") || !isBeginning && cursor.String() != text || cursor.Commit < 0 || cursor.Index < 0) {
			t.Errorf("%q is %v", text, cursor)
		}
	})
}

// The same of a place in the books.
func FuzzParseEntryPlace(f *testing.F) {
	for _, text := range []string{
		"", "0-0-00000000000000000000000000000000", "1-2-019c40af7d2940008000000000000001", "1-2-019c", "1--2-019c40af7d2940008000000000000001",
		"1-2-019C40af7d2940008000000000000001", "-1-0-019c40af7d2940008000000000000001", "1-2-019c40af7d29400080000000000000017",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		place, ok := payment.ParseEntryPlace(text)
		isBeginning := place == payment.EntryPlace{}
		if ok && (isBeginning != (text == "") || !isBeginning && place.String() != text || place.Commit < 0 || place.Version < 0) {
			t.Errorf("%q is %v", text, place)
		}
	})
}
