package row

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/tink-crypto/tink-go/v2/daead/subtle"

	"github.com/refundry/refundry/internal/batch"
	"github.com/refundry/refundry/internal/payment"
)

// Ring is the personal keys that a commit has read or made. Its methods write
// what is personal in columns of rows. The first error is kept, and nothing may
// be committed then, see [Ring.Err]. A nil ring takes keys and forgets them.
type Ring struct {
	random io.Reader
	keys   map[Owner]*ringKey
	err    error

	destroyed bool
}

type ringKey struct {
	PersonalKey

	cipher *subtle.AESSIV // made when first used
}

// errNoKey means that a row has no key: a bug.
var errNoKey = errors.New("a personal column has no key to be sealed under")

// NewRing returns an empty ring that draws keys from random.
func NewRing(random io.Reader) *Ring { return &Ring{random: random, keys: map[Owner]*ringKey{}} }

// Put takes a key that was read; nil: there is none.
func (r *Ring) Put(owner Owner, key PersonalKey) {
	if r != nil && key != nil {
		r.keys[owner] = &ringKey{PersonalKey: key}
	}
}

// PutPersons takes keys of persons, also those that were destroyed.
func (r *Ring) PutPersons(keys map[Owner]PersonalKey) {
	for owner, key := range keys {
		r.keys[owner] = &ringKey{PersonalKey: key}
	}
}

// Make draws keys for owners that have none, and returns those.
func (r *Ring) Make(owners []Owner) (made []Owner) {
	for _, owner := range owners {
		if _, known := r.keys[owner]; known {
			continue
		}
		key, err := NewPersonalKey(r.random)
		if err != nil {
			r.fail(err)
			return nil
		}
		r.keys[owner] = &ringKey{PersonalKey: key}
		made = append(made, owner)
	}
	return made
}

// Destroy forgets keys that this commit destroys.
func (r *Ring) Destroy(erasures []Erasure) {
	for _, erasure := range erasures {
		r.keys[erasure.Owner] = &ringKey{}
	}
	r.destroyed = r.destroyed || len(erasures) > 0
}

// HasDestroyed reports whether this commit destroys a key.
func (r *Ring) HasDestroyed() bool { return r.destroyed }

// Key returns an owner's key as it is kept, empty if it was destroyed.
func (r *Ring) Key(owner Owner) []byte {
	if key, known := r.keys[owner]; known {
		return key.PersonalKey
	}
	return nil
}

// Err returns the first error.
func (r *Ring) Err() error { return r.err }

func (r *Ring) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// isErased reports whether an owner's key was destroyed.
func (r *Ring) isErased(owner Owner) bool {
	key, known := r.keys[owner]
	return known && len(key.PersonalKey) == 0
}

// seal seals a text; no text, and none of an owner that was erased, is nil.
func (r *Ring) seal(owner Owner, column string, id [16]byte, text []byte) []byte {
	if len(text) == 0 || r.isErased(owner) {
		return nil
	}
	key, known := r.keys[owner]
	if !known {
		r.fail(errNoKey)
		return nil
	}
	if key.cipher == nil {
		cipher, err := subtle.NewAESSIV(key.PersonalKey)
		if err != nil {
			r.fail(fmt.Errorf("use a personal key: %w", err))
			return nil
		}
		key.cipher = cipher
	}
	sealed, err := seal(key.cipher, column, id, text)
	if err != nil {
		r.fail(err)
	}
	return sealed
}

// The columns that hold what is sealed, see [PersonalKey.Seal].
const (
	columnPayment  = "payment"
	columnRefund   = "refund"
	columnOrder    = "order"
	columnDelivery = "delivery"
	columnAnswer   = "answer"
	columnBatch    = "batch"
	columnBatchRow = "batch_row"
	columnName     = "refund_name"
)

func columnItem(position int) string { return "item/" + strconv.Itoa(position) }

