package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
)

// reportsCommand writes reports: CSV, or with --json an object for each row.
type reportsCommand struct {
	operatorFlags

	Name   string `arg:"" help:"smartglocal or pike: the daily payments report."`
	From   string `help:"First day, as in 2026-03-01 (UTC); yesterday if none is given."`
	To     string `help:"Last day; the first if none is given."`
	Output string `short:"o" help:"File to write; standard output if none is given." type:"path"`
}

// Run implements the command.
func (c *reportsCommand) Run(ctx context.Context, t *terminal) error {
	o, err := c.dial(ctx, t)
	if err != nil {
		return err
	}
	return errors.Join(c.write(ctx, t, o), o.close())
}

// write takes the report from the server.
func (c *reportsCommand) write(ctx context.Context, t *terminal, o *operator) error {
	path := "/v1/reports/" + url.PathEscape(c.Name) + query("from", c.From, "to", c.To)
	response, err := o.send(ctx, http.MethodGet, path, "application/json", nil)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }() // it was read
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(response.Body)
		return problemOf(text, response.StatusCode)
	}
	return t.writeWhole(c.Output, response.Body, func(to io.Writer, from io.Reader) error { return c.copy(to, from, t.isJSON) })
}

// writeWhole copies an answer to a file, or to standard output if none is
// named. A file gets its name only when all of the answer is in it.
func (t *terminal) writeWhole(path string, from io.Reader, copied func(to io.Writer, from io.Reader) error) error {
	if path == "" {
		return copied(t.stdout, from)
	}
	unfinished := path + ".part"
	file, err := os.Create(unfinished)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := errors.Join(copied(file, from), file.Close()); err != nil {
		return errors.Join(err, os.Remove(unfinished))
	}
	return os.Rename(unfinished, path)
}

// copy copies a report: as it is, or each row as a JSON object.
func (c *reportsCommand) copy(to io.Writer, from io.Reader, isJSON bool) error {
	if !isJSON {
		_, err := io.Copy(to, from)
		return err
	}
	rows, lines := csv.NewReader(from), json.NewEncoder(to)
	header, err := rows.Read()
	if errors.Is(err, io.EOF) {
		return nil
	}
	for err == nil {
		var row []string
		if row, err = rows.Read(); err != nil {
			break
		}
		line := map[string]string{}
		for i, name := range header {
			line[name] = row[i]
		}
		err = lines.Encode(line)
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return fmt.Errorf("report: %w", err)
}
