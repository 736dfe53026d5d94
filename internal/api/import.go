package api

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/engine"
	"github.com/refundry/refundry/internal/openapi"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

const (
	importWindow  = 64        // lines that are worked on at a time: they share commits
	importLineMax = 256 << 10 // bytes, as of a body
	aliasesMax    = 16
	importScope   = "api.import"
)

const mediaLines = "application/x-ndjson"

// linesOf is a text of lines, each of which is JSON.
func linesOf(schema *openapi.Schema) *openapi.Schema {
	return &openapi.Schema{Type: openapi.String, Media: mediaLines, Content: schema}
}

// importMembers are what a line may have besides a payment's own members: an
// id by which a repeated line is known, and what its door must know.
var importMembers = slices.Concat(paymentRequestMembers, []openapi.Member{
	may("id", anyIdentifier("old-1"), "Your name of the line; all of the line, unless it is named."),
	may("home", anyText(nameMax, "ping"), "The front door that it was made at; `api` unless it is named."),
	may("aliases", &openapi.Schema{
		Type: openapi.Array, ItemsMax: aliasesMax,
		Items: taken("Alias", "How the payment is known elsewhere.", aliasMembers...),
	}, "Ids that it has elsewhere."),
	may("session", &openapi.Schema{}, "Its home's own: what it calls the session."),
	may("payment_id", &openapi.Schema{}, "Its home's own: what it calls the payment."),
	may("document", &openapi.Schema{}, "Its home's own document about it."),
})

var aliasMembers = []openapi.Member{
	must("kind", neededText(nameMax, "till"), ""), must("value", neededText(nameMax, "4711"), ""),
}

var (
	importLine   = paymentTaken("ImportLine", "A payment that was made elsewhere, before Refundry.", importMembers)
	importSchema = linesOf(importLine)
	importAnswer = shown("ImportAnswer", "What came of a line.",
		must("line", someCount, "1, 2, …; empty lines count too."),
		may("id", paymentID, "Of the payment."),
		may("replayed", someFlag, "`true`: it was imported before."),
		may("error", problemSchema, "Why nothing was imported."),
	)
)

// importPayments reads payments that were made elsewhere, one JSON object a
// line, and answers each with a line of its own, in their order. A bad line
// harms no other. Sent again, a line that was imported changes nothing.
func (a *API) importPayments(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	control := http.NewResponseController(w)
	_ = control.EnableFullDuplex()            // where it cannot be, answers wait for the end
	_ = control.SetReadDeadline(time.Time{})  // a file may be long,
	_ = control.SetWriteDeadline(time.Time{}) // and an operator is trusted to end
	w.Header().Set("Content-Type", mediaLines)
	lines := &lineReader{from: bufio.NewReaderSize(r.Body, importLineMax)}
	for {
		window, err := lines.window()
		answers := a.importWindow(r, caller, window)
		for _, answer := range answers {
			if errors.Is(answer.err, engine.ErrFateUnknown) {
				panic(http.ErrAbortHandler)
			}
			if _, err := w.Write(answer.json()); err != nil {
				return nil //nolint:nilerr // the caller has gone, and will send the rest again
			}
		}
		_ = control.Flush()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			panic(http.ErrAbortHandler) // the body did not arrive whole; what was answered stands
		}
	}
}

// line is one line of an import.
type line struct {
	number  int // 1, 2, …
	text    []byte
	tooLong bool
}

// lineReader reads lines and counts them.
type lineReader struct {
	from   *bufio.Reader
	number int
}

// window waits for one line and takes those that have come with it. A last
// line that did not arrive whole is not among them.
func (l *lineReader) window() ([]line, error) {
	var window []line
	for len(window) < importWindow {
		next, err := l.next()
		if (err == nil || errors.Is(err, io.EOF)) && (len(next.text) > 0 || next.tooLong) {
			window = append(window, next)
		}
		if err != nil {
			return window, err
		}
		if coming, _ := l.from.Peek(l.from.Buffered()); bytes.IndexByte(coming, '\n') < 0 {
			return window, nil
		}
	}
	return window, nil
}

func (l *lineReader) next() (line, error) {
	l.number++
	read := line{number: l.number}
	text, err := l.from.ReadSlice('\n')
	for errors.Is(err, bufio.ErrBufferFull) {
		read.tooLong = true
		_, err = l.from.ReadSlice('\n')
	}
	if !read.tooLong {
		read.text = bytes.Clone(bytes.TrimSpace(text))
	}
	return read, err
}

