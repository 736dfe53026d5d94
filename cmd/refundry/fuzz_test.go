package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/refundry/refundry/internal/service"
)

// Each row of a CSV file is told in the line in which it begins, with every cell
// as it stands, or it is a bad line with its number.
func FuzzImportCSV(f *testing.F) {
	for _, text := range []string{
		"", "\n", "amount,currency\n1,EUR\n\n\"2\",\"E\nUR\"\n3,SEK\n", "\ufeffamount, method.brand ,method.type\n01,visa,\n1,,\n",
		"a\n\"x\n", "a\nb\"c\nd\n", "a\n1,2\n3\n", "amount\n\xe9\n1\n", "\xbf\n0", "method,method.brand\nx,y\n", "a,a\n1,2\n", ".,a.b,a.b.c\n1,2,3\n",
		"items,metadata\n\"[{\"\"name\"\": 1}]\",{\n{},[1\n", "a\r\nb\r\n\r\nc\r", "amount\n9223372036854775808\n-0\n+1\n1e3\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var told bytes.Buffer
		bad := map[int]bool{}
		last := 0
		err := csvLines{strings.NewReader(text)}.writeTo(&told, func(line imported) error {
			if line.Line <= last || line.Error == nil || line.Error.Detail == "" {
				t.Errorf("%q: line %d is bad after %d", text, line.Line, last)
			}
			last, bad[line.Line] = line.Line, true
			return nil
		})
		if err != nil {
			return
		}
		reader := csv.NewReader(withoutMark(strings.NewReader(text)))
		reader.FieldsPerRecord = -1
		header, _ := reader.Read()
		lines := append([]string{""}, strings.Split(told.String(), "\n")...)
		for {
			row, err := reader.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			if broken, ok := errors.AsType[*csv.ParseError](err); ok {
				if !bad[broken.StartLine] {
					t.Errorf("%q: line %d is not bad", text, broken.StartLine)
				}
				continue
			}
			if line, _ := reader.FieldPos(0); !bad[line] {
				checkTold(t, header, row, lines[line])
				lines[line] = ""
			}
		}
		if slices.ContainsFunc(lines, func(line string) bool { return line != "" }) {
			t.Errorf("%q is told as %q", text, told.String())
		}
	})
}

// checkTold checks that a line says what the cells of its row say, and no more.
func checkTold(t *testing.T, header, row []string, line string) {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(line), &members); err != nil {
		t.Fatalf("%q is told as %q: %v", row, line, err)
	}
	for i, cell := range row {
		if cell == "" {
			continue
		}
		outer, inner, isNested := strings.Cut(strings.TrimSpace(header[i]), ".")
		raw := members[outer]
		if isNested {
			var nested map[string]json.RawMessage
			_ = json.Unmarshal(raw, &nested)
			raw = nested[inner]
		}
		var compact bytes.Buffer
		_ = json.Compact(&compact, []byte(cell)) // what is no JSON is a text
		var text string
		isText := json.Unmarshal(raw, &text) == nil && text == cell
		isNumber := outer == "amount" && strings.TrimLeft(cell, "+0") == strings.TrimLeft(string(raw), "0") || cell == "-0"
		if !isText && !isNumber && !sameJSON(compact.Bytes(), raw) {
			t.Errorf("%q of %q is told as %s", cell, header[i], raw)
		}
	}
}

// sameJSON reports whether two texts are the same JSON, whatever is escaped.
func sameJSON(a, b []byte) bool {
	var plainA, plainB bytes.Buffer
	json.HTMLEscape(&plainA, a)
	json.HTMLEscape(&plainB, b)
	return bytes.Equal(plainA.Bytes(), plainB.Bytes())
}

// Whatever a setting is set to on the command line can be sent, and means the text.
func FuzzSettingValue(f *testing.F) {
	var names []string
	for _, spec := range service.SettingSpecs() {
		names = append(names, spec.Name)
		for _, text := range []string{"", "true", "5", "a,b", "null", "{", `"x"`, "1e400", "\xff"} {
			f.Add(len(names)-1, text)
		}
	}
	f.Fuzz(func(t *testing.T, at int, text string) {
		name := names[int(uint(at)%uint(len(names)))]
		sent, err := json.Marshal(map[string]any{name: settingValue(name, text)})
		if err != nil {
			t.Fatalf("%s=%q: %v", name, text, err)
		}
		if list, isList := settingValue(name, text).([]string); isList && strings.Join(list, ",") != text {
			t.Errorf("%s=%q is sent as %s", name, text, sent)
		}
	})
}

// Whatever the server answers is printed without what a terminal would obey, or is
// an error.
func FuzzPrintAnswer(f *testing.F) {
	for _, text := range []string{
		"", "null", "{}", "[]", `{"rows":[{"id":"a\u001b[2J","kinds":["\u0007",{"a":"\u009b"}]},1],"has_more":true}`, `{"id":"\u001b]0;x\u0007","z":{"a":1e400}}`,
		`{"\u001b":1,"b":"a\r\nb","c":[[1]]}`, `{"a":{"` + "\u009b" + `":null}}`, `{"body":{"a":1},"x":"\ttab"}`, `{"a":1} x`,
	} {
		f.Add([]byte(text), true)
		f.Add([]byte(text), false)
	}
	f.Fuzz(func(t *testing.T, text []byte, isList bool) {
		var columns []string
		if isList {
			columns = []string{"id", "kinds", "body"}
		}
		var printed, said bytes.Buffer
		err := (&terminal{stdout: &printed, stderr: &said}).printAnswer(text, columns)
		if err == nil && len(text) > 0 && !json.Valid(text) {
			t.Errorf("%q is printed", text)
		}
		if bytes.Contains(text, []byte(`body`)) { // which is printed byte by byte
			return
		}
		if at := strings.IndexFunc(printed.String(), func(r rune) bool { return r != '\n' && unicode.IsControl(r) }); at >= 0 {
			t.Errorf("%q is printed as %q", text, printed.String())
		}
	})
}
