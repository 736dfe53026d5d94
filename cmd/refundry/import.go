package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"

	"github.com/schollz/progressbar/v3"
)

// paymentsImport sends a file to the server, a payment a line. Run again, it
// sends all of it again: the server knows the lines that are done.
type paymentsImport struct {
	operatorFlags

	File   string `arg:"" type:"existingfile" help:"One payment a line (NDJSON), or CSV with a heading."`
	Format string `help:"ndjson or csv; by the file's name if none is given." enum:",ndjson,csv" default:""`
	Report string `help:"File for the bad lines, with their numbers and reasons (NDJSON)." type:"path"`
}

// imported is the server's answer to one line.
type imported struct {
	Line     int        `json:"line"`
	ID       string     `json:"id,omitempty"`
	Replayed bool       `json:"replayed,omitempty"`
	Error    *lineError `json:"error,omitempty"`
}

// lineError says what is wrong with a line.
type lineError struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
	Errors []struct {
		Pointer string `json:"pointer"`
		Detail  string `json:"detail"`
	} `json:"errors,omitempty"`
}

// String says it in one line.
func (e lineError) String() string {
	reasons := []string{e.Detail}
	for _, wrong := range e.Errors {
		reasons = append(reasons, strings.TrimSpace(strings.TrimPrefix(wrong.Pointer, "#/")+" "+wrong.Detail))
	}
	return strings.Join(reasons, "; ")
}

// Run implements the command. Good lines are kept whatever the others are.
func (c *paymentsImport) Run(ctx context.Context, t *terminal) (err error) {
	file, err := os.Open(c.File)
	if err != nil {
		return fmt.Errorf("import: %w", err)
	}
	defer func() { _ = file.Close() }() // it was read
	count, err := countLines(file)
	if err != nil {
		return fmt.Errorf("import: %w", err)
	}
	result := &result{BadLines: []imported{}, t: t, bar: t.progress("importing", count)}
	if c.Report != "" {
		report, err := os.Create(c.Report)
		if err != nil {
			return fmt.Errorf("import: %w", err)
		}
		result.report = report
		defer func() { _ = report.Close() }() // written, and its errors were seen, by then
	}
	o, err := c.dial(ctx, t)
	if err != nil {
		return err
	}
	err = errors.Join(c.send(ctx, o, file, result), o.close())
	_ = result.bar.Finish()
	if err == nil || result.Imported+result.Known > 0 {
		err = errors.Join(err, result.print())
	}
	if err == nil && result.Bad > 0 {
		return exitError(1)
	}
	return err
}

// countLines counts lines for the progress bar, and goes back to the first.
func countLines(file io.ReadSeeker) (count int64, err error) {
	for piece := make([]byte, 64<<10); ; {
		n, err := file.Read(piece)
		count += int64(bytes.Count(piece[:n], []byte{'\n'}))
		if errors.Is(err, io.EOF) {
			_, err = file.Seek(0, io.SeekStart)
			return count, err
		}
		if err != nil {
			return 0, err
		}
	}
}

// send streams the file and reads an answer for each line.
func (c *paymentsImport) send(ctx context.Context, o *operator, file io.Reader, result *result) error {
	reader, writer := io.Pipe()
	written := make(chan error, 1)
	go func() {
		err := c.lines(file).writeTo(writer, result.add)
		written <- errors.Join(err, writer.CloseWithError(err))
	}()
	response, err := o.send(ctx, http.MethodPost, "/v1/payments/import", "application/x-ndjson", reader)
	if err != nil {
		_ = reader.CloseWithError(err)
		return errors.Join(<-written, err)
	}
	defer func() { _ = response.Body.Close() }() // it was read
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(response.Body)
		_ = reader.CloseWithError(io.ErrClosedPipe)
		if err := <-written; err != nil && !errors.Is(err, io.ErrClosedPipe) {
			return err
		}
		return problemOf(text, response.StatusCode)
	}
	answers := json.NewDecoder(response.Body)
	for {
		var line imported
		err := answers.Decode(&line)
		if errors.Is(err, io.EOF) {
			return <-written
		}
		if err == nil {
			err = result.add(line)
		}
		if err != nil {
			_ = reader.CloseWithError(err)
			return errors.Join(<-written, fmt.Errorf("broken off; run it again, what was imported is known: %w", err))
		}
	}
}

// lines returns the file's lines, as its format has them.
func (c *paymentsImport) lines(file io.Reader) lines {
	if c.Format == "csv" || (c.Format == "" && strings.HasSuffix(strings.ToLower(c.File), ".csv")) {
		return csvLines{file}
	}
	return jsonLines{file}
}

// badShown is how many bad lines the summary has. The others are in the report
// and on stderr.
const badShown = 1000

// result is what came of a file.
type result struct {
	Imported int        `json:"imported"`
	Known    int        `json:"known"` // imported before
	Bad      int        `json:"bad"`
	BadLines []imported `json:"bad_lines"` // the first of them

	t      *terminal
	bar    *progressbar.ProgressBar
	report io.Writer // may be nil
	mutex  sync.Mutex
}

// add counts a line, and says at once what is wrong with a bad one.
func (r *result) add(line imported) error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	_ = r.bar.Add(1)
	switch {
	case line.Error != nil:
		r.Bad++
		if len(r.BadLines) < badShown {
			r.BadLines = append(r.BadLines, line)
		}
		if _, err := fmt.Fprintf(r.t.stderr, "line %d: %s\n", line.Line, line.Error); err != nil {
			return err
		}
		if r.report != nil {
			return json.NewEncoder(r.report).Encode(line)
		}
	case line.Replayed:
		r.Known++
	default:
		r.Imported++
	}
	return nil
}

func (r *result) print() error {
	if r.t.isJSON {
		return json.NewEncoder(r.t.stdout).Encode(r)
	}
	_, err := fmt.Fprintf(r.t.stdout, "%d imported, %d known before, %d bad\n", r.Imported, r.Known, r.Bad)
	return err
}
