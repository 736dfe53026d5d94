package api

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/refundry/refundry/internal/audit"
	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/batch"
	"github.com/refundry/refundry/internal/openapi"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

const (
	auditDefault  = 50
	auditMax      = 200
	auditLook     = 500  // entries that are read at a time
	auditLooks    = 10   // then a page ends, however few have fit
	auditKindsMax = 20   // that a list is narrowed to
	kindLetters   = 100  // of a kind
	actorLetters  = 1000 // of an actor
)

func (a *API) auditOperations() []operation {
	return []operation{
		{
			method: "GET", path: "/v1/audit", id: "listAudit", tag: tagAudit, summary: "Read the audit trail",
			doc: "Who did what, and when; the newest first. Filters narrow the list, all of them together. A page may have " +
				"fewer entries than its limit, or none, although there is more: go on from `next` while `has_more` is true.",
			scope: scopeReadAudit, parameters: auditFilters, codes: []code{codeNotFound}, serve: a.listAudit,
			answers: ok("Entries, the newest first.", page("AuditPage", "entries", auditSchema)),
		},
		{
			method: "GET", path: "/v1/audit/checkpoint", id: "getAuditCheckpoint", tag: tagAudit, summary: "Read a checkpoint",
			doc: "Keep it elsewhere: `refundry verify --checkpoint` proves later that nothing before it was changed, and " +
				"nothing left out.",
			scope: scopeReadAudit, serve: a.getCheckpoint, codes: []code{codeNotFound},
			parameters: []openapi.Parameter{inQuery("number", commitNumber, "Of a commit; the newest, unless it is named.")},
			answers:    ok("The chain at a commit.", checkpointSchema),
		},
		{
			method: "GET", path: "/v1/audit/export", id: "exportAudit", tag: tagAudit, summary: "Export the audit trail",
			doc: "NDJSON: each commit in which the tenant has a part, each followed by its events with exactly what the " +
				"digest covers, and a checkpoint at the end. `refundry audit check` checks such a file without the database. " +
				"An answer that breaks off is no export.",
			scope: scopeReadAudit, serve: a.exportAudit, codes: []code{codeNotFound},
			parameters: []openapi.Parameter{
				inQuery("first", commitNumber, "The first commit; 1, unless it is named."),
				inQuery("last", commitNumber, "The last commit; the newest, unless an earlier one is named."),
			},
			answers: []openapi.Answer{{
				Status: http.StatusOK, Doc: "The export.", Headers: []openapi.Header{headerDisposition},
				Contents: []openapi.Content{{Media: mediaLines, Schema: linesOf(exportSchema)}},
			}},
		},
		{
			method: "POST", path: "/v1/audit/erase-person", id: "erasePerson", tag: tagOperators, summary: "Erase a person",
			doc: "The key is destroyed under which name and address of a person are kept in the trail: they can never be read " +
				"again, and the chain stays verifiable. What the person does later under the same name is kept without it. " +
				"Sent again, it changes nothing.",
			access: forOperators, takesUser: true, body: erasureRequest, codes: []code{codeNotFound}, serve: a.erasePerson,
			answers: ok("Who was erased.", shown("Erasure", "A person who was erased.", must("person", personID, ""))),
		},
	}
}

// commitNumber names a commit.
var commitNumber = showing(whole(1, 1<<53, 1), 1)

