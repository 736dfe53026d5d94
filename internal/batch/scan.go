package batch

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Format is how rows are written.
type Format string

// The formats.
const (
	NDJSON Format = "ndjson" // a JSON object a line
	CSV    Format = "csv"    // RFC 4180, with a heading of members' names
)

// Formats lists every format.
var Formats = []Format{NDJSON, CSV}

// scanner reads rows from a stream. It holds one row at a time, and no more of
// it than a row may have.
type scanner struct {
	from    *bufio.Reader
	format  Format
	heading []string // of CSV
	isBegun bool
	text    []byte // of the row that was read last
	again   bytes.Reader
	fields  *bufio.Reader // over again, for the CSV reader
}

const (
	readBytes     = 64 << 10
	byteOrderMark = "\ufeff"
)

func newScanner(from io.Reader, format Format) *scanner {
	s := &scanner{from: bufio.NewReaderSize(from, readBytes), format: format}
	s.fields = bufio.NewReader(&s.again)
	return s
}

// What may be wrong with rows before they are read. A heading that is wrong is
// wrong for all of them.
var (
	errTooLong = wrong("has more than " + strconv.Itoa(RowBytesMax) + " bytes")
	errNotUTF8 = wrong("is not UTF-8")
	errHeading = errors.New("the heading")
)

// isRowFault reports whether an error is about one row only.
func isRowFault(err error) bool {
	_, ok := errors.AsType[Wrongs](err)
	return ok
}

// next returns the next row as a JSON text of its own; io.EOF after the last.
// [Wrongs] is about this row; after any other error there are no more.
func (s *scanner) next() ([]byte, error) {
	if s.format == CSV && s.heading == nil {
		if err := s.readHeading(); err != nil {
			return nil, err
		}
	}
	err := s.record()
	switch {
	case err != nil:
		return nil, err
	case s.format == CSV:
		return s.object()
	default:
		return bytes.Clone(s.text), nil
	}
}

// record reads the text of the next row; blank lines are none. The last line
// need not have an end of its own.
func (s *scanner) record() error {
	for {
		err := s.line()
		switch {
		case err == nil && len(s.text) == 0:
		case errors.Is(err, io.EOF) && len(s.text) > 0:
			return nil
		default:
			return err
		}
	}
}

// line reads up to the end of a line. In CSV, a line that ends inside quotes
// goes on in the next. What is too long is read over.
func (s *scanner) line() error {
	s.text = s.text[:0]
	isQuoted, isLong := false, false
	for {
		piece, err := s.from.ReadSlice('\n')
		if s.format == CSV && bytes.Count(piece, []byte{'"'})%2 == 1 {
			isQuoted = !isQuoted
		}
		if isLong = isLong || len(s.text)+len(piece) > RowBytesMax+len("\r\n"); !isLong {
			s.text = append(s.text, piece...)
		}
		if errors.Is(err, bufio.ErrBufferFull) || err == nil && isQuoted {
			continue
		}
		s.trim()
		if isLong || len(s.text) > RowBytesMax {
			s.text = s.text[:0]
			if err == nil || errors.Is(err, io.EOF) {
				return errTooLong
			}
		}
		return err
	}
}

// trim leaves out what is around a row: the end of its line, in JSON all space
// too, and before the first row what some programs put there.
func (s *scanner) trim() {
	if !s.isBegun {
		s.isBegun = true
		s.text = bytes.TrimPrefix(s.text, []byte(byteOrderMark))
	}
	if s.format == CSV {
		s.text = bytes.TrimRight(s.text, "\r\n")
	} else {
		s.text = bytes.TrimSpace(s.text)
	}
}

// readHeading reads which member each column is.
func (s *scanner) readHeading() error {
	err := s.record()
	if err != nil {
		if errors.Is(err, io.EOF) {
			return err // nothing at all: no rows
		}
		if isRowFault(err) {
			return fmt.Errorf("%w is too long", errHeading)
		}
		return err
	}
	heading, err := s.cells()
	if err != nil {
		return fmt.Errorf("%w is no CSV", errHeading)
	}
	for i, name := range heading {
		heading[i] = strings.TrimSpace(name)
		switch {
		case !slices.Contains(Members, heading[i]):
			return fmt.Errorf("%w has a column that is not known here: column %d", errHeading, i+1)
		case slices.Contains(heading[:i], heading[i]):
			return fmt.Errorf("%w has two columns of one name: column %d", errHeading, i+1)
		}
	}
	s.heading = heading
	return nil
}

// Rest returns what comes behind so many rows of a stream, as an upload that
// goes on has to send it: in CSV, behind the heading.
func Rest(from io.Reader, format Format, rows int64) (io.Reader, error) {
	s := newScanner(from, format)
	if rows == 0 {
		return s.from, nil
	}
	var heading []byte
	if format == CSV {
		if err := s.readHeading(); err != nil {
			return nil, err
		}
		heading = append(bytes.Clone(s.text), '\n')
	}
	for range rows {
		if err := s.record(); err != nil && !isRowFault(err) {
			return nil, fmt.Errorf("there are fewer than %d rows: %w", rows, err)
		}
	}
	return io.MultiReader(bytes.NewReader(heading), s.from), nil
}

// cells splits the text of a row.
func (s *scanner) cells() ([]string, error) {
	s.again.Reset(s.text)
	s.fields.Reset(&s.again)
	reader := csv.NewReader(s.fields) // which takes the buffer over
	reader.FieldsPerRecord = -1
	return reader.Read()
}

// object turns a row of CSV into the JSON object that says the same: an empty
// cell is absent, numbers are numbers, items and metadata are JSON already.
func (s *scanner) object() ([]byte, error) {
	if !utf8.Valid(s.text) {
		return nil, errNotUTF8
	}
	cells, err := s.cells()
	if broken, ok := errors.AsType[*csv.ParseError](err); ok {
		return nil, wrong("is no CSV: " + broken.Err.Error())
	}
	if err != nil {
		return nil, wrong("is no CSV")
	}
	if len(cells) > len(s.heading) {
		return nil, wrong("has more cells than the heading")
	}
	text := []byte{'{'}
	for i, cell := range cells {
		if cell == "" {
			continue
		}
		if len(text) > 1 {
			text = append(text, ',')
		}
		text = append(append(append(text, '"'), s.heading[i]...), '"', ':')
		text = append(text, valueOf(s.heading[i], cell)...)
	}
	return append(text, '}'), nil
}

var isNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)

// valueOf returns a cell as JSON. What is not what its member needs stays a
// text, which is refused as it would be in JSON.
func valueOf(member, cell string) []byte {
	isJSON := false
	switch member {
	case "amount":
		isJSON = isNumber.MatchString(cell)
	case "full":
		isJSON = cell == "true" || cell == "false"
	case "items", "metadata":
		isJSON = json.Valid([]byte(cell))
	}
	if isJSON {
		return []byte(cell)
	}
	text, err := json.Marshal(cell)
	if err != nil {
		panic("batch: a text that is no JSON") // it was found to be UTF-8
	}
	return text
}
