package report

import (
	"bufio"
	"encoding/json"
	"strings"

	"github.com/refundry/refundry/internal/wire"
)

// sheet writes rows in one of the formats.
type sheet struct {
	to      *bufio.Writer
	format  Format
	columns []Column
	line    []byte
}

// header writes the names of columns. Lines of JSON have them in every row.
func (s *sheet) header() error {
	if s.format == NDJSON {
		return nil
	}
	s.line = s.line[:0]
	for i, c := range s.columns {
		s.line = appendField(s.line, i, c.Name)
	}
	return s.end("\r\n")
}

// row writes a row, which has a cell for each column.
func (s *sheet) row(cells []string) error {
	s.line = s.line[:0]
	if s.format == NDJSON {
		s.line = append(s.line, '{')
		for i, c := range s.columns {
			s.line = appendMember(s.line, i, c, cells[i])
		}
		return s.end("}\n")
	}
	for i, c := range s.columns {
		cell := cells[i]
		if c.Kind == Text {
			cell = wire.Cell(cell)
		}
		s.line = appendField(s.line, i, cell)
	}
	return s.end("\r\n")
}

func (s *sheet) end(with string) error {
	s.line = append(s.line, with...)
	_, err := s.to.Write(s.line)
	return err
}

// appendField adds a field of CSV (RFC 4180). It is quoted where it must be, and
// nothing in it changes.
func appendField(line []byte, at int, text string) []byte {
	if at > 0 {
		line = append(line, ',')
	}
	if !strings.ContainsAny(text, "\",\r\n") && strings.TrimSpace(text) == text {
		return append(line, text...)
	}
	line = append(line, '"')
	line = append(line, strings.ReplaceAll(text, `"`, `""`)...)
	return append(line, '"')
}

// appendMember adds a member of a line of JSON. What is not there is null.
func appendMember(line []byte, at int, c Column, cell string) []byte {
	if at > 0 {
		line = append(line, ',')
	}
	line = append(append(append(line, '"'), c.Name...), '"', ':')
	switch {
	case cell == "":
		return append(line, "null"...)
	case c.Kind == Number || c.Kind == Flag:
		return append(line, cell...)
	default:
		text, err := json.Marshal(cell)
		if err != nil {
			panic("report: a text that is not JSON")
		}
		return append(line, text...)
	}
}