// auditFilters are what readAuditFilter reads.
var auditFilters = append([]openapi.Parameter{
	inQuery("actor", &openapi.Schema{Type: openapi.String, LengthMax: actorLetters, Example: "operator:local"},
		"Only what this actor did: `key:…`, `operator:…`, or a part of Refundry."),
	inQuery("kind", &openapi.Schema{
		Type: openapi.Array, ItemsMax: auditKindsMax, Example: []string{"refund"},
		Items: &openapi.Schema{Type: openapi.String, LengthMax: kindLetters},
	}, "Only events of this kind, as in `refund.approved`, or of this group of kinds, as in `refund`. Named several times: "+
		"of any of them."),
	inQuery("payment", showing(paymentNameRequest, exampleID("pay")), "Only what is about this payment."),
	inQuery("subject", &openapi.Schema{Type: openapi.String, LengthMax: nameMax, Example: exampleID("rfd")},
		"Only what is about this: the id of a refund, dispute, endpoint, key …"),
	inQuery("user", &openapi.Schema{
		Type: openapi.String, LengthMax: wire.UserMax, Pattern: "^[!-~]*$", Example: "anna@shop.example",
	}, "Only what was done on behalf of this person; it is found after the person was erased, too."),
	inQuery("person", personID, "As `user`, by the person's id."),
	inQuery("from", showing(filterTime, "2026-03-01T00:00:00Z"), "Only what was committed at this time or later."),
	inQuery("until", showing(filterTime, "2026-04-01T00:00:00Z"), "Only what was committed at this time or earlier."),
}, pageParameters(auditDefault, auditMax)...)

// auditFilter is what a list of entries is narrowed to. Zero fields do not.
type auditFilter struct {
	audit.Range

	actor   string
	kinds   []string
	subject [16]byte
}

// fits reports whether an entry is let through.
func (f auditFilter) fits(e audit.Entry) bool {
	group, _, _ := strings.Cut(string(e.Kind), ".")
	return (f.actor == "" || e.Actor == f.actor) && (f.subject == [16]byte{} || e.Subject == f.subject) &&
		(len(f.kinds) == 0 || slices.Contains(f.kinds, string(e.Kind)) || slices.Contains(f.kinds, group))
}

func (a *API) readAuditFilter(ctx context.Context, caller auth.Identity, query url.Values) (f auditFilter, limit int, err error) {
	q := &filters{query: query}
	f.actor, f.kinds = query.Get("actor"), query["kind"]
	if len(f.actor) > actorLetters {
		q.wrong("actor", "must have at most "+strconv.Itoa(actorLetters)+" letters")
	}
	if len(f.kinds) > auditKindsMax || slices.ContainsFunc(f.kinds, func(kind string) bool { return len(kind) > kindLetters }) {
		q.wrong("kind", "must be named at most "+strconv.Itoa(auditKindsMax)+" times, with at most "+
			strconv.Itoa(kindLetters)+" letters")
	}
	if !parseParameter(query, "person", &f.Person) {
		q.wrong("person", "must be an id as it was answered")
	}
	if user := query.Get("user"); user != "" {
		if !wire.IsVisible(user, wire.UserMax) {
			q.wrong("user", "must have at most "+strconv.Itoa(wire.UserMax)+" visible ASCII characters")
		}
		named := payment.PersonOf(caller.Tenant, user)
		if !f.Person.IsZero() && f.Person != named {
			q.wrong("user", "must be the name of person, where both are given")
		}
		f.Person = named
	}
	var from, until time.Time
	var noPlace payment.Place
	after, ok := payment.ParseCursor(query.Get("after"))
	if query.Del("after"); !ok {
		q.wrong("after", "must be the next of an earlier answer")
	}
	f.Before = after
	q.page(&from, &until, &noPlace, &limit, auditDefault, auditMax)
	if err := a.readSubject(ctx, caller, q, &f); err != nil || q.err != nil {
		return f, 0, errors.Join(q.err, err)
	}
	if !from.IsZero() {
		if f.First, err = a.config.Audit.CommitAt(ctx, from); err != nil {
			return f, 0, err
		}
	}
	if !until.IsZero() {
		f.End, err = a.config.Audit.CommitAt(ctx, until.Add(time.Microsecond))
	}
	return f, limit, err
}

