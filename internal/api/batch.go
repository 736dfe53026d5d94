package api

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/batch"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/openapi"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

const (
	batchesDefault = 50
	batchesMax     = batch.ListMax
)

func (a *API) batchOperations() []operation {
	one := []openapi.Parameter{pathID(batchID)}
	control := func(word, summary, doc, answer string, do controlBatch) operation {
		return operation{
			method: "POST", path: "/v1/batches/{id}/" + word, id: word + "Batch", tag: tagBatches, summary: summary, doc: doc,
			scope: scopeWriteRefunds, takesUser: true, parameters: one, answers: ok(answer, batchSchema),
			codes: codesOf(payment.RuleStatus), serve: a.controlBatch(do),
		}
	}
	return append([]operation{
		{
			method: "POST", path: "/v1/batches", id: "createBatch", tag: tagBatches, summary: "Create a batch",
			doc:   "An empty one: its rows are sent next, then it is started. Nothing is refunded before.",
			scope: scopeWriteRefunds, takesKey: true, body: batchRequest, serve: a.createBatch,
			answers: created("The batch, empty.", batchSchema, headerLocation),
		},
		{
			method: "GET", path: "/v1/batches", id: "listBatches", tag: tagBatches, summary: "List batches",
			doc: "The newest first.", scope: scopeReadRefunds, parameters: batchFilters, serve: a.listBatches,
			answers: ok("Batches, the newest first.", page("BatchPage", "batches", batchSchema)),
		},
		{
			method: "GET", path: "/v1/batches/{id}", id: "getBatch", tag: tagBatches, summary: "Read a batch",
			doc: "Its counts say how far it is.", scope: scopeReadRefunds, parameters: one, serve: a.getBatch,
			answers: ok("The batch as it is now.", batchSchema),
		},
		a.rowsOperation(one),
		control("start", "Start a batch", "Who starts it asks for its refunds. A batch that runs already is left as it is.",
			"The batch, running.", (*batch.Clerk).Start),
		control("pause", "Pause a batch", "It stops once the rows that are being worked on are done.", "The batch, paused.",
			(*batch.Clerk).Pause),
		control("resume", "Resume a batch", "It goes on with the rows that wait.", "The batch, running.", (*batch.Clerk).Resume),
		control("cancel", "Cancel a batch", "Rows that wait are skipped. What was refunded stays refunded.",
			"The batch, canceled.", (*batch.Clerk).Cancel),
	}, a.resultOperation(one))
}

var (
	batchID  = idOf("BatchID", "bat", "Names a batch.")
	batchCap = taken("BatchCap", "The most that a batch refunds in a currency.",
		must("amount", neededAmount(500_000), "In minor units."), must("currency", someCurrency, ""))
)

// batchRequest is what decodeBatch reads.
var batchRequest = taken("BatchRequest", "How a batch is worked through.",
	may("reference", anyText(nameMax, "recall-2026-03"), "What you call it."),
	may("is_dry_run", anyFlag(true), "Every row is decided by the same rules, and nothing is refunded."),
	may("per_second", whole(1, batch.PerSecondMax, 50), "The most refunds a second. Absent: as many as there can be."),
	may("caps", &openapi.Schema{
		Type: openapi.Array, ItemsMax: batch.CapsMax, Items: batchCap,
		Example: []any{map[string]any{"amount": 500_000, "currency": "EUR"}},
	}, "The most that is refunded, per currency. The row that would pass its cap is skipped, and so are all after it in its "+
		"currency. With any cap, no other currency is refunded."),
	may("pauses_on_failure", anyFlag(true), "It pauses at the first row that is refused; the rows behind it wait. They are "+
		"decided one at a time, which is slower."),
)

func decodeBatch(in object) batch.Options {
	in.only(batchRequest.Members)
	options := batch.Options{
		Reference:       in.text("reference", nameMax),
		IsDryRun:        in.flag("is_dry_run"),
		PerSecond:       int(in.number("per_second", 1, batch.PerSecondMax, 0)),
		PausesOnFailure: in.flag("pauses_on_failure"),
	}
	seen := map[money.Currency]bool{}
	for _, limit := range in.objects("caps", batch.CapsMax) {
		limit.only(batchCap.Members)
		most := money.Of(limit.amount("amount"), limit.currency("currency"))
		if limit.value.Get("currency").Is(wire.Absent) {
			limit.wrong("currency", "is required")
		}
		if seen[most.Currency] {
			limit.wrong("currency", "is that of another cap")
		}
		seen[most.Currency] = most.Currency != ""
		options.Caps = append(options.Caps, most)
	}
	return options
}

