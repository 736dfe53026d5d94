package api

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/refundry/refundry/internal/audit"
	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/openapi"
	"github.com/refundry/refundry/internal/payment"
)

// CodeOfRule returns the code of a rule's no, and whether it is described.
func CodeOfRule(rule payment.RuleName) (name string, status int, described bool) {
	return describedCode(ruleCodes[rule])
}

// CodeOfFault returns the code of a failure that is no rule's.
func CodeOfFault(fault fault.Code) (name string, status int, described bool) {
	return describedCode(faultCodes[fault])
}

func describedCode(of code) (name string, status int, described bool) {
	facts, known := problems[of]
	return string(of), facts.status, known && facts.title != "" && facts.means != "" && facts.todo != "" && facts.detail != ""
}

// Codes returns every code.
func Codes() []string { return wordsOf(codes()...) }

// ExplainedText returns a code's page as text: its title, what it means, what to
// do, and whether the same request, and the same key, may be sent again.
func ExplainedText(of string) (title, means, todo, again string, status int) {
	one := explain(code(of))
	return one.Title, one.Means, one.Todo, one.Retry + " " + one.Key, one.Status
}

// Row is a row of the table of operations, as tests see it.
type Row struct {
	Method, Path, ID, Scope string
	IsOperators             bool // only an operator may ask for it
	IsForAll                bool // an operator, for all tenants
	IsForAnybody            bool
	IsListed                bool // it is in the document
	TakesKey                bool
}

// Table returns the table of operations.
func Table() []Row {
	var rows []Row
	for _, o := range New(Config{}).table {
		rows = append(rows, Row{
			Method: o.method, Path: o.path, ID: o.id, Scope: string(o.scope), IsOperators: o.isOperators(),
			IsForAll: o.access == forAll, IsForAnybody: o.access == forAnybody, IsListed: !o.isUnlisted, TakesKey: o.takesKey,
		})
	}
	return rows
}

// Document returns the document of the table.
func Document() openapi.Document { return New(Config{}).openAPI() }

// VariablesOfExamples returns what stands for ids in examples, and their prefixes.
func VariablesOfExamples() map[string]string { return exampleVariables }

// IDOfExamples is how ids of a kind look in examples.
func IDOfExamples(prefix string) string { return exampleID(prefix) }

// StreamBeat is how often a quiet stream says that it is alive.
const StreamBeat = streamBeat

// StreamsMax is how many streams there may be at a time.
const StreamsMax = streamsMax

// PaymentJSON returns a payment as callers see it.
func PaymentJSON(view payment.View) []byte { return paymentJSON(view) }

// RefundJSON returns a refund as callers see it.
func RefundJSON(refund payment.Refund) []byte { return refundJSON(refund) }

// SchemaNamed returns a component's schema.
func SchemaNamed(name string) *openapi.Schema {
	return map[string]*openapi.Schema{"Payment": paymentSchema, "Refund": refundSchema}[name]
}

// KindTable returns the table of kinds of events of docs/webhooks.md.
func KindTable() string {
	table := "| kind | told | |\n| --- | --- | --- |\n"
	for _, known := range eventKinds {
		told := "feed only"
		if isTold(known.Kind) {
			told = "yes"
		}
		table += "| `" + string(known.Kind) + "` | " + told + " | " + known.Doc + " |\n"
	}
	return table
}

// EventKinds returns the names of all kinds of event.
func EventKinds() (names []string) {
	for _, known := range eventKinds {
		names = append(names, string(known.Kind))
	}
	return names
}

// FindAging looks for refunds on their way in lists.
func FindAging(ctx context.Context, lists payment.Lists, filter payment.RefundFilter) (hasMore bool, err error) {
	a := &API{config: Config{Lists: lists}}
	found, err := a.findAging(ctx, payment.TenantID{1}, filter, payment.Aging{IsStuck: true})
	return found.hasMore, err
}

// Decode reads the body of an operation, or a line of it, as the operation does,
// and returns what is asked for.
func Decode(id string, text []byte, now time.Time) (asked any, err error) {
	a := New(Config{Now: func() time.Time { return now }})
	if id == "addBatchRows" {
		row, err := a.ReadRow(text)
		return row, err
	}
	in, err := parse(text)
	if err != nil {
		return nil, err
	}
	switch id {
	case "createRefund":
		asked, _ = decodeRefund(in, now)
	case "retryRefund":
		asked = decodeRetry(in, now)
	case "createPayment":
		in.only(paymentRequest.Members)
		asked = a.decodePayment(in)
	case "importPayments":
		asked, _, err = a.decodeImport(in)
		return asked, err
	case "createBatch":
		asked = decodeBatch(in)
	case "approveRefund":
		asked = decodeDecision(in, decisionRequest)
	case "settleRefund":
		asked = decodeDecision(in, settlementRequest)
	}
	return asked, in.err()
}

// Filter reads the parameters of a list, and returns what is asked for.
func Filter(id string, query url.Values, now time.Time) (asked any, limit int, err error) {
	a := New(Config{Now: func() time.Time { return now }, Audit: oneCommit{}})
	switch r := (&http.Request{URL: &url.URL{RawQuery: query.Encode()}}); id {
	case "listRefunds":
		filter, err := a.readRefundFilter(query)
		if err != nil {
			return nil, 0, err
		}
		aging, err := readAging(query, now)
		return []any{filter, aging}, filter.Limit, err
	case "listPayments":
		filter, err := a.readPaymentFilter(query)
		return filter, filter.Limit, err
	case "listDisputes":
		filter, err := readDisputeFilter(query)
		return filter, filter.Limit, err
	case "listBatches":
		filter, err := readBatchFilter(r)
		return filter, filter.Limit, err
	case "listEntries":
		filter, err := readEntryFilter(query)
		return filter, filter.Limit, err
	case "listDeliveries":
		filter, err := a.deliveryFilter(r, auth.Identity{})
		return filter, filter.Limit, err
	case "listAudit":
		filter, limit, err := a.readAuditFilter(context.Background(), auth.Identity{}, query)
		return filter, limit, err
	}
	panic("no such list: " + id)
}

// IdempotencyKey reads the header of a request.
func IdempotencyKey(values []string) (string, error) {
	return idempotencyKey(&http.Request{Header: http.Header{keyHeader: values}})
}

// ProblemOf returns how an error is answered.
func ProblemOf(err error) (status int, text string) {
	p := problemOf(err)
	return p.facts().status, string(p.json())
}

// oneCommit is a trail of one commit.
type oneCommit struct{ audit.Store }

// CommitAt implements [audit.Store].
func (oneCommit) CommitAt(context.Context, time.Time) (int64, error) { return 1, nil }