// readSubject reads which payment, and what else, entries are to be about. The
// payment of a refund or dispute is looked up: by it, its entries are found.
func (a *API) readSubject(ctx context.Context, caller auth.Identity, q *filters, f *auditFilter) (err error) {
	if text := q.query.Get("payment"); text != "" {
		if f.Payment, err = a.paymentNamed(ctx, caller, text); err != nil {
			return err
		}
	}
	text := q.query.Get("subject")
	if text == "" {
		return nil
	}
	known := false
	for _, parse := range subjects {
		if f.subject, known = parse(text); known {
			break
		}
	}
	if !known {
		q.wrong("subject", "must be an id as it was answered")
		return nil
	}
	var view payment.View
	switch prefix, _, _ := strings.Cut(text, "_"); {
	case !f.Payment.IsZero():
		return nil
	case prefix == "rfd":
		view, err = a.config.Reader.Refund(ctx, caller.Tenant, f.subject)
	case prefix == "dsp":
		view, err = a.config.Reader.ViewOfDispute(ctx, caller.Tenant, f.subject)
	case prefix == "pay":
		f.Payment = f.subject
		return nil
	}
	f.Payment = view.Payment.ID
	return err
}

// subjects read the ids of what events are about.
var subjects = []func(text string) ([16]byte, bool){
	subjectOf[payment.PaymentID], subjectOf[payment.RefundID], subjectOf[payment.DisputeID],
	subjectOf[payment.OrderID], subjectOf[payment.PayoutID], subjectOf[payment.ResourceID], subjectOf[batch.ID],
	subjectOf[payment.EndpointID], subjectOf[auth.CredentialID], subjectOf[payment.TenantID],
	subjectOf[payment.PersonID],
}

func subjectOf[T ~[16]byte, P interface {
	*T
	Parse(text string) error
}](text string) ([16]byte, bool) {
	var parsed T
	err := P(&parsed).Parse(text)
	return parsed, err == nil && [16]byte(parsed) != [16]byte{} // the zero id would narrow nothing
}

// listAudit shows entries of the trail, the newest first. What fits is sought
// among so many entries and no more: a page costs the same however long the
// trail is. Each payment that it shows is read whole, once.
func (a *API) listAudit(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	filter, limit, err := a.readAuditFilter(r.Context(), caller, r.URL.Query())
	if err != nil {
		return err
	}
	filter.Limit = auditLook
	shower := &auditShower{api: a, tenant: caller.Tenant, views: map[payment.PaymentID]*rewound{}}
	to := newWriter()
	to.begin("")
	to.beginList("entries")
	count, hasMore := 0, true
	for look := 0; look < auditLooks && hasMore && count < limit; look++ {
		entries, err := a.config.Audit.Trail(r.Context(), caller.Tenant, filter.Range)
		if err != nil {
			return err
		}
		hasMore = len(entries) == auditLook
		for i, entry := range entries {
			if count == limit {
				hasMore = true // at least this one
				break
			}
			filter.Before = entries[i].Cursor
			if !filter.fits(entry) {
				continue
			}
			if err := shower.show(r.Context(), to, entry); err != nil {
				return err
			}
			count++
		}
	}
	to.endList()
	showNext(to, filter.Before != payment.Cursor{}, filter.Before.String(), hasMore)
	to.end()
	write(w, http.StatusOK, false, to.text)
	return nil
}

// checkpointSchema is what getCheckpoint writes.
var checkpointSchema = shown("AuditCheckpoint", "The chain at one commit.",
	must("tenant", tenantID, "Who has asked."),
	must("number", commitNumber, "Of the commit, among those of all tenants."),
	must("hash", someHash, "Of this commit and, through it, of all before it."),
	must("at", someTime, "When it was committed."),
	may("digest", someHash, "Of the tenant's own part of the commit. Absent: it has none."),
)

var someHash = &openapi.Schema{
	Name: "SHA256", Doc: "A SHA-256 digest, in hexadecimal.", Type: openapi.String, Pattern: "^[0-9a-f]{64}$",
	Example: strings.Repeat("0f", 32),
}