// imported is what came of a line.
type imported struct {
	number int

	payment  payment.PaymentID
	replayed bool
	err      error
}

// json returns the answer's line.
func (i imported) json() []byte {
	to := newWriter()
	to.begin("")
	to.number("line", int64(i.number))
	if i.err == nil {
		named(to, "id", i.payment)
		if i.replayed {
			to.flag("replayed", true)
		}
	} else {
		to.raw("error", string(problemOf(i.err).json()))
	}
	to.end()
	return append(to.text, '\n')
}

// importWindow imports some lines at the same time, so that they commit together.
func (a *API) importWindow(r *http.Request, caller auth.Identity, window []line) []imported {
	answers := make([]imported, len(window))
	var running sync.WaitGroup
	for i, line := range window {
		running.Go(func() {
			answers[i] = imported{number: line.number}
			answer, replayed, err := a.importLine(r, caller, line)
			if err != nil && problemOf(err).facts().status >= http.StatusInternalServerError {
				a.config.Log.ErrorContext(r.Context(), "line not imported", "error", err, "line", line.number,
					"request_id", wire.RequestID(r.Context()))
			}
			answers[i].payment, answers[i].replayed, answers[i].err = answer.View.Payment.ID, replayed, err
		})
	}
	running.Wait()
	return answers
}

func (a *API) importLine(r *http.Request, caller auth.Identity, line line) (payment.Answer, bool, error) {
	if line.tooLong {
		return payment.Answer{}, false, wire.ErrTooLarge
	}
	in, err := parse(line.text)
	if err != nil {
		return payment.Answer{}, false, err
	}
	command, name, err := a.decodeImport(in)
	if err != nil {
		return payment.Answer{}, false, err
	}
	if at := slices.IndexFunc(command.Aliases, isShort); at >= 0 {
		command.ShortID = command.Aliases[at].Value
	}
	home := command.Door
	command.Meta = meta(r, caller)
	command.Door, command.IsImport = home, true
	command.Key = keyOf(caller.Tenant, importScope, name, importDigest(command))
	return a.do(r.Context(), command)
}

// decodeImport reads a line, and the name by which its repeat is known: its
// id, or else all of it.
func (a *API) decodeImport(in object) (payment.CreatePayment, string, error) {
	in.only(importMembers)
	command := a.decodePayment(in)
	name := in.identifier("id")
	if name == "" {
		name = new(wire.Digest).Text(in.value.Compact()).Hex()
	}
	command.Door = payment.Door(in.text("home", nameMax))
	if command.Door == "" {
		command.Door = payment.DoorAPI
	}
	if command.Connector = in.text("connector", nameMax); command.Connector == "" {
		command.Connector = a.config.Connector
	}
	for _, alias := range in.objects("aliases", aliasesMax) {
		alias.only(aliasMembers)
		known := payment.Alias{Kind: alias.identifier("kind"), Value: alias.identifier("value")}
		if known.Kind == "" || known.Value == "" {
			alias.wrong("", "needs a kind and a value")
		}
		command.Aliases = append(command.Aliases, known)
	}
	if in.value.Get("document").HasCardNumber() {
		in.hasCardNumber = true
		in.wrong("document", "has something in it that looks like a card number")
	}
	document, known := a.config.Import[command.Door]
	if !known && command.Door != payment.DoorAPI {
		in.wrong("home", "is not a front door that is known")
	}
	if err := in.err(); err != nil || !known {
		return command, name, err
	}
	body, aliases, err := document(in.value)
	command.Document = body
	for _, alias := range aliases {
		if slices.Contains(a.config.OrderKinds, alias.Kind) && !slices.Contains(command.Aliases, alias) {
			command.Shared = append(command.Shared, alias)
			continue
		}
		command.Aliases = append(command.Aliases, alias)
	}
	slices.SortFunc(command.Aliases, func(a, b payment.Alias) int {
		return cmp.Or(strings.Compare(a.Kind, b.Kind), strings.Compare(a.Value, b.Value))
	})
	command.Aliases = slices.Compact(command.Aliases)
	return command, name, err
}

// isShort reports whether an alias is the short id by which a door knows the
// payment: it is shown then, as a short id of ours would be.
func isShort(alias payment.Alias) bool { return alias.Kind == payment.ShortAlias }

func importDigest(c payment.CreatePayment) *wire.Digest {
	d := paymentDigest(c).Text(string(c.Door)).Text(c.Connector).Bytes(c.Document)
	for _, alias := range c.Aliases { // sorted
		d.Text(alias.Kind).Text(alias.Value)
	}
	return d
}
