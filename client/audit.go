package client

import (
	"context"
	"encoding/json"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// AuditEntry is something that somebody did.
type AuditEntry struct {
	ID           string          `json:"id"`     // its place in the trail: that of the event in the feed
	Commit       int64           `json:"commit"` // which has sealed it
	At           time.Time       `json:"at"`
	Kind         string          `json:"kind"`       // as in "refund.approved"
	Actor        string          `json:"actor"`      // key:…, operator:…, or a part of Refundry
	ByKey        string          `json:"by_key"`     // the key that did it
	User         string          `json:"user"`       // the person on whose behalf
	Person       string          `json:"person"`     // names that person, erased or not
	IsErased     bool            `json:"erased"`     // the person was erased, and User and Address with it
	IsDamaged    bool            `json:"damaged"`    // the entry is not what was sealed
	Address      string          `json:"address"`    // the IP address that it was asked from
	Door         string          `json:"door"`       // where it was asked for
	RequestID    string          `json:"request_id"` // which asked for it
	Payment      string          `json:"payment"`
	Refund       string          `json:"refund"`
	Dispute      string          `json:"dispute"`
	Order        string          `json:"order"`
	Payout       string          `json:"payout"`
	Batch        string          `json:"batch"`
	Resource     string          `json:"resource"`
	Endpoint     string          `json:"endpoint"`
	Key          string          `json:"key"`
	Tenant       string          `json:"tenant"`
	ErasedPerson string          `json:"erased_person"`
	Version      int64           `json:"version"`
	Before       json.RawMessage `json:"before"` // members of what was changed, as they were
	After        json.RawMessage `json:"after"`  // and as they became
	Detail       json.RawMessage `json:"detail"` // what else a change of settings says
}

// AuditFilter narrows the audit trail. Zero fields do not.
type AuditFilter struct {
	Actor   string
	Kinds   []string // any of them; or groups of kinds, as in "refund"
	Payment string
	Subject string // the id of a refund, dispute, endpoint, key …
	User    string
	Person  string
	From    time.Time // committed at this time or later
	Until   time.Time // committed at this time or earlier
}

// Audit reads who did what, the newest first.
func (c *Client) Audit(ctx context.Context, filter AuditFilter) iter.Seq2[AuditEntry, error] {
	query := url.Values{}
	for _, kind := range filter.Kinds {
		query.Add("kind", kind)
	}
	set(query, "actor", filter.Actor)
	set(query, "payment", filter.Payment)
	set(query, "subject", filter.Subject)
	set(query, "user", filter.User)
	set(query, "person", filter.Person)
	setTime(query, "from", filter.From)
	setTime(query, "until", filter.Until)
	return pages[AuditEntry](ctx, c, "/v1/audit", "entries", query)
}

// Checkpoint is the audit chain at one commit. Kept elsewhere, it proves later
// that nothing before it was changed.
type Checkpoint struct {
	Tenant string    `json:"tenant"`
	Number int64     `json:"number"` // of the commit, among those of all tenants
	Hash   string    `json:"hash"`   // of this commit and, through it, of all before it
	At     time.Time `json:"at"`
	Digest string    `json:"digest"` // of the tenant's own part of the commit; empty: it has none
}

// Checkpoint reads the chain at a commit; 0: at the newest.
func (c *Client) Checkpoint(ctx context.Context, number int64) (checkpoint Checkpoint, err error) {
	query := url.Values{}
	setNumber(query, "number", number)
	err = c.do(ctx, call{method: http.MethodGet, path: "/v1/audit/checkpoint", query: query}, &checkpoint)
	return checkpoint, err
}

// ExportAudit writes the audit trail from one commit to another, 0: the first
// and the newest, for `refundry audit check`. After an error, what was written is
// no export.
func (c *Client) ExportAudit(ctx context.Context, first, last int64, to io.Writer) error {
	query := url.Values{}
	setNumber(query, "first", first)
	setNumber(query, "last", last)
	return c.copy(ctx, call{method: http.MethodGet, path: "/v1/audit/export", query: query}, to)
}

func setNumber(query url.Values, name string, number int64) {
	if number != 0 {
		query.Set(name, strconv.FormatInt(number, 10))
	}
}

// Tenant is an organization whose data and keys are separate from all others.
type Tenant struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"created_at"`
	Doors     []string  `json:"doors"` // the front doors that it can use, if it has a key for them
}

// Tenant reads the tenant that the client's key is of.
func (c *Client) Tenant(ctx context.Context) (tenant Tenant, err error) {
	err = c.do(ctx, call{method: http.MethodGet, path: "/v1/tenant"}, &tenant)
	return tenant, err
}
