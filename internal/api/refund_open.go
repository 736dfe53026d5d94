package api

import (
	"net/http"
	"slices"

	"github.com/refundry/refundry/internal/id"
	"github.com/refundry/refundry/internal/openapi"
	"github.com/refundry/refundry/internal/payment"
)

var groupID = idOf("GroupID", "grp", "Names refunds that one request has opened together.")

// someDigest is how [payment.Digest] looks.
var someDigest = &openapi.Schema{
	Name: "Digest", Doc: "Stands for something that somebody has seen.", Type: openapi.String,
	Example: "9f86d081884c7d659a2feaa0c55ad015",
}

// refundOpened is what writeGroup writes.
var refundOpened = shown("OpenedRefund", "A refund that was asked for. Where the processor refunds captures, a request that "+
	"reaches over several becomes one refund for each: this is the first.",
	append(slices.Clone(refundMembers),
		may("group_refunds", listOf(refundID),
			"The other refunds that the request has opened. Absent: none, or nobody has asked."),
	)...)

// writeOpened answers with a refund that was opened.
func writeOpened(w http.ResponseWriter, replayed bool, answer payment.Answer) {
	w.Header().Set("Location", "/v1/refunds/"+answer.Refund.ID.String())
	writeGroup(w, http.StatusCreated, replayed, answer)
}

// writeGroup answers with a refund, and names those that were opened with it.
func writeGroup(w http.ResponseWriter, status int, replayed bool, answer payment.Answer) {
	to := newWriter()
	to.begin("")
	showRefundMembers(to, answer.Refund)
	if !answer.Refund.Group.IsZero() {
		to.beginList("group_refunds")
		for _, other := range answer.View.Group(answer.Refund.ID) {
			if other.ID != answer.Refund.ID {
				to.string("", other.ID.String())
			}
		}
		to.endList()
	}
	to.end()
	write(w, status, replayed, to.text)
}

// takenID is what [readID] takes. Of the last letter's five bits three are of the id.
func takenID(prefix string) *openapi.Schema {
	return &openapi.Schema{
		Type: openapi.String, IsNullable: true, Pattern: "^" + prefix + "_[0-9a-hjkmnp-tv-z]{25}[048cgmrw]$",
		Example: prefix + "_06e40bvx550000000000000004",
	}
}

// readID reads an id of a kind; zero if it is absent or null.
func readID[I id.ID[K], K id.Kind](o object, name string) (read I) {
	value := o.value.Get(name)
	if !value.IsGiven() {
		return read
	}
	text, _ := value.Text()
	var found id.ID[K]
	if found.Parse(text) != nil || found.IsZero() { // the zero id names nothing, which is not to be taken for absent
		o.wrong(name, "must be an id as it was answered")
	}
	return I(found)
}
