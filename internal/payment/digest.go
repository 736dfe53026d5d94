package payment

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"time"

	"github.com/refundry/refundry/internal/money"
)

// Digest stands for something that somebody has seen: the first 128 bits of a
// SHA-256, in hex. The empty digest stands for nothing.
type Digest string

// digesting gathers what a digest is of. Each part is preceded by its length,
// so that no two lists of parts look alike.
type digesting struct{ parts []byte }

func (d *digesting) text(texts ...string) {
	for _, text := range texts {
		d.parts = binary.AppendUvarint(d.parts, uint64(len(text)))
		d.parts = append(d.parts, text...)
	}
}

func (d *digesting) number(numbers ...int64) {
	for _, number := range numbers {
		d.parts = binary.AppendVarint(d.parts, number)
	}
}

func (d *digesting) id(id [16]byte) { d.parts = append(d.parts, id[:]...) }

func (d *digesting) time(at time.Time) {
	if at.IsZero() {
		d.number(0)
		return
	}
	d.number(at.UnixMicro())
}

func (d *digesting) amount(amount money.Amount) {
	d.number(int64(amount.Minor))
	d.text(string(amount.Currency))
}

func (d *digesting) lines(lines []RefundLine) {
	d.number(int64(len(lines)))
	for _, line := range lines {
		d.number(int64(line.Position), line.Quantity, int64(line.Amount), int64(line.Tax))
		d.text(line.Merchant)
	}
}

func (d *digesting) sum() Digest {
	sum := sha256.Sum256(d.parts)
	return Digest(hex.EncodeToString(sum[:16]))
}

// Digest returns the digest of what the refund asks for: what whoever approves
// it has seen. Nothing that happens to the refund changes it; refunds that were opened together name each
// other by their group.
func (r Refund) Digest() Digest {
	d := &digesting{}
	d.id(r.Tenant)
	d.id(r.Payment)
	d.id(r.ID)
	d.id(r.Group)
	d.amount(r.Amount)
	d.lines(r.Lines)
	if r.List != nil {
		d.number(int64(len(*r.List)))
		for _, item := range *r.List {
			d.text(item.Name, item.Merchant)
			d.number(item.Quantity, int64(item.Total))
		}
	}
	d.id(r.Capture)
	user := r.User
	if !r.Person.IsZero() { // stays when the name is erased
		user = r.Person.String()
	}
	d.text(r.Reason, r.Note, r.Message, r.Reference, r.OrderReference, r.Metadata, r.Actor, user, string(r.Door))
	d.time(r.NotBefore)
	d.id(r.RetryOf)
	return d.sum()
}