// batchDigest is what an idempotency key stands for.
func batchDigest(o batch.Options) *wire.Digest {
	d := new(wire.Digest).Text("batch").Text(o.Reference).Number(int64(o.PerSecond)).Number(int64(len(o.Caps)))
	for _, limit := range o.Caps {
		d.Number(int64(limit.Minor)).Text(string(limit.Currency))
	}
	for _, flag := range []bool{o.IsDryRun, o.PausesOnFailure} {
		number := int64(0)
		if flag {
			number = 1
		}
		d.Number(number)
	}
	return d
}

// createBatch makes an empty batch.
func (a *API) createBatch(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	key, err := idempotencyKey(r)
	if err != nil {
		return err
	}
	in, err := a.read(w, r)
	if err != nil {
		return err
	}
	options := decodeBatch(in)
	if err := in.err(); err != nil {
		return err
	}
	m := meta(r, caller)
	m.Key = keyOf(caller.Tenant, keyScope, key, batchDigest(options))
	made, replayed, err := a.config.Batches.Create(r.Context(), m, options)
	if err != nil {
		return problemOfRow(a.misuse(r.Context(), err))
	}
	w.Header().Set("Location", "/v1/batches/"+made.ID.String())
	write(w, http.StatusCreated, replayed, batchJSON(made))
	return nil
}

// problemOfRow answers what is wrong with a batch's options.
func problemOfRow(err error) error {
	wrongs, ok := errors.AsType[batch.Wrongs](err)
	if !ok {
		return err
	}
	p := &problem{code: codeInvalid, detail: "the request is not valid: see errors"}
	for _, w := range wrongs {
		p.errors = append(p.errors, wrong{Pointer: w.Pointer, Detail: w.Detail})
	}
	return p
}

// batchFilters are what readBatchFilter reads.
var batchFilters = append([]openapi.Parameter{
	inQuery("status", &openapi.Schema{Type: openapi.String, Words: wordsOf(batch.Statuses...), Example: "running"},
		"Only batches that are so."),
}, pageParameters(batchesDefault, batchesMax)...)

// listBatches shows batches, the newest first.
func (a *API) listBatches(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	filter, err := readBatchFilter(r)
	if err != nil {
		return err
	}
	limit := filter.Limit
	filter.Limit++ // one more says whether there is more
	list, err := a.config.Batches.List(r.Context(), caller.Tenant, filter)
	if err != nil {
		return err
	}
	part := partOf(r, list, limit, func(b batch.Batch) string { return b.Place().String() })
	part.write(w, "batches", func(to *writer, b batch.Batch) {
		to.begin("")
		showBatch(to, b)
		to.end()
	})
	return nil
}

func readBatchFilter(r *http.Request) (filter batch.Filter, err error) {
	query := r.URL.Query()
	if text := query.Get("status"); text != "" {
		if !slices.Contains(batch.Statuses, batch.Status(text)) {
			return filter, wrongParameter("status", "must be a status of a batch")
		}
		filter.Statuses = []batch.Status{batch.Status(text)}
	}
	var known bool
	if filter.After, known = payment.ParsePlace(query.Get("after")); !known {
		return filter, wrongPlace
	}
	filter.Limit, err = limitOf(query.Get("limit"), batchesDefault, batchesMax)
	return filter, err
}

// getBatch shows a batch.
func (a *API) getBatch(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	id, err := batchNamed(r)
	if err != nil {
		return err
	}
	found, err := a.config.Batches.Get(r.Context(), caller.Tenant, id)
	if err != nil {
		return err
	}
	write(w, http.StatusOK, false, batchJSON(found))
	return nil
}