func columnFacet(f payment.Facet) string {
	return "facet/" + string(f.Door) + "/" + strconv.FormatInt(f.Version, 10)
}

// Payment writes what of a payment is personal.
func (r *Ring) Payment(p payment.Payment) []byte {
	return r.seal(Owner{p.Tenant, p.ID}, columnPayment, p.ID, personalOf(p))
}

// Order writes what of an order is personal.
func (r *Ring) Order(o payment.Order) []byte {
	return r.seal(Owner{o.Tenant, o.ID}, columnOrder, o.ID, []byte(o.Metadata))
}

// Item writes what of a payment's line is personal.
func (r *Ring) Item(tenant payment.TenantID, of payment.PaymentID, i payment.Item) []byte {
	return r.seal(Owner{tenant, of}, columnItem(i.Position), of, []byte(i.Metadata))
}

// Facet writes a door's document: in the clear, or sealed.
func (r *Ring) Facet(f payment.FacetChange) (open, sealed []byte) {
	if f.IsOpen {
		return f.Facet.Body, nil
	}
	return []byte{}, r.seal(Owner{f.Tenant, f.Payment}, columnFacet(f.Facet), f.Facet.Subject, f.Facet.Body)
}

// Refund writes what of a refund no query asks for, and what of it is personal.
// What people wrote down after its payment was erased stays readable: the words
// of a failure, and evidence.
//
// Names are sealed under the keys of those persons, whom persons lists.
func (r *Ring) Refund(refund payment.Refund) (detail string, sealed []byte, persons string) {
	refund, names := r.takeNames(refund)
	persons = personsOf(names)
	owner := Owner{refund.Tenant, refund.Payment}
	if r.isErased(owner) {
		return detailOf(refund, names), nil, persons
	}
	rest, personal := split(refund)
	return detailOf(rest, names), r.seal(owner, columnRefund, refund.ID, personal.sealable()), persons
}

// OwnerOf returns who owns what a webhook says: the payment, else the order. What
// is about neither has no key, and is not sealed.
func OwnerOf(tenant payment.TenantID, of payment.PaymentID, subject [16]byte) Owner {
	if of.IsZero() {
		return Owner{tenant, subject}
	}
	return Owner{tenant, of}
}

// Delivery writes a webhook's body: in the clear, or sealed.
func (r *Ring) Delivery(owner Owner, id payment.DeliveryID, body []byte) (open, sealed []byte) {
	if _, known := r.keys[owner]; !known {
		return body, nil
	}
	return nil, r.seal(owner, columnDelivery, id, body)
}

// Answer writes what a receiver has answered to a webhook: in the clear, or sealed.
func (r *Ring) Answer(owner Owner, id payment.DeliveryID, answer string) (open string, sealed []byte) {
	if _, known := r.keys[owner]; !known {
		return answer, nil
	}
	return "", r.seal(owner, columnAnswer, id, []byte(answer))
}

// Batch writes on whose behalf a batch was started, under the batch's own key.
func (r *Ring) Batch(b batch.Batch) []byte {
	return r.seal(Owner{b.Tenant, b.ID}, columnBatch, b.ID, []byte(b.StartedFor))
}

// OpenBatch reads what [Ring.Batch] wrote, else what an older version did.
func (k PersonalKey) OpenBatch(b *batch.Batch, sealed []byte) error {
	return k.openText(columnBatch, b.ID, sealed, &b.StartedFor)
}

// BatchRow writes what a row of a batch says, under the batch's own key.
func (r *Ring) BatchRow(of batch.Batch, row batch.Row) []byte {
	return r.seal(Owner{of.Tenant, of.ID}, columnOfRow(row.Number), of.ID, row.Body)
}

func columnOfRow(number int64) string { return columnBatchRow + "/" + strconv.FormatInt(number, 10) }

