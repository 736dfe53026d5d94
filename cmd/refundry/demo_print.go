package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// timeline prints what happens, as it happens.
type timeline struct {
	t     *terminal
	began time.Time
}

// colors of the terminal, by who speaks.
var colors = map[string]string{
	"merchant": "\x1b[36m", "Refundry": "\x1b[32m", "outside": "\x1b[33m", "webhook": "\x1b[35m", "title": "\x1b[1m",
	"wrong": "\x1b[31m",
}

func (l timeline) paint(who, text string) string {
	if !l.t.colors {
		return text
	}
	return colors[who] + text + "\x1b[0m"
}

// title begins a chapter.
func (l timeline) title(text, why string) {
	if l.t.isJSON {
		l.line(map[string]any{"chapter": text})
		return
	}
	_, _ = fmt.Fprintf(l.t.stdout, "\n%s\n%s\n", l.paint("title", text), why)
}

// say prints one line: who says what, and how the thing stands then.
func (l timeline) say(who, text string, facts ...string) {
	took := machineTime().Sub(l.began)
	if l.t.isJSON {
		l.line(map[string]any{"ms": took.Milliseconds(), "who": who, "what": text, "facts": facts})
		return
	}
	_, _ = fmt.Fprintf(l.t.stdout, "%6d ms  %s  %s\n", took.Milliseconds(), l.paint(who, fmt.Sprintf("%-9s", who)), text)
	for _, fact := range facts {
		_, _ = fmt.Fprintf(l.t.stdout, "%22s%s\n", "", fact)
	}
}

func (l timeline) line(value any) {
	text, err := json.Marshal(value)
	if err == nil {
		_, _ = fmt.Fprintf(l.t.stdout, "%s\n", text)
	}
}

// table prints rows in columns.
func (l timeline) table(name string, header []string, rows [][]string) {
	if l.t.isJSON {
		l.line(map[string]any{"table": name, "columns": header, "rows": rows})
		return
	}
	widths := make([]int, len(header))
	for _, row := range append([][]string{header}, rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], len(cell))
		}
	}
	for n, row := range append([][]string{header}, rows...) {
		var line strings.Builder
		for i, cell := range row {
			fmt.Fprintf(&line, "  %-*s", widths[i], cell)
		}
		text := strings.TrimRight(line.String(), " ")
		if n == 0 {
			text = l.paint("title", text)
		}
		_, _ = fmt.Fprintf(l.t.stdout, "       %s\n", text)
	}
}

// quiet is a log for errors only: the story is what is printed.
func (t *terminal) quiet() *slog.Logger { return slog.New(onlyErrors{t.log.Handler()}) }
