package audit

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"

	"github.com/refundry/refundry/internal/ledger"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/row"
)

// Kind says what a line of an export is.
type Kind string

// The kinds of lines: a commit, then its events, and a checkpoint at the end.
const (
	LineCommit     Kind = "commit"
	LineEvent      Kind = "event"
	LineCheckpoint Kind = "checkpoint"
)

// Line is a line of an export. A commit and a checkpoint have the first half of
// it, an event the second: exactly what the digest covers, ids as UUIDs.
type Line struct {
	Line   Kind   `json:"line,omitempty"`
	Tenant string `json:"tenant,omitempty"`
	Number int64  `json:"number,omitempty"` // of the commit
	Hash   string `json:"hash,omitempty"`   // of the chain, in hexadecimal
	At     string `json:"at,omitempty"`
	Digest string `json:"digest,omitempty"` // of the tenant's part, in hexadecimal
	Events int64  `json:"events,omitempty"` // of the commit, or of the whole file

	First   int64 `json:"first,omitempty"` // the first commit of the range that the file is about
	Commits int64 `json:"commits,omitempty"`

	*EventLine
}

// EventLine is what the digest covers of one event.
type EventLine struct {
	Commit   int64         `json:"commit"`
	Payment  string        `json:"payment"`
	Subject  string        `json:"subject"`
	Version  int64         `json:"version"`
	Micros   int64         `json:"at_micros"` // since 1970
	Kind     string        `json:"kind"`
	Actor    string        `json:"actor"`
	Door     string        `json:"door"`
	Request  string        `json:"request"`
	Detail   string        `json:"detail"`
	Person   string        `json:"person,omitempty"`
	Sealed   string        `json:"sealed,omitempty"` // base64
	Address  string        `json:"address,omitempty"`
	Postings []PostingLine `json:"postings,omitempty"`
	Payout   *PayoutLine   `json:"payout,omitempty"`
}

// PostingLine is a posting that an event made.
type PostingLine struct {
	Cause    string `json:"cause"`
	Debit    string `json:"debit"`
	Credit   string `json:"credit"`
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}

// PayoutLine is a payout that an event tells of.
type PayoutLine struct {
	Order    string `json:"order"`
	Merchant string `json:"merchant"`
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
	Micros   int64  `json:"at_micros"`
}

// timeFormat has microseconds, so that times sort as texts.
const timeFormat = "2006-01-02T15:04:05.000000Z"

// partsPage is how many commits are read at a time: nothing is held between
// two pages, neither memory nor a state of the store.
const partsPage = 500

// Export writes what commits from one number to another have written of a
// tenant, and the checkpoint of the last. 0 is the first; 0, or more than there
// are, is the newest.
func Export(ctx context.Context, store Store, tenant payment.TenantID, first, last int64, to io.Writer) error {
	end, err := store.Checkpoint(ctx, tenant, 0)
	if err == nil && last > 0 && last < end.Number {
		end, err = store.Checkpoint(ctx, tenant, last)
	}
	if err != nil {
		return err
	}
	first = max(first, 1)
	lines := json.NewEncoder(to)
	lines.SetEscapeHTML(false)
	closing := Line{Line: LineCheckpoint, First: first}
	for after := first - 1; ; {
		parts, err := store.Parts(ctx, tenant, after, end.Number, partsPage)
		if err != nil {
			return err
		}
		for _, part := range parts {
			after = part.Number
			closing.Commits++
			closing.Events += int64(len(part.Facts.Facts))
			if err := exportPart(lines, tenant, part); err != nil {
				return err
			}
		}
		if len(parts) < partsPage {
			break
		}
	}
	return lines.Encode(closing.at(tenant, end))
}

func exportPart(lines *json.Encoder, tenant payment.TenantID, part Part) error {
	head := Line{Line: LineCommit, Events: int64(len(part.Facts.Facts))}
	if err := lines.Encode(head.at(tenant, part.Checkpoint)); err != nil {
		return err
	}
	for _, fact := range part.Facts.Facts {
		event := lineOf(part.Number, fact)
		if err := lines.Encode(Line{Line: LineEvent, EventLine: &event}); err != nil {
			return err
		}
	}
	return nil
}

// at returns the line with what is known of the chain at a commit.
func (l Line) at(tenant payment.TenantID, c Checkpoint) Line {
	l.Tenant, l.Number, l.Hash, l.At = tenant.String(), c.Number, hex.EncodeToString(c.Hash[:]), c.At.Format(timeFormat)
	l.Digest = hex.EncodeToString(c.Digest)
	return l
}

