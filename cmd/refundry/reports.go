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
	"slices"
)

// reportsCommand lists and writes reports.
type reportsCommand struct {
	List reportsList `cmd:"" help:"List the reports there are; with --json, with their columns."`
	Get  reportsGet  `cmd:"" default:"withargs" help:"Write a report: CSV, or an object for each row."`
}

type reportsList struct {
	operatorFlags
}

type reportsGet struct {
	operatorFlags

	Name   string `arg:"" help:"As the list has it, as in refunds."`
	From   string `help:"First day, as in 2026-03-01 (UTC), or a time; yesterday if none is given."`
	To     string `help:"Last day, or a time before which; the first day if none is given."`
	Format string `help:"csv or ndjson; with --json, an object for each row of any report." enum:",csv,ndjson" default:""`
	Output string `short:"o" help:"File to write; standard output if none is given." type:"path"`
}

// Run implements the command.
func (c *reportsList) Run(ctx context.Context, t *terminal) error {
	return c.operate(ctx, t, http.MethodGet, "/v1/reports", nil, "name", "formats", "parameters", "holds")
}

// Run implements the command.
func (c *reportsGet) Run(ctx context.Context, t *terminal) error {
	o, err := c.dial(ctx, t)
	if err != nil {
		return err
	}
	if t.isJSON && c.Format == "" {
		c.Format, err = linesFormat(ctx, o, c.Name)
	}
	if err == nil {
		err = c.write(ctx, t, o)
	}
	return errors.Join(err, o.close())
}

// linesFormat returns the format in which the server writes lines of JSON, none if it
// cannot: then rows of CSV become them here.
func linesFormat(ctx context.Context, o *operator, name string) (string, error) {
	text, err := o.call(ctx, http.MethodGet, "/v1/reports", nil)
	if err != nil {
		return "", err
	}
	var list struct {
		Reports []struct {
			Name    string
			Formats []string
		}
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return "", fmt.Errorf("answer: %w", err)
	}
	for _, report := range list.Reports {
		if report.Name == name && slices.Contains(report.Formats, formatLines) {
			return formatLines, nil
		}
	}
	return "", nil
}

const formatLines = "ndjson"

// write takes the report from the server.
func (c *reportsGet) write(ctx context.Context, t *terminal, o *operator) error {
	path := "/v1/reports/" + url.PathEscape(c.Name) + query("from", c.From, "to", c.To, "format", c.Format)
	return o.download(ctx, t, path, c.Output, func(to io.Writer, from io.Reader) error {
		return c.copy(to, from, t.isJSON && c.Format == "")
	})
}

// copy copies a report: as it is, or each row of a CSV as a JSON object.
func (c *reportsGet) copy(to io.Writer, from io.Reader, becomesLines bool) error {
	if !becomesLines {
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
