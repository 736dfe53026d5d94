package batch

import (
	"errors"
	"io"
)

// Scan returns the texts of all rows; empty for those that are none.
func Scan(from io.Reader, format Format) ([]string, error) {
	var rows []string
	for s := newScanner(from, format); ; {
		text, err := s.next()
		switch {
		case errors.Is(err, io.EOF):
			return rows, nil
		case err != nil && !isRowFault(err):
			return rows, err
		default:
			rows = append(rows, string(text))
		}
	}
}
