package api

import (
	"bytes"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/openapi"
	"github.com/refundry/refundry/internal/wire"
)

// operation is one thing that can be asked for. The mux, the answers to wrong
// paths and methods, and the document all come from the table of them.
type operation struct {
	method, path string
	id           string // its name in the document, and of its example
	tag          tag
	summary      string
	doc          string
	access       access
	scope        scope // that a key needs
	takesKey     bool  // an Idempotency-Key
	takesUser    bool  // a Refundry-User: the person on whose behalf a key calls
	parameters   []openapi.Parameter
	body         *openapi.Schema // nil: it takes none
	bodyMedia    string          // empty: JSON
	answers      []openapi.Answer
	codes        []code // besides those that follow from the rest
	isUnlisted   bool   // it is not in the document
	serve        func(w http.ResponseWriter, r *http.Request, caller auth.Identity) error
}

// access says who may call an operation.
type access int

const (
	forMerchants access = iota // with a key; an operator names the tenant
	forOperators               // an operator, for one tenant
	forAll                     // an operator, for all tenants
	forAnybody                 // without a key
)

// tag is a group of operations in the document.
type tag string

// The tags.
const (
	tagPayments   tag = "Payments"
	tagRefunds    tag = "Refunds"
	tagBatches    tag = "Batches"
	tagDisputes   tag = "Disputes"
	tagEvents     tag = "Events"
	tagEndpoints  tag = "Webhook endpoints"
	tagDeliveries tag = "Deliveries"
	tagLedger     tag = "Ledger"
	tagReports    tag = "Reports"
	tagAudit      tag = "Audit"
	tagOperators  tag = "For operators"
	tagDocument   tag = "Document"
)

// operations returns the table.
func (a *API) operations() []operation {
	all := slices.Concat(
		a.paymentOperations(), a.refundOperations(), a.batchOperations(), a.disputeOperations(), a.eventOperations(),
		a.endpointOperations(), a.deliveryOperations(), a.ledgerOperations(), a.reportOperations(), a.auditOperations(),
		a.operatorOperations(), a.documentOperations(),
	)
	for i := range all { // whoever changes something may say on whose behalf
		all[i].takesUser = all[i].takesUser || all[i].method != http.MethodGet && all[i].access != forAnybody
	}
	return all
}

// Register adds the API's routes to a mux.
func (a *API) Register(mux *http.ServeMux) {
	mux.HandleFunc("/v1/", a.noRoute)
	known := map[string]bool{}
	for _, operation := range a.table {
		mux.HandleFunc(operation.method+" "+operation.path, a.answer(operation))
		if !strings.HasPrefix(operation.path, "/v1/") && !known[operation.path] {
			known[operation.path] = true
			mux.HandleFunc(operation.path, a.noRoute)
		}
	}
}

// answer lets an operation's callers in and answers what went wrong.
func (a *API) answer(o operation) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		wire.OnBug(r, func(w http.ResponseWriter) { a.fail(w, r, wire.ErrBug) })
		caller, err := a.admit(r, o.access, o.scope)
		if err == nil && r.URL.RawQuery != "" {
			err = o.checkQuery(r)
		}
		if err == nil && o.body == nil && r.Method != http.MethodGet {
			err = a.checkNoBody(w, r)
		}
		if err == nil && o.takesUser {
			_, err = userOf(r)
		}
		if err == nil {
			err = o.serve(w, r, caller)
		}
		if err != nil {
			a.fail(w, r, err)
		}
	}
}

// checkQuery refuses parameters that are not known: a misspelled filter would
// narrow nothing, and what somebody hopes to be a dry run would move money. Their
// names are not repeated: a name may be a secret. Of a parameter that is given
// twice only one would count; one that is empty, as when a script's variable was
// not set, would narrow nothing, but for the place where a list begins. A page for
// anybody may be linked to with anything.
func (o operation) checkQuery(r *http.Request) error {
	if o.access == forAnybody {
		return nil
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return wrongParameter("", "is not a query of parameters")
	}
	for _, name := range sortedKeys(query) {
		at := slices.IndexFunc(o.parameters, func(p openapi.Parameter) bool { return p.In == "query" && p.Name == name })
		if at < 0 {
			return o.wrongName()
		}
		if len(query[name]) > 1 && o.parameters[at].Schema.Type != openapi.Array {
			return wrongParameter(name, "is given more than once")
		}
		if name != "after" && slices.Contains(query[name], "") {
			return wrongParameter(name, "is empty")
		}
	}
	return nil
}

// wrongName says which parameters the query may have.
func (o operation) wrongName() error {
	var known []string
	for _, parameter := range o.parameters {
		if parameter.In == "query" {
			known = append(known, parameter.Name)
		}
	}
	if len(known) == 0 {
		return wrongParameter("", "has a parameter, and none is known here")
	}
	return wrongParameter("", "has a parameter that is not one of "+strings.Join(known, ", "))
}

// checkNoBody refuses a body that says something to an operation that would not
// read it: what somebody asks for in it would not happen.
func (a *API) checkNoBody(w http.ResponseWriter, r *http.Request) error {
	text, err := wire.Body(w, r, a.config.BodyMax)
	if err == nil {
		var in object
		if in, err = parse(bytes.TrimSpace(text)); err == nil && len(in.value.Names()) == 0 {
			return nil
		}
	}
	return &problem{code: codeInvalid, detail: "there is no body here: send none, or an object without members"}
}

// noRoute answers what no operation answers: a wrong method, or nothing at all.
func (a *API) noRoute(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, operation := range a.table {
		if matches(operation.path, r.URL.Path) && !slices.Contains(allowed, operation.method) {
			allowed = append(allowed, operation.method)
		}
	}
	if len(allowed) == 0 {
		a.fail(w, r, &problem{code: codeNotFound, detail: "there is nothing at this path"})
		return
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	a.fail(w, r, &problem{code: codeMethod, detail: "this path takes " + strings.Join(allowed, ", ")})
}

// matches reports whether a path fits a pattern of segments.
func matches(pattern, path string) bool {
	wanted, given := strings.Split(pattern, "/"), strings.Split(path, "/")
	return slices.EqualFunc(wanted, given, func(want, give string) bool {
		return want == give || strings.HasPrefix(want, "{") && give != ""
	})
}

// isWithID reports whether the operation is about something that its path names.
func (o operation) isWithID() bool { return strings.Contains(o.path, "{") }

// isOperators reports whether only an operator may ask for it.
func (o operation) isOperators() bool { return o.access == forOperators || o.access == forAll }

// allCodes returns every code that the operation answers with.
func (o operation) allCodes() []code {
	all := slices.Concat(o.codes, []code{codeInternal, codeUnavailable})
	if o.access != forAnybody {
		all = append(all, codeUnauthorized, codeInvalid)
	}
	switch {
	case o.isOperators():
		all = append(all, codeForbidden)
	case o.scope != "":
		all = append(all, codeScope)
	}
	if o.isWithID() || o.access == forOperators { // who may name a tenant that is not there
		all = append(all, codeNotFound)
	}
	if o.body != nil && o.bodyMedia == "" {
		all = append(all, codeJSON, codeBody, codeTooLarge, codeMediaType, codeCardNumber)
	}
	if o.takesUser {
		all = append(all, codeCardNumber)
	}
	if o.takesKey {
		all = append(all, codeKey, ruleCodes["key_misuse"])
	}
	slices.Sort(all)
	return slices.Compact(all)
}
