package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/mattn/go-isatty"
	"github.com/schollz/progressbar/v3"
)

// printAnswer prints an answer: JSON as it is, or a list as a table of the
// columns, or a thing as its facts.
func (t *terminal) printAnswer(text []byte, columns []string) error {
	if len(text) == 0 {
		return nil
	}
	if t.isJSON {
		var indented bytes.Buffer
		if err := json.Indent(&indented, text, "", "  "); err != nil {
			return fmt.Errorf("answer: %w", err)
		}
		_, err := fmt.Fprintln(t.stdout, indented.String())
		return err
	}
	var answer map[string]any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&answer); err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	for _, value := range answer {
		if list, ok := value.([]any); ok && len(answer) <= 2 && len(columns) > 0 {
			return t.printList(list, columns)
		}
	}
	return t.printFacts(answer)
}

// printList prints rows under their columns.
func (t *terminal) printList(list []any, columns []string) error {
	writer := newTable()
	header := table.Row{}
	for _, column := range columns {
		header = append(header, column)
	}
	writer.AppendHeader(header)
	for _, element := range list {
		object, _ := element.(map[string]any)
		row := table.Row{}
		for _, column := range columns {
			row = append(row, cell(object[column]))
		}
		writer.AppendRow(row)
	}
	return t.printTable(writer)
}

// printFacts prints the members of a thing, each on a line.
func (t *terminal) printFacts(object map[string]any) error {
	names := make([]string, 0, len(object))
	for name := range object {
		names = append(names, name)
	}
	slices.Sort(names)
	if at := slices.Index(names, "id"); at > 0 {
		names = slices.Insert(slices.Delete(names, at, at+1), 0, "id")
	}
	writer := newTable()
	for _, name := range names {
		writer.AppendRow(table.Row{name, cell(object[name])})
	}
	return t.printTable(writer)
}

// printTable prints a table without the blanks that end its lines.
func (t *terminal) printTable(writer table.Writer) error {
	for line := range strings.Lines(writer.Render()) {
		if _, err := fmt.Fprintln(t.stdout, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return nil
}

func newTable() table.Writer {
	writer := table.NewWriter()
	style := table.StyleLight
	style.Options = table.OptionsNoBordersAndSeparators
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	writer.SetStyle(style)
	return writer
}

// cell is a value as a person reads it.
func cell(value any) string {
	switch value := value.(type) {
	case nil:
		return ""
	case string:
		return strings.TrimRight(value, "\n")
	case json.Number, bool:
		return fmt.Sprint(value)
	default:
		text, err := json.Marshal(value)
		if err != nil {
			return "?"
		}
		return string(text)
	}
}

// progress returns a progress bar on stderr, a silent one if that is no
// terminal. max is -1 if nobody knows it.
func (t *terminal) progress(what string, max int64) *progressbar.ProgressBar {
	if file, ok := t.stderr.(interface{ Fd() uintptr }); !ok || !isatty.IsTerminal(file.Fd()) {
		return progressbar.DefaultSilent(max)
	}
	return progressbar.Default(max, what)
}
