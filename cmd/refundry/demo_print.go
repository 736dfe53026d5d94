package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"
)

// speaker says who tells whom.
type speaker string

// Everybody in the story.
const (
	asks    speaker = "merchant → Refundry"
	answers speaker = "Refundry → merchant"
	tells   speaker = "Refundry ⇢ merchant" // by webhook
	sends   speaker = "Refundry → processor"
	hears   speaker = "processor → Refundry"
	thinks  speaker = "Refundry"
	differs speaker = "what differs"
)

// speakerWidth is the width of the longest speaker.
const speakerWidth = 20

// How a terminal shows them.
const (
	bold  = "\x1b[1m"
	plain = "\x1b[0m"
)

// color of a speaker's lines on a terminal.
func (s speaker) color() string {
	switch s {
	case asks:
		return "\x1b[36m"
	case answers, thinks:
		return "\x1b[32m"
	case tells:
		return "\x1b[35m"
	case sends, hears:
		return "\x1b[33m"
	case differs:
		return "\x1b[31m"
	default:
		return ""
	}
}

// timeline prints what happens, as it happens: lines for people, or with
// --json an object a line.
type timeline struct {
	t     *terminal
	began time.Time
}

func (l timeline) paint(color, text string) string {
	if !l.t.colors || color == "" {
		return text
	}
	return color + text + plain
}

// title begins a chapter.
func (l timeline) title(text, why string) {
	if l.t.isJSON {
		l.object(map[string]any{"chapter": text, "why": strings.ReplaceAll(why, "\n", " ")})
		return
	}
	l.print("\n%s\n%s\n", l.paint(bold, text), why)
}

// say prints who tells whom what.
func (l timeline) say(who speaker, format string, values ...any) {
	took, text := machineTime().Sub(l.began).Milliseconds(), fmt.Sprintf(format, values...)
	if l.t.isJSON {
		l.object(map[string]any{"ms": took, "who": who, "what": text})
		return
	}
	padding := strings.Repeat(" ", max(0, speakerWidth-utf8.RuneCountInString(string(who))))
	l.print("%6d ms  %s%s  %s\n", took, l.paint(who.color(), string(who)), padding, text)
}

// table prints rows in columns.
func (l timeline) table(name string, header []string, rows [][]string) {
	if l.t.isJSON {
		l.object(map[string]any{"table": name, "columns": header, "rows": rows})
		return
	}
	all := append([][]string{header}, rows...)
	widths := make([]int, len(header))
	for _, row := range all {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for n, row := range all {
		var line strings.Builder
		for i, cell := range row {
			fmt.Fprintf(&line, "  %-*s", widths[i], cell)
		}
		text := strings.TrimRight(line.String(), " ")
		if n == 0 {
			text = l.paint(bold, text)
		}
		l.print("       %s\n", text)
	}
}

// end is the story's last line.
func (l timeline) end(text string, facts map[string]any) {
	if l.t.isJSON {
		l.object(facts)
		return
	}
	l.print("\n%s\n", l.paint(bold, text))
}

func (l timeline) print(format string, values ...any) {
	_, _ = fmt.Fprintf(l.t.stdout, format, values...) // nobody is there to be told
}

func (l timeline) object(value any) {
	encoder := json.NewEncoder(l.t.stdout)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(value) // nobody is there to be told
}

// quiet is a log for errors only: what a command prints is what it says.
func (t *terminal) quiet() *slog.Logger { return slog.New(onlyErrors{t.log.Handler()}) }
