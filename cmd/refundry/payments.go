package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
)

// paymentsCommand imports payments and shows them.
type paymentsCommand struct {
	Import paymentsImport `cmd:"" help:"Import payments that were made elsewhere, from NDJSON or CSV. Safe to run again."`
	Show   paymentsShow   `cmd:"" help:"Show a payment."`
}

type paymentsShow struct {
	operatorFlags

	ID string `arg:"" help:"pay_…"`
}

// Run implements the command.
func (c *paymentsShow) Run(ctx context.Context, t *terminal) error {
	return c.operate(ctx, t, http.MethodGet, "/v1/payments/"+c.ID, nil)
}

type paymentsImport struct {
	operatorFlags

	File   string `arg:"" type:"existingfile" help:"One payment a line (NDJSON), or CSV with a heading."`
	Format string `help:"ndjson or csv; by the file's name if none is given." enum:",ndjson,csv" default:""`
}

// imported is the answer to one line.
type imported struct {
	Line     int    `json:"line"`
	ID       string `json:"id,omitempty"`
	Replayed bool   `json:"replayed,omitempty"`
	Error    *struct {
		Code   string `json:"code"`
		Detail string `json:"detail"`
		Errors []struct {
			Pointer string `json:"pointer"`
			Detail  string `json:"detail"`
		} `json:"errors,omitempty"`
	} `json:"error,omitempty"`
}

// summary is what came of a file.
type summary struct {
	Imported int        `json:"imported"`
	Known    int        `json:"known"` // imported before
	Bad      []imported `json:"bad"`
}

// Run implements the command. Good lines are kept whatever the others are; a
// line that was imported before changes nothing.
func (c *paymentsImport) Run(ctx context.Context, t *terminal) error {
	file, err := os.Open(c.File)
	if err != nil {
		return fmt.Errorf("import: %w", err)
	}
	defer func() { _ = file.Close() }() // it was read
	o, err := c.dial(ctx, t)
	if err != nil {
		return err
	}
	sum, err := c.send(ctx, t, o, file)
	if err = errors.Join(err, o.close()); err != nil {
		return err
	}
	if t.isJSON {
		err = json.NewEncoder(t.stdout).Encode(sum)
	} else {
		_, err = fmt.Fprintf(t.stdout, "%d imported, %d known before, %d bad\n", sum.Imported, sum.Known, len(sum.Bad))
	}
	if err == nil && len(sum.Bad) > 0 {
		return exitError(1)
	}
	return err
}

// send streams the file and reads an answer for each line.
func (c *paymentsImport) send(ctx context.Context, t *terminal, o *operator, file *os.File) (summary, error) {
	sum := summary{Bad: []imported{}}
	reader, writer := io.Pipe()
	converted := make(chan error, 1)
	go func() {
		err := c.convert(file, writer)
		converted <- errors.Join(err, writer.CloseWithError(err))
	}()
	response, err := o.send(ctx, http.MethodPost, "/v1/payments/import", "application/x-ndjson", reader)
	if err != nil {
		_ = reader.CloseWithError(err)
		return sum, errors.Join(err, <-converted)
	}
	defer func() { _ = response.Body.Close() }() // it was read
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(response.Body)
		_ = reader.CloseWithError(io.ErrClosedPipe)
		if err := <-converted; err != nil && !errors.Is(err, io.ErrClosedPipe) {
			return sum, err
		}
		return sum, problemOf(text, response.StatusCode)
	}
	bar := t.progress("importing")
	answers := json.NewDecoder(response.Body)
	for {
		var line imported
		err := answers.Decode(&line)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return sum, fmt.Errorf("the import broke off; run it again, what was imported is known: %w", err)
		}
		_ = bar.Add(1)
		sum.add(t, line)
	}
	_ = bar.Finish()
	return sum, <-converted
}

// add counts a line, and says at once what is wrong with a bad one.
func (s *summary) add(t *terminal, line imported) {
	switch {
	case line.Error != nil:
		s.Bad = append(s.Bad, line)
		reasons := []string{line.Error.Detail}
		for _, wrong := range line.Error.Errors {
			reasons = append(reasons, strings.TrimPrefix(wrong.Pointer, "#/")+" "+wrong.Detail)
		}
		_, _ = fmt.Fprintf(t.stderr, "line %d: %s\n", line.Line, strings.Join(reasons, "; "))
	case line.Replayed:
		s.Known++
	default:
		s.Imported++
	}
}

// convert writes the file as NDJSON, a line for each of its lines.
func (c *paymentsImport) convert(file io.Reader, to io.Writer) error {
	if c.Format == "ndjson" || (c.Format == "" && !strings.HasSuffix(strings.ToLower(c.File), ".csv")) {
		_, err := io.Copy(to, file)
		return err
	}
	rows := csv.NewReader(bufio.NewReader(file))
	rows.FieldsPerRecord = -1
	header, err := rows.Read()
	if err != nil {
		return fmt.Errorf("the CSV file has no heading: %w", err)
	}
	if _, err := io.WriteString(to, "\n"); err != nil { // so that lines are counted as in the file
		return err
	}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("CSV: %w", err)
		}
		line, err := json.Marshal(object(header, row))
		if err != nil {
			return err
		}
		if _, err := to.Write(append(line, '\n')); err != nil {
			return err
		}
	}
}

// object turns a row of CSV into a payment: "method.brand" is a member of
// method, whole numbers are numbers where amounts are meant, empty is absent.
func object(header, row []string) map[string]any {
	line := map[string]any{}
	for i, name := range header {
		if i >= len(row) || row[i] == "" {
			continue
		}
		var value any = row[i]
		if number, err := strconv.ParseInt(row[i], 10, 64); err == nil && name == "amount" {
			value = number
		}
		outer, inner, nested := strings.Cut(name, ".")
		if !nested {
			line[name] = value
			continue
		}
		members, ok := line[outer].(map[string]any)
		if !ok {
			members = map[string]any{}
			line[outer] = members
		}
		members[inner] = value
	}
	return line
}