func lineOf(commit int64, fact row.Fact) EventLine {
	line := EventLine{
		Commit: commit, Payment: fact.Payment.UUID(), Subject: payment.PersonID(fact.Subject).UUID(), Version: fact.Version,
		Micros: row.Micros(fact.At), Kind: string(fact.Kind), Actor: fact.Actor, Door: string(fact.Door), Request: fact.Request,
		Detail: fact.Detail, Sealed: base64.StdEncoding.EncodeToString(fact.Sealed), Address: fact.Address,
	}
	if !fact.Person.IsZero() {
		line.Person = fact.Person.UUID()
	}
	for _, entry := range fact.Entries {
		for _, p := range entry.Postings {
			line.Postings = append(line.Postings, PostingLine{
				Cause: string(entry.Cause), Debit: string(p.Debit), Credit: string(p.Credit), Amount: int64(p.Amount.Minor),
				Currency: string(p.Amount.Currency),
			})
		}
	}
	if out := fact.Payout; !out.ID.IsZero() {
		line.Payout = &PayoutLine{
			Order: out.Order.UUID(), Merchant: out.Merchant, Amount: int64(out.Amount.Minor),
			Currency: string(out.Amount.Currency), Micros: row.Micros(out.At),
		}
	}
	return line
}

// errLine means that a line of an export cannot be read.
var errLine = errors.New("a line is not one of an export")

// errEmpty means that there is nothing to check: a download that failed, say.
var errEmpty = errors.New("there is nothing in it")

// fact returns the event of a line with what it proves. What is spelled otherwise
// than an export spells it is not proven.
func (e EventLine) fact() (row.Fact, error) {
	fact := row.Fact{
		Event: payment.Event{
			Kind: payment.EventKind(e.Kind), Version: e.Version, At: row.Time(e.Micros), Actor: e.Actor,
			Door: payment.Door(e.Door), Request: e.Request, Detail: e.Detail, Address: e.Address,
		},
	}
	var subject payment.PersonID
	errs := []error{fact.Payment.ParseUUID(e.Payment), subject.ParseUUID(e.Subject)}
	fact.Subject = subject
	if e.Person != "" {
		errs = append(errs, fact.Person.ParseUUID(e.Person))
	}
	var err error
	if fact.Sealed, err = base64.StdEncoding.DecodeString(e.Sealed); err != nil {
		errs = append(errs, errLine)
	}
	for _, p := range e.Postings {
		fact.Entries = append(fact.Entries, ledger.Entry{Cause: ledger.Cause(p.Cause), Postings: []ledger.Posting{{
			Debit: ledger.Account(p.Debit), Credit: ledger.Account(p.Credit),
			Amount: money.Of(money.Minor(p.Amount), money.Currency(p.Currency)),
		}}})
	}
	if out := e.Payout; out != nil {
		fact.Payout = payment.Payout{
			ID: payment.PayoutID(subject), Merchant: out.Merchant, At: row.Time(out.Micros),
			Amount: money.Of(money.Minor(out.Amount), money.Currency(out.Currency)),
		}
		errs = append(errs, fact.Payout.Order.ParseUUID(out.Order))
	}
	if !reflect.DeepEqual(e, lineOf(e.Commit, fact)) {
		errs = append(errs, errLine)
	}
	return fact, errors.Join(errs...)
}

// Anchor is what a file says of the chain at one commit.
type Anchor struct {
	Tenant   payment.TenantID
	Number   int64
	Hash     string // in hexadecimal
	Digest   string // in hexadecimal; empty: the tenant has no part
	At       string
	IsCommit bool // the file has the events of it; else it is a checkpoint
}

// anchor returns what a line says of the chain.
func (l Line) anchor() (Anchor, error) {
	a := Anchor{Number: l.Number, Hash: l.Hash, Digest: l.Digest, At: l.At, IsCommit: l.Line == LineCommit}
	if l.Number < 1 || len(l.Hash) != hex.EncodedLen(len(Checkpoint{}.Hash)) || l.EventLine != nil {
		return a, errLine
	}
	switch isOfFile := l.First != 0 || l.Commits != 0; l.Line {
	case LineCheckpoint:
	case LineCommit:
		if isOfFile {
			return a, errLine
		}
	case "": // a checkpoint that comes alone
		if isOfFile || l.Events != 0 {
			return a, errLine
		}
	default:
		return a, errLine
	}
	err := a.Tenant.UnmarshalText([]byte(l.Tenant))
	if err == nil && a.Tenant.IsZero() {
		err = errLine // nobody's part would be compared with nothing
	}
	return a, err
}