// batchNamed returns the id in a request's path.
func batchNamed(r *http.Request) (id batch.ID, err error) {
	if id.Parse(r.PathValue("id")) != nil {
		return id, payment.NoSuch("batch")
	}
	return id, nil
}

// controlBatch moves a batch.
type controlBatch func(*batch.Clerk, context.Context, payment.Meta, batch.ID) (batch.Batch, error)

func (a *API) controlBatch(do controlBatch) func(http.ResponseWriter, *http.Request, auth.Identity) error {
	return func(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
		id, err := batchNamed(r)
		if err != nil {
			return err
		}
		moved, err := do(a.config.Batches, r.Context(), meta(r, caller), id)
		if err != nil {
			return err
		}
		write(w, http.StatusOK, false, batchJSON(moved))
		return nil
	}
}

// batchSchema is what showBatch writes.
var batchSchema = shown("Batch", "Refunds that are asked for together.",
	must("id", batchID, ""),
	must("status", someWord("BatchStatus", "`receiving`: its rows have not come whole. `ready`: it can be started. `canceled`: "+
		"what waited is skipped. `done`: no row waits.", batch.Statuses...), ""),
	may("pause", someWord("BatchPause", "Why it is paused: somebody asked, a row was refused, or a policy has stopped refunds.",
		batch.PauseAsked, batch.PauseFailure, batch.PauseHalted), ""),
	may("reference", someText, "What you call it."),
	must("is_dry_run", someFlag, ""),
	may("per_second", someCount, "The most refunds a second."),
	may("caps", listOf(shownAmount), "The most that is refunded, per currency."),
	must("pauses_on_failure", someFlag, ""),
	must("rows", shown("BatchRows", "How many rows there are, by what became of them.",
		must("received", someCount, "In all. Rows that are sent next begin at this offset."),
		must("waiting", someCount, ""),
		must("refunded", someCount, "A refund was opened. How that ends, the refund says."),
		must("allowed", someCount, "A dry run: they would be refunded."),
		must("refused", someCount, "A rule said no."),
		must("invalid", someCount, "They could not be read."),
		must("skipped", someCount, "The batch was canceled, or has reached its cap."),
	), ""),
	must("sums", listOf(shownAmount), "What was refunded, or allowed by a dry run, per currency."),
	may("full_currencies", listOf(someCurrency), "Their caps were reached."),
	must("created_at", someTime, ""), may("started_at", someTime, ""), may("ended_at", someTime, ""),
	must("updated_at", someTime, ""),
	must("version", someCount, "Of the batch. Of two, the higher one is newer."),
)

var shownAmount = shown("Amount", "An amount of a currency.", must("amount", someAmount, ""), must("currency", someCurrency, ""))

func batchJSON(b batch.Batch) []byte {
	to := newWriter()
	to.begin("")
	showBatch(to, b)
	to.end()
	return to.text
}

func showBatch(w *writer, b batch.Batch) {
	named(w, "id", b.ID)
	w.string("status", string(b.Status))
	w.maybe("pause", string(b.Pause))
	w.maybe("reference", b.Reference)
	w.flag("is_dry_run", b.IsDryRun)
	if b.PerSecond > 0 {
		w.number("per_second", int64(b.PerSecond))
	}
	if len(b.Caps) > 0 {
		showAmounts(w, "caps", b.Caps)
	}
	w.flag("pauses_on_failure", b.PausesOnFailure)
	w.begin("rows")
	w.number("received", b.Received())
	for _, status := range batch.RowStatuses {
		w.number(string(status), b.Counts.Of(status))
	}
	w.end()
	showAmounts(w, "sums", b.Sums)
	if len(b.Full) > 0 {
		w.any("full_currencies", b.Full)
	}
	w.time("created_at", b.CreatedAt)
	w.time("started_at", b.StartedAt)
	w.time("ended_at", b.EndedAt)
	w.time("updated_at", b.UpdatedAt)
	w.number("version", b.Version)
}

func showAmounts(w *writer, name string, amounts []money.Amount) {
	w.beginList(name)
	for _, amount := range amounts {
		w.begin("")
		w.number("amount", int64(amount.Minor))
		w.string("currency", string(amount.Currency))
		w.end()
	}
	w.endList()
}
