package main

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// lines writes a file as the server takes it: NDJSON, each payment in the line
// in which it begins in the file. What cannot be told so is given to bad.
type lines interface {
	writeTo(to io.Writer, bad func(imported) error) error
}

// byteOrderMark is what some programs put before a text.
const byteOrderMark = "\ufeff"

// withoutMark leaves a byte order mark out.
func withoutMark(file io.Reader) io.Reader {
	buffered := bufio.NewReader(file)
	if first, _ := buffered.Peek(len(byteOrderMark)); string(first) == byteOrderMark {
		_, _ = buffered.Discard(len(byteOrderMark)) // they are there
	}
	return buffered
}

// jsonLines are NDJSON already.
type jsonLines struct{ file io.Reader }

func (l jsonLines) writeTo(to io.Writer, _ func(imported) error) error {
	_, err := io.Copy(to, withoutMark(l.file))
	return err
}

// csvLines are CSV with a heading. "method.brand" is a member of method;
// empty is absent; amounts are numbers; lists and objects are JSON.
type csvLines struct{ file io.Reader }

func (l csvLines) writeTo(to io.Writer, bad func(imported) error) error {
	rows := csv.NewReader(withoutMark(l.file))
	rows.FieldsPerRecord = -1
	header, err := rows.Read()
	if err != nil {
		return fmt.Errorf("the CSV file has no heading: %w", err)
	}
	if !utf8.ValidString(strings.Join(header, "")) {
		return errors.New("the CSV file is not UTF-8")
	}
	if at := doubled(header); at > 0 {
		return fmt.Errorf("the CSV file has two columns for one member: column %d", at)
	}
	written := 0 // lines
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		line, wrong := 0, ""
		if broken, ok := errors.AsType[*csv.ParseError](err); ok {
			line, wrong = broken.StartLine, "is no CSV: "+broken.Err.Error()
		} else if err != nil {
			return fmt.Errorf("CSV: %w", err)
		} else if line, _ = rows.FieldPos(0); len(row) > len(header) {
			wrong = "has more fields than the heading"
		} else if !utf8.ValidString(strings.Join(row, "")) {
			wrong = "is not UTF-8" // JSON would have other letters in the place of these
		}
		if wrong != "" {
			if err := bad(imported{Line: line, Error: &lineError{Code: "malformed_line", Detail: wrong}}); err != nil {
				return err
			}
			continue
		}
		text, err := json.Marshal(paymentOf(header, row))
		if err != nil {
			return err
		}
		missing := strings.Repeat("\n", line-written-1)
		if _, err := fmt.Fprintf(to, "%s%s\n", missing, text); err != nil {
			return err
		}
		written = line
	}
}

// doubled returns the first column, from 1 on, for a member that an earlier
// column is for, as a whole or in part; 0: there is none. A cell would be lost.
func doubled(header []string) int {
	for i, name := range header {
		name = strings.TrimSpace(name)
		outer, _, isNested := strings.Cut(name, ".")
		for _, other := range header[:i] {
			other = strings.TrimSpace(other)
			before, _, wasNested := strings.Cut(other, ".")
			if name == other || outer == before && isNested != wasNested {
				return i + 1
			}
		}
	}
	return 0
}

// paymentOf turns a row of CSV into a payment.
func paymentOf(header, row []string) map[string]any {
	payment := map[string]any{}
	for i, text := range row {
		name := strings.TrimSpace(header[i])
		if text == "" {
			continue
		}
		outer, inner, isNested := strings.Cut(name, ".")
		if !isNested {
			payment[name] = valueOf(name, text)
			continue
		}
		members, ok := payment[outer].(map[string]any)
		if !ok {
			members = map[string]any{}
			payment[outer] = members
		}
		members[inner] = text
	}
	return payment
}

// valueOf reads a field. What is no number where one is needed stays a text,
// which the server refuses.
func valueOf(name, text string) any {
	if number, err := strconv.ParseInt(text, 10, 64); err == nil && name == "amount" {
		return number
	}
	if strings.ContainsAny(text[:1], "[{") && json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	return text
}