// Checked is what was found in an export.
type Checked struct {
	Commits  int64    `json:"commits"`
	Events   int64    `json:"events"`
	Anchors  []Anchor `json:"-"` // the checkpoint last
	First    int64    `json:"-"` // the first commit that an export is about; 0: it is a checkpoint alone
	Findings []string `json:"findings"`
}

// IsClean reports whether an export is what was sealed, and whole.
func (c Checked) IsClean() bool { return len(c.Findings) == 0 }

// Check reads an export, or a checkpoint alone, and digests again what it has
// of each commit. It needs nothing but the file. An error means that it is
// neither.
func Check(from io.Reader) (Checked, error) {
	c := &checker{Checked: Checked{Findings: []string{}}}
	lines := json.NewDecoder(from)
	for number := 1; ; number++ {
		var text json.RawMessage
		err := lines.Decode(&text)
		if errors.Is(err, io.EOF) && number == 1 {
			return c.Checked, errEmpty
		}
		if errors.Is(err, io.EOF) {
			break
		}
		var line Line
		if err == nil {
			line, err = readLine(text)
		}
		if err == nil {
			err = c.take(line)
		}
		if err != nil {
			return c.Checked, fmt.Errorf("line %d: %w", number, errLine)
		}
	}
	if !c.isClosed {
		c.finish()
		c.find("the file ends without a checkpoint: it is not whole")
	}
	return c.Checked, nil
}

// checker reads an export line by line, and holds one commit at a time.
type checker struct {
	Checked

	commit   Line // whose events come
	facts    row.Facts
	isClosed bool // its checkpoint has come
}

func (c *checker) find(text string, args ...any) {
	const findingsMax = 1000 // then it is no matter of single lines
	if len(c.Findings) < findingsMax {
		c.Findings = append(c.Findings, fmt.Sprintf(text, args...))
	}
}

func (c *checker) take(line Line) error {
	if c.isClosed {
		c.find("there are lines behind the checkpoint")
	}
	if line.Line == LineEvent {
		if line.EventLine == nil || line != (Line{Line: LineEvent, EventLine: line.EventLine}) {
			return errLine
		}
		fact, err := line.fact()
		if c.commit.Number == 0 {
			c.find("an event of commit %d belongs to no commit of the file", line.Commit)
		} else if line.Commit != c.commit.Number {
			c.find("an event of commit %d is among those of commit %d", line.Commit, c.commit.Number)
		}
		c.facts.Facts = append(c.facts.Facts, fact)
		c.Events++
		return err
	}
	anchor, err := line.anchor()
	if err != nil {
		return err
	}
	c.finish()
	c.order(anchor)
	c.Anchors = append(c.Anchors, anchor)
	if anchor.IsCommit {
		c.commit = line
		c.Commits++
		return nil
	}
	if c.isClosed = true; line.Line != LineCheckpoint {
		if len(c.Anchors) > 1 || c.Events > 0 {
			return errLine // it would come alone, and say nothing of what is left out
		}
		return nil
	}
	c.First = line.First
	if line.Commits != c.Commits || line.Events != c.Events {
		c.find("the file has %d events in %d commits, and should have %d in %d", c.Events, c.Commits, line.Events, line.Commits)
	}
	if first := c.Anchors[0].Number; line.First < 1 || first < line.First && c.Commits > 0 {
		c.find("the file is about commits from %d on, and begins with %d", line.First, first)
	}
	return nil
}

// order finds what cannot follow the line before: numbers grow, and only the
// checkpoint has that of the last commit. A file is of one tenant.
func (c *checker) order(anchor Anchor) {
	if len(c.Anchors) == 0 {
		return
	}
	before := c.Anchors[len(c.Anchors)-1]
	if anchor.Number < before.Number || anchor.Number == before.Number && anchor.IsCommit {
		c.find("commit %d does not come in its order", anchor.Number)
	}
	if anchor.Tenant != before.Tenant {
		c.find("commit %d is another tenant's", anchor.Number)
	}
}

// finish digests the events of the commit that has ended.
func (c *checker) finish() {
	if c.commit.Number > 0 {
		digest := c.facts.Digest()
		if hex.EncodeToString(digest[:]) != c.commit.Digest {
			c.find("commit %d: an event or an entry is not what was sealed with the commit", c.commit.Number)
		}
		if events := int64(len(c.facts.Facts)); events != c.commit.Events {
			c.find("commit %d has %d events, and should have %d", c.commit.Number, events, c.commit.Events)
		}
	}
	c.commit, c.facts = Line{}, row.Facts{}
}
