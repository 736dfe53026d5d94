package api

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/openapi"
	"github.com/refundry/refundry/internal/payment"
)

func (a *API) reasonOperations() []operation {
	return []operation{
		{
			method: "GET", path: "/v1/reasons", id: "listReasons", tag: tagRefunds, summary: "Read the catalogue of reasons",
			doc:   "The reasons that refunds may have. Without any, a refund may have any reason.",
			scope: scopeReadRefunds, answers: ok("The catalogue.", reasonCatalogue), serve: a.listReasons,
		},
		{
			method: "PUT", path: "/v1/reasons", id: "putReasons", tag: tagOperators, summary: "Replace the catalogue of reasons",
			doc: "A code that a refund has cannot be taken out again: what a refund was for stays known. Titles and words may " +
				"change.",
			access: forOperators, body: reasonsRequest, answers: ok("The catalogue, as it is now.", reasonCatalogue),
			codes: []code{codeReasonUsed, codeConflict}, serve: a.putReasons,
		},
	}
}

const (
	codeReasonUsed code = "reason_in_use"

	reasonsMax = 100
)

// wordsAtDoors are the reasons of front doors that have a list of their own.
var wordsAtDoors = []struct {
	door  payment.Door
	words []string
}{
	{"ping", []string{"fraudulent", "requested_by_customer", "other"}},
}

// doorWords is what a reason is called at front doors, as one of a few words.
func doorWords(word func(words []string) *openapi.Schema) []openapi.Member {
	var members []openapi.Member
	for _, at := range wordsAtDoors {
		members = append(members, may(string(at.door), word(at.words), "Absent: nobody has said."))
	}
	return members
}

// reasonCatalogue is what writeReasons writes.
var reasonCatalogue = shown("ReasonCatalogue", "The reasons that refunds may have.",
	must("is_required", someFlag, "Whether a refund must have a reason."),
	must("reasons", listOf(shown("Reason", "A reason that a refund may have.",
		must("code", someText, "What a refund names."),
		may("title", someText, "What people read. Absent: the code says it."),
		may("doors", shown("ReasonWords", "What front doors call it that have words of their own.",
			doorWords(func(words []string) *openapi.Schema { return &openapi.Schema{Type: openapi.String, Words: words} })...,
		), "Absent: nobody has said."),
	)), "In their order. Empty: any reason is taken."),
)

var codePattern = regexp.MustCompile(`^[a-z][a-z0-9_.-]*$`)

// reasonsRequest is what decodeReasons reads.
var reasonsRequest = taken("ReasonsRequest", "A catalogue of reasons.",
	must("reasons", &openapi.Schema{
		Type: openapi.Array, ItemsMax: reasonsMax, Items: reasonRequest,
		Example: []any{map[string]any{"code": "returned", "title": "Goods came back", "doors": map[string]any{"ping": "other"}}},
	}, "All of it, in its order; none: any reason is taken."),
	may("is_required", anyFlag(true), "Whether a refund must have a reason. Absent: as before."),
)

var reasonRequest = taken("ReasonRequest", "A reason that a refund may have.",
	must("code", &openapi.Schema{
		Type: openapi.String, LengthMin: 1, LengthMax: nameMax, Pattern: codePattern.String(), Example: "returned",
	}, "What a refund names. No two have the same."),
	may("title", anyText(nameMax, "Goods came back"), "What people read."),
	may("doors", reasonDoors, "What front doors call it that have words of their own."),
)

var reasonDoors = func() *openapi.Schema {
	schema := taken("", "", doorWords(func(words []string) *openapi.Schema { return anyWord(words...) })...)
	schema.IsNullable = true
	return schema
}()

// listReasons shows the catalogue.
func (a *API) listReasons(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	tenant, err := a.config.Auth.Tenant(r.Context(), caller.Tenant)
	if err != nil {
		return err
	}
	to := newWriter()
	to.begin("")
	to.flag("is_required", payment.PolicyReasonRequired.Of(tenant.Settings))
	to.beginList("reasons")
	for _, reason := range payment.ReasonsOf(tenant.Settings) {
		showReason(to, reason)
	}
	to.endList()
	to.end()
	write(w, http.StatusOK, false, to.text)
	return nil
}

func showReason(w *writer, reason payment.Reason) {
	w.begin("")
	w.string("code", reason.Code)
	w.maybe("title", reason.Title)
	if len(reason.Words) > 0 {
		w.begin("doors")
		for _, at := range wordsAtDoors {
			w.maybe(string(at.door), reason.Words[at.door])
		}
		w.end()
	}
	w.end()
}

// putReasons replaces the catalogue.
func (a *API) putReasons(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	in, err := a.read(w, r)
	if err != nil {
		return err
	}
	in.only(reasonsRequest.Members)
	reasons := decodeReasons(in)
	isRequired := in.flag("is_required")
	if err := in.err(); err != nil {
		return err
	}
	changes := payment.ReasonSettings(reasons)
	if in.value.Get("is_required").IsGiven() {
		changes[payment.PolicyReasonRequired.Name] = isRequired
	}
	if err := a.keepUsedReasons(r.Context(), caller.Tenant, changes[payment.PolicyReasons.Name]); err != nil {
		return err
	}
	if err := a.config.Auth.SetSettings(r.Context(), by(r, caller), caller.Tenant, changes); err != nil {
		return err
	}
	return a.listReasons(w, r, caller)
}

func decodeReasons(in object) []payment.Reason {
	if !in.value.Get("reasons").IsGiven() {
		in.wrong("reasons", "is required")
	}
	var reasons []payment.Reason
	for _, each := range in.objects("reasons", reasonsMax) {
		each.only(reasonRequest.Members)
		reason := payment.Reason{Code: each.required("code", nameMax), Title: each.text("title", nameMax)}
		if reason.Code != "" && !codePattern.MatchString(reason.Code) {
			each.wrong("code", "must be small letters, digits, and . _ - after the first letter")
		}
		if slices.ContainsFunc(reasons, func(other payment.Reason) bool { return other.Code == reason.Code }) {
			each.wrong("code", "is there already, with what is known of it")
		}
		if doors, ok := each.object("doors"); ok {
			doors.only(reasonDoors.Members)
			for _, at := range wordsAtDoors {
				word := doors.word(string(at.door), at.words...)
				if word == "" {
					continue
				}
				if reason.Words == nil {
					reason.Words = map[payment.Door]string{}
				}
				reason.Words[at.door] = word
			}
		}
		reasons = append(reasons, reason)
	}
	return reasons
}

// keepUsedReasons refuses a list of codes in which one is missing that was
// there, and that a refund has. A refund that takes it at this moment keeps it.
func (a *API) keepUsedReasons(ctx context.Context, tenant payment.TenantID, codes any) error {
	before, err := a.config.Auth.Tenant(ctx, tenant)
	if err != nil {
		return err
	}
	stay, _ := codes.([]string) // nil: the default, which has none
	gone := slices.DeleteFunc(slices.Clone(payment.PolicyReasons.Of(before.Settings)), func(code string) bool {
		return slices.Contains(stay, code)
	})
	if len(gone) == 0 {
		return nil
	}
	used, err := a.config.Lists.UsedReasons(ctx, tenant, gone)
	if err != nil {
		return err
	}
	if len(used) > 0 {
		return &problem{code: codeReasonUsed, detail: "refunds have the reason " + strings.Join(used, ", ")}
	}
	return nil
}
