package api

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/batch"
	"github.com/refundry/refundry/internal/openapi"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

func (a *API) rowsOperation(one []openapi.Parameter) operation {
	return operation{
		method: "POST", path: "/v1/batches/{id}/rows", id: "addBatchRows", tag: tagBatches, summary: "Send rows of a batch",
		doc: "NDJSON, a refund a line, or CSV (`text/csv`) with a heading of members' names: an empty cell is an absent " +
			"member, `items` and `metadata` are JSON. Rows are kept as they come. If the connection breaks, read the batch, " +
			"and send the rest with `offset`. A row that cannot be read harms no other: it is `invalid`, and the result says " +
			"why.",
		scope: scopeWriteRefunds, parameters: append([]openapi.Parameter{inQuery("offset", &openapi.Schema{
			Type: openapi.Integer, Min: new(int64), Max: new(int64(batch.RowsMax)), Default: 0, Example: 0,
		}, "How many rows have come before: `received` of the batch.")}, one...),
		body: linesOf(batchRow), bodyMedia: mediaLines, serve: a.addBatchRows,
		answers: ok("The batch, with these rows. Once they have come whole, it is `ready`.", batchSchema),
		codes:   append(codesOf(payment.RuleStatus), codeConflict, codeBody, codeMediaType),
	}
}

// batchRow is what ReadRow reads.
var batchRow = asking("BatchRow",
	may("key", &openapi.Schema{
		Type: openapi.String, IsNullable: true, LengthMin: 1, LengthMax: keyTextMax, Pattern: "^[!-~]+$",
		Example: "recall-77",
	}, "The refund's idempotency key, as of one that is asked for alone: used before, it is that refund again. No two rows "+
		"have the same. Absent: one that follows from the batch and the row's number."),
)

// Door returns what reads rows of batches as our own API reads refunds. The
// kinds of alias are those by which an operator may spell a payment's id.
func Door(reader payment.Reader, aliasKinds []string) batch.Door {
	return &API{config: Config{Reader: reader, AliasKinds: aliasKinds}}
}

// ReadRow implements [batch.Door].
func (a *API) ReadRow(text []byte) (asked batch.Asked, err error) {
	in, err := parse(text)
	if err == nil {
		in.only(batchRow.Members)
		asked.Payment = in.payment()
		asked.Command = decodeTexts(in)
		asked.Command.Ask = decodeAsk(in)
		asked.Key = in.text("key", keyTextMax)
		if in.value.Get("key").IsGiven() && len(in.wrongs) == 0 && !wire.IsVisible(asked.Key, keyTextMax) {
			in.wrong("key", "must be 1 to "+strconv.Itoa(keyTextMax)+" visible ASCII characters")
		}
		err = in.err()
	}
	return asked, wrongsOf(err)
}

// wrongsOf returns what is wrong with a row.
func wrongsOf(err error) error {
	if err == nil {
		return nil
	}
	p := problemOf(err)
	if len(p.errors) == 0 {
		return batch.Wrongs{{Pointer: "#", Detail: p.detail}}
	}
	wrongs := make(batch.Wrongs, len(p.errors))
	for i, e := range p.errors {
		wrongs[i] = batch.Wrong{Pointer: e.Pointer, Detail: e.Detail}
	}
	return wrongs
}

// FindPayment implements [batch.Door].
func (a *API) FindPayment(ctx context.Context, tenant payment.TenantID, name string) (payment.PaymentID, error) {
	return a.paymentNamed(ctx, auth.Identity{Tenant: tenant}, name)
}

// RefundKey implements [batch.Door].
func (a *API) RefundKey(tenant payment.TenantID, scope, name string, command payment.OpenRefund) payment.Key {
	if scope == "" {
		scope = keyScope
	}
	return keyOf(tenant, scope, name, refundDigest(command))
}

// Code implements [batch.Door].
func (a *API) Code(rule payment.RuleName) string { return string(ruleCodes[rule]) }

// rowsPatience is how long a caller who sends rows, or reads a result, may be
// silent. A file may be long; who is slower is cut off, and goes on later.
const rowsPatience = 30 * time.Second

// patient lets a request go on for as long as something comes.
type patient struct {
	control *http.ResponseController
	from    io.Reader
	to      io.Writer
	began   bool // something was written
}

func newPatient(w http.ResponseWriter, r *http.Request) *patient {
	return &patient{control: http.NewResponseController(w), from: r.Body, to: w}
}

func (p *patient) wait() {
	until := time.Now().Add(rowsPatience) //nolint:forbidigo // deadlines are machine time
	_ = p.control.SetReadDeadline(until)  // where there are none, nobody waits
	_ = p.control.SetWriteDeadline(until)
}

// Read implements [io.Reader].
func (p *patient) Read(into []byte) (int, error) {
	p.wait()
	return p.from.Read(into)
}

// Write implements [io.Writer].
func (p *patient) Write(text []byte) (int, error) {
	p.wait()
	p.began = true
	return p.to.Write(text)
}

