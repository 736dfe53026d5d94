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
	"github.com/refundry/refundry/internal/setting"
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
			doc: "A code that a refund has cannot be taken out again, and cannot come to mean something else: what a refund " +
				"was for stays known. Retire it, and add another. A title, or a door's word, may be added where there was none.",
			access: forOperators, body: reasonsRequest, answers: ok("The catalogue, as it is now.", reasonCatalogue),
			codes: []code{codeReasonUsed}, serve: a.putReasons,
		},
	}
}

const (
	codeReasonUsed code = "reason_in_use"

	reasonsMax = payment.ReasonsMax
	doorsMax   = 20 // more than there are
)

// wordsAtDoors are the front doors at which a refund says why, each with what
// it takes.
var wordsAtDoors = []struct {
	door payment.Door
	doc  string
}{
	{"ping", "One of `fraudulent`, `requested_by_customer`, `other`, or of the setting `ping.extra_reasons`."},
	{"primer", "A text."},
}

// doorWords is what a reason is called at front doors.
func doorWords(word *openapi.Schema) []openapi.Member {
	var members []openapi.Member
	for _, at := range wordsAtDoors {
		members = append(members, may(string(at.door), word, at.doc))
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
			doorWords(someText)...,
		), "Absent: nobody has said."),
		may("default_at", listOf(someText), "Front doors at which a refund has it where nothing says another. Absent: none."),
		must("is_retired", someFlag, "Whether only refunds have it that had it before: no other may take it."),
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
	may("doors", reasonDoors, "What front doors call it that have words of their own. Of reasons that a door calls alike, "+
		"what it asks for has the first."),
	may("default_at", anyTexts(doorsMax, "chip"), "Front doors at which a refund has it where nothing says another: that say "+
		"nothing of reasons, or whose word is no reason's."),
	may("is_retired", anyFlag(false), "Whether no other refund may take it."),
)

var reasonDoors = func() *openapi.Schema {
	schema := taken("", "", doorWords(anyText(nameMax, "other"))...)
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
	if len(reason.DefaultAt) > 0 {
		w.any("default_at", wordsOf(reason.DefaultAt...))
	}
	w.flag("is_retired", reason.IsRetired)
	w.end()
}

// putReasons replaces the catalogue.
func (a *API) putReasons(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	in, err := a.read(w, r)
	if err != nil {
		return err
	}
	in.only(reasonsRequest.Members)
	before, err := a.config.Auth.Tenant(r.Context(), caller.Tenant)
	if err != nil {
		return err
	}
	reasons := a.decodeReasons(in, before.Settings)
	isRequired := in.flag("is_required")
	if err := in.err(); err != nil {
		return err
	}
	changes := payment.ReasonSettings(reasons)
	if in.value.Get("is_required").IsGiven() {
		changes[payment.PolicyReasonRequired.Name] = isRequired
	}
	if err := a.config.Auth.SetSettings(r.Context(), by(r, caller), caller.Tenant, changes,
		a.keepUsedReasons(r.Context())); err != nil {
		return err
	}
	return a.listReasons(w, r, caller)
}

func (a *API) decodeReasons(in object, values setting.Values) []payment.Reason {
	if !in.value.Get("reasons").IsGiven() {
		in.wrong("reasons", "is required")
	}
	var reasons []payment.Reason
	hasDefault := map[payment.Door]bool{}
	for _, each := range in.objects("reasons", reasonsMax) {
		each.only(reasonRequest.Members)
		reason := payment.Reason{
			Code: each.required("code", nameMax), Title: each.text("title", nameMax), Words: a.decodeWords(each, values),
			IsRetired: each.flag("is_retired"),
		}
		if reason.Code != "" && !codePattern.MatchString(reason.Code) {
			each.wrong("code", "must be small letters, digits, and . _ - after the first letter")
		}
		if slices.ContainsFunc(reasons, func(other payment.Reason) bool { return other.Code == reason.Code }) {
			each.wrong("code", "is there already, with what is known of it")
		}
		for _, name := range each.texts("default_at", doorsMax) {
			door := payment.Door(name)
			if !slices.Contains(a.config.Doors, door) || hasDefault[door] {
				each.wrong("default_at", "has no front door that is known, or one that has a default already")
				break
			}
			hasDefault[door] = true
			reason.DefaultAt = append(reason.DefaultAt, door)
		}
		if reason.IsRetired && len(reason.DefaultAt) > 0 {
			each.wrong("default_at", "must be empty where nobody may take the reason")
		}
		reasons = append(reasons, reason)
	}
	return reasons
}

// decodeWords reads what front doors call a reason.
func (a *API) decodeWords(in object, values setting.Values) map[payment.Door]string {
	doors, ok := in.object("doors")
	if !ok {
		return nil
	}
	doors.only(reasonDoors.Members)
	var words map[payment.Door]string
	for _, at := range wordsAtDoors {
		word := doors.text(string(at.door), nameMax)
		if word == "" {
			continue
		}
		if listed, hasList := a.config.ReasonWords[at.door]; hasList && !slices.Contains(listed(values), word) {
			doors.wrong(string(at.door), "must be one of the door's own reasons")
		}
		if words == nil {
			words = map[payment.Door]string{}
		}
		words[at.door] = word
	}
	return words
}

// keepUsedReasons refuses changes of settings by which a code that a refund has
// would go, or mean something else. A refund that takes it at this moment keeps
// it.
func (a *API) keepUsedReasons(ctx context.Context) auth.SettingCheck {
	return func(before payment.Tenant, after setting.Values) error {
		stay := payment.ReasonsOf(after)
		var lost []string
		for _, reason := range payment.ReasonsOf(before.Settings) {
			if !slices.ContainsFunc(stay, func(now payment.Reason) bool { return now.Means(reason) }) {
				lost = append(lost, reason.Code)
			}
		}
		if len(lost) == 0 {
			return nil
		}
		used, err := a.config.Lists.UsedReasons(ctx, before.ID, lost)
		if err != nil {
			return err
		}
		if len(used) > 0 {
			return &problem{code: codeReasonUsed, detail: "refunds have the reason " + strings.Join(used, ", ")}
		}
		return nil
	}
}
