package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

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
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	facts := map[string]any{}
	for name, raw := range members {
		value, err := decoded(raw)
		if err != nil {
			return fmt.Errorf("answer: %w", err)
		}
		if list, ok := value.([]any); ok && len(columns) > 0 {
			return errors.Join(t.printList(list, columns), t.printMore(members["has_more"]))
		}
		if facts[name] = value; isNested(value) {
			facts[name] = raw // as it came: its members keep their order
		}
	}
	return t.printFacts(facts)
}

func decoded(raw json.RawMessage) (value any, err error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	err = decoder.Decode(&value)
	return value, err
}

// isNested reports whether a value has no place in a line: an object, or a list
// with one in it.
func isNested(value any) bool {
	switch value := value.(type) {
	case map[string]any:
		return true
	case []any:
		return slices.ContainsFunc(value, func(element any) bool {
			_, isList := element.([]any)
			return isList || isNested(element)
		})
	default:
		return false
	}
}

// printMore says that a list goes on.
func (t *terminal) printMore(hasMore json.RawMessage) error {
	if string(hasMore) != "true" {
		return nil
	}
	_, err := fmt.Fprintln(t.stderr, "There is more: see --limit.")
	return err
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

// factBody is the member whose bytes are printed as they are: a signature is
// about them.
const factBody = "body"

// printFacts prints the members of a thing, each on a line, and below them those
// that have members of their own.
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
	var below bytes.Buffer
	for _, name := range names {
		nested, ok := object[name].(json.RawMessage)
		if !ok {
			writer.AppendRow(table.Row{visible(name), cell(object[name])})
			continue
		}
		fmt.Fprintf(&below, "\n%s:\n", visible(name))
		var indented bytes.Buffer
		if err := json.Indent(&indented, nested, "", "  "); err != nil {
			return fmt.Errorf("answer: %w", err)
		}
		if name == factBody {
			below.Write(nested)
		} else {
			below.WriteString(visible(indented.String()))
		}
		below.WriteByte('\n')
	}
	if err := t.printTable(writer); err != nil {
		return err
	}
	_, err := below.WriteTo(t.stdout)
	return err
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
		return visible(strings.TrimRight(value, "\n"))
	case json.Number, bool:
		return fmt.Sprint(value)
	case []any:
		if isNested(value) {
			break
		}
		words := make([]string, len(value))
		for i, element := range value {
			words[i] = cell(element)
		}
		return strings.Join(words, ",")
	}
	text, err := json.Marshal(value)
	if err != nil {
		return "?"
	}
	return visible(string(text))
}

// visible returns a text with its control characters spelled out, but for the
// ends of lines: what somebody has called a refund must not command a terminal.
func visible(text string) string {
	if !strings.ContainsFunc(text, isCommand) {
		return text
	}
	var shown strings.Builder
	for _, letter := range text {
		if isCommand(letter) {
			shown.WriteString(strings.Trim(strconv.QuoteRune(letter), "'"))
		} else {
			shown.WriteRune(letter)
		}
	}
	return shown.String()
}

func isCommand(letter rune) bool { return letter != '\n' && unicode.IsControl(letter) }

// progress returns a progress bar on stderr, a silent one if that is no
// terminal. max is -1 if nobody knows it.
func (t *terminal) progress(what string, max int64) *progressbar.ProgressBar {
	if file, ok := t.stderr.(interface{ Fd() uintptr }); !ok || !isatty.IsTerminal(file.Fd()) {
		return progressbar.DefaultSilent(max)
	}
	return progressbar.Default(max, what)
}