// addBatchRows receives rows of a batch.
func (a *API) addBatchRows(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	id, err := batchNamed(r)
	if err != nil {
		return err
	}
	upload := batch.Upload{From: newPatient(w, r)}
	if upload.Format, err = formatOf(r); err != nil {
		return err
	}
	if text := r.URL.Query().Get("offset"); text != "" {
		var ok bool
		if upload.Offset, ok = parseWhole(text, 0, batch.RowsMax); !ok {
			return wrongParameter("offset", "must be a whole number from 0 to "+strconv.Itoa(batch.RowsMax))
		}
	}
	received, err := a.config.Batches.Receive(r.Context(), meta(r, caller), id, upload)
	if err != nil {
		return err
	}
	write(w, http.StatusOK, false, batchJSON(received))
	return nil
}

// formatOf returns how rows are written that a request sends.
func formatOf(r *http.Request) (batch.Format, error) {
	kind := r.Header.Get("Content-Type")
	if kind == "" {
		return batch.NDJSON, nil
	}
	kind, _, err := mime.ParseMediaType(kind)
	switch {
	case err == nil && kind == mediaCSV:
		return batch.CSV, nil
	case err == nil && (kind == mediaLines || kind == mediaJSON):
		return batch.NDJSON, nil
	default:
		return "", &problem{code: codeMediaType, detail: "send " + mediaLines + " or " + mediaCSV}
	}
}

func (a *API) resultOperation(one []openapi.Parameter) operation {
	return operation{
		method: "GET", path: "/v1/batches/{id}/result", id: "getBatchResult", tag: tagBatches, summary: "Read a batch's result",
		doc:   "What became of each row, in their order. While the batch runs, it shows what is known.",
		scope: scopeReadRefunds, parameters: append([]openapi.Parameter{inQuery("format", &openapi.Schema{
			Type: openapi.String, Words: wordsOf(batch.Formats...), Default: string(batch.NDJSON), Example: string(batch.NDJSON),
		}, "How it is written.")}, one...), serve: a.getBatchResult,
		answers: []openapi.Answer{{
			Status: http.StatusOK, Doc: "The result: a row a line.", Headers: []openapi.Header{headerDisposition},
			Contents: []openapi.Content{
				{Media: mediaLines, Schema: linesOf(resultSchema)}, {Media: mediaCSV, Schema: someText},
			},
		}},
	}
}

// resultSchema is what package batch writes.
var resultSchema = shown("BatchResult", "What became of a row.",
	must("number", someCount, "1, 2, …"),
	may("key", someText, "The row's own."),
	must("status", someWord("BatchRowStatus", "`refunded`: a refund was opened. `allowed`: a dry run; it would be. `refused`: a "+
		"rule said no. `invalid`: it could not be read. `skipped`: the batch was canceled, or has reached its cap.",
		batch.RowStatuses...), ""),
	may("payment", paymentID, ""), may("payment_reference", someText, "What the merchant calls the payment."),
	may("refund", refundID, "The first, where several were opened together."),
	may("refund_status", someWord("BatchRefundStatus", "Where the refund is by now, or all that were opened together; "+
		"`mixed`: these differ.", append(slices.Clone(payment.RefundStatuses), batch.Mixed)...), ""),
	may("amount", someAmount, "Of the refund, or of all that were opened together."),
	may("currency", someCurrency, ""),
	may("code", someText, "Why it is no refund: the code of an error, `canceled`, `cap` or `long`."),
	may("message", someText, ""),
	may("refundable", someAmount, "What would be allowed."),
	may("from", someTime, "From when it would be allowed."),
	may("errors", listOf(shown("BatchRowError", "One thing that is wrong with a row.",
		must("pointer", someText, "Into the row."), must("detail", someText, ""))), ""),
)

// getBatchResult writes what became of each row. A result that fails on its
// way breaks the connection: half of one must not be taken for all.
func (a *API) getBatchResult(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	id, err := batchNamed(r)
	if err != nil {
		return err
	}
	format, media := batch.NDJSON, mediaLines
	switch r.URL.Query().Get("format") {
	case "", string(batch.NDJSON):
	case string(batch.CSV):
		format, media = batch.CSV, mediaCSV+"; charset=utf-8"
	default:
		return wrongParameter("format", "must be ndjson or csv")
	}
	if _, err := a.config.Batches.Get(r.Context(), caller.Tenant, id); err != nil {
		return err
	}
	w.Header().Set("Content-Type", media)
	w.Header().Set("Content-Disposition", `attachment; filename="`+id.String()+"."+string(format)+`"`)
	to := newPatient(w, r)
	if err := a.config.Batches.WriteResult(r.Context(), caller.Tenant, id, format, to); err != nil {
		if !to.began {
			w.Header().Del("Content-Disposition")
			return err
		}
		if !errors.Is(err, context.Canceled) {
			a.config.Log.ErrorContext(r.Context(), "result of a batch broken off", "error", err, "batch_id", id)
		}
		panic(http.ErrAbortHandler)
	}
	return nil
}