// OpenBatchRow reads what [Ring.BatchRow] wrote, else what an older version did;
// nil if it cannot be opened.
func (k PersonalKey) OpenBatchRow(of batch.ID, row *batch.Row, body []byte, isSealed bool) (err error) {
	if row.Body = body; isSealed {
		row.Body, err = k.try(columnOfRow(row.Number), of, body)
	}
	return err
}

// NeedsBatchKey reports whether a change of a batch writes what is sealed under
// the batch's key.
func NeedsBatchKey(change batch.Change) bool {
	says := func(row batch.Row) bool { return row.Body != nil }
	return change.Batch.StartedFor != "" || slices.ContainsFunc(change.Add, says) || slices.ContainsFunc(change.Rows, says)
}

// OpenOrder reads what [Ring.Order] wrote, else what an older version did.
func (k PersonalKey) OpenOrder(o *payment.Order, sealed []byte) error {
	return k.openText(columnOrder, o.ID, sealed, &o.Metadata)
}

// OpenItem reads what [Ring.Item] wrote, else what an older version did.
func (k PersonalKey) OpenItem(of payment.PaymentID, i *payment.Item, sealed []byte) error {
	return k.openText(columnItem(i.Position), of, sealed, &i.Metadata)
}

// OpenFacet reads what [Ring.Facet] wrote, else what an older version did. A
// document without a body was erased.
func (k PersonalKey) OpenFacet(f *payment.Facet, sealed []byte) error {
	text, err := k.try(columnFacet(*f), f.Subject, sealed)
	if text != nil {
		f.Body = text
	}
	return err
}

// OpenDelivery reads what [Ring.Delivery] wrote; nil if it was erased.
func (k PersonalKey) OpenDelivery(id payment.DeliveryID, open, sealed []byte) ([]byte, error) {
	if sealed == nil {
		return open, nil
	}
	return k.try(columnDelivery, id, sealed)
}

// OpenAnswer reads what [Ring.Answer] wrote; empty if it was erased.
func (k PersonalKey) OpenAnswer(id payment.DeliveryID, open string, sealed []byte) (string, error) {
	err := k.openText(columnAnswer, id, sealed, &open)
	return open, err
}

func (k PersonalKey) openText(column string, id [16]byte, sealed []byte, into *string) error {
	text, err := k.try(column, id, sealed)
	if text != nil {
		*into = string(text)
	}
	return err
}

// Owners returns who must have a key in a commit: all orders and payments that
// it writes. Those that are new have none yet, and those that a version before
// has written while a newer one ran.
func Owners(changes *payment.Changes) (owners []Owner) {
	for _, change := range changes.Orders {
		owners = append(owners, Owner{change.Order.Tenant, change.Order.ID})
	}
	for _, change := range changes.Views {
		owners = append(owners, Owner{change.View.Payment.Tenant, change.View.Payment.ID})
	}
	return owners
}

// Erasure is an owner whose key a commit destroys.
type Erasure struct {
	Owner

	At time.Time
}

// Erasures returns whose keys a commit destroys, each once: a door may give an
// order and its payment the same id.
func Erasures(changes *payment.Changes) (erasures []Erasure) {
	for _, change := range changes.Views {
		if p := change.View.Payment; IsErasing(change) {
			erasures = append(erasures, Erasure{Owner{p.Tenant, p.ID}, p.ErasedAt()})
		}
	}
	for _, change := range changes.Orders {
		if o := change.Order; change.Read.ErasedAt.IsZero() && !o.ErasedAt.IsZero() {
			erasures = append(erasures, Erasure{Owner{o.Tenant, o.ID}, o.ErasedAt})
		}
	}
	slices.SortStableFunc(erasures, func(a, b Erasure) int {
		return a.compare(b.Owner)
	})
	return slices.CompactFunc(erasures, func(a, b Erasure) bool { return a.Owner == b.Owner })
}

// IsErasing reports whether a commit erases a payment.
func IsErasing(change *payment.ViewChange) bool {
	return change.Read.Payment.ErasedAt().IsZero() && !change.View.Payment.ErasedAt().IsZero()
}