// getCheckpoint shows the chain at a commit.
func (a *API) getCheckpoint(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	number, err := commitParameter(r, "number")
	if err != nil {
		return err
	}
	found, err := a.config.Audit.Checkpoint(r.Context(), caller.Tenant, number)
	if err != nil {
		return err
	}
	to := newWriter()
	to.begin("")
	named(to, "tenant", caller.Tenant)
	to.number("number", found.Number)
	to.string("hash", hex.EncodeToString(found.Hash[:]))
	to.time("at", found.At)
	to.maybe("digest", hex.EncodeToString(found.Digest))
	to.end()
	write(w, http.StatusOK, false, to.text)
	return nil
}

// commitParameter reads the number of a commit; 0: it is not named.
func commitParameter(r *http.Request, name string) (int64, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return 0, nil
	}
	number, ok := parseWhole(text, 1, 1<<53)
	if !ok {
		return 0, wrongParameter(name, "must be a whole number from 1 to 9007199254740992")
	}
	return number, nil
}

// exportAudit writes a part of the trail with what its digests cover. An export
// that fails on its way breaks the connection: half of one must not be taken
// for all.
func (a *API) exportAudit(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	first, err := commitParameter(r, "first")
	if err != nil {
		return err
	}
	last, err := commitParameter(r, "last")
	if err != nil {
		return err
	}
	if last > 0 && first > last {
		return wrongParameter("first", "must not be behind last")
	}
	w.Header().Set("Content-Type", mediaLines)
	w.Header().Set("Content-Disposition", `attachment; filename="audit_`+caller.Tenant.String()+`.ndjson"`)
	to := newPatient(w, r)
	if err := audit.Export(r.Context(), a.config.Audit, caller.Tenant, first, last, to); err != nil {
		if !to.began {
			w.Header().Del("Content-Disposition")
			return err
		}
		if !errors.Is(err, context.Canceled) {
			a.config.Log.ErrorContext(r.Context(), "export of the audit trail broken off", "error", err)
		}
		panic(http.ErrAbortHandler)
	}
	return nil
}

// erasureRequest is what erasePerson reads.
var erasureRequest = &openapi.Schema{
	Name: "ErasureRequest", Doc: "A person who is erased: by name, or by the id that the trail shows.", Type: openapi.Object,
	IsClosed: true, OneOf: []*openapi.Schema{having("user"), having("person")}, Members: []openapi.Member{
		may("user", neededText(wire.UserMax, "anna@shop.example"), "As the header `"+wire.HeaderUser+"` has named the person."),
		may("person", neededText(nameMax, exampleID("per")), "The person's id."),
	},
}

// erasePerson destroys the key of a person.
func (a *API) erasePerson(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	in, err := a.read(w, r)
	if err != nil {
		return err
	}
	in.only(erasureRequest.Members)
	var person payment.PersonID
	switch byName, byID := !in.value.Get("user").Is(wire.Absent), !in.value.Get("person").Is(wire.Absent); {
	case byName == byID:
		in.wrong("", "needs exactly one of user and person")
	case byName:
		person = payment.PersonOf(caller.Tenant, in.required("user", wire.UserMax))
	default:
		_ = person.Parse(in.required("person", nameMax)) // the zero id is nobody's
	}
	if err := in.err(); err != nil {
		return err
	}
	who := by(r, caller)
	if err := a.config.Audit.ErasePerson(r.Context(), payment.Event{
		Tenant: caller.Tenant, Kind: payment.EventPersonErased, Subject: person, At: a.config.Now(), Actor: who.Actor,
		Request: who.Request, User: who.User, Address: who.Address,
	}); err != nil {
		return err
	}
	to := newWriter()
	to.begin("")
	named(to, "person", person)
	to.end()
	write(w, http.StatusOK, false, to.text)
	return nil
}
