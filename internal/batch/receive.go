package batch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// Upload is rows on their way.
type Upload struct {
	Format Format
	Offset int64 // how many rows have come before
	From   io.Reader
	// Kept hears that so many rows are safe; nil: nobody listens.
	Kept func(received int64)
}

// Receive takes rows, and keeps them as they come: an upload that breaks off
// goes on where it was kept, in another one. A bad row harms no other. Once an
// upload has come whole, the batch is ready; [payment.RuleExists],
// [payment.RuleStatus], fault.Conflict for a wrong offset, fault.Invalid for
// too many rows, [wire.ErrBody].
func (c *Clerk) Receive(ctx context.Context, meta payment.Meta, id ID, upload Upload) (Batch, error) {
	b, err := c.Get(ctx, meta.Tenant, id)
	if err != nil {
		return Batch{}, err
	}
	if err := b.mayReceive(upload.Offset); err != nil {
		return Batch{}, err
	}
	r := &receiver{
		Clerk: c, ctx: context.WithoutCancel(ctx), upload: upload, batch: b, keys: map[string]bool{},
		rows: newScanner(upload.From, upload.Format),
	}
	if err := r.receive(); err != nil {
		return Batch{}, err
	}
	return r.batch, nil
}

// mayReceive says whether rows behind an offset may come.
func (b Batch) mayReceive(offset int64) error {
	if b.Status != Receiving && b.Status != Ready {
		return &payment.Refusal{Rule: payment.RuleStatus, Message: "the batch is " + string(b.Status) + " and takes no rows"}
	}
	if offset != b.Received() {
		return errOffset(b)
	}
	return nil
}

// receive is the batch's way through an upload: it is ready after the last row.
func (b *Batch) receive(isWhole bool, now time.Time) error {
	if b.Status == Ready {
		if err := b.become(Receiving, now); err != nil {
			return err
		}
	}
	if !isWhole {
		return nil
	}
	return b.become(Ready, now)
}

// receiver is one upload being read.
type receiver struct {
	*Clerk

	ctx    context.Context //nolint:containedctx // outlives its caller's: what has come is kept
	upload Upload
	batch  Batch // as it was last written
	rows   *scanner

	chunk []Row           // that are not kept yet
	bytes int             // of the chunk
	keys  map[string]bool // of the chunk
}

// receive reads rows until their end. What has come whole is kept, whatever
// comes after.
func (r *receiver) receive() error {
	for {
		text, err := r.rows.next()
		switch {
		case errors.Is(err, io.EOF):
			return r.keep(true)
		case errors.Is(err, errHeading):
			return fault.New(fault.Invalid, "%s", err.Error())
		case err != nil && !isRowFault(err):
			return errors.Join(fmt.Errorf("%w: %w", wire.ErrBody, err), r.keep(false))
		}
		if err := r.mayAdd(len(text)); err != nil {
			return errors.Join(err, r.keep(false))
		}
		r.add(r.read(text, err))
		if len(r.chunk) == chunkRows || r.bytes >= chunkBytes {
			if err := r.keep(false); err != nil {
				return err
			}
		}
	}
}

// mayAdd says whether one more row has a place.
func (r *receiver) mayAdd(bytes int) error {
	if r.batch.Received()+int64(len(r.chunk)) >= RowsMax {
		return fault.New(fault.Invalid, "a batch has at most %d rows", RowsMax)
	}
	if r.batch.Bytes+int64(r.bytes+bytes) > BytesMax {
		return fault.New(fault.Invalid, "a batch has at most %d bytes", BytesMax)
	}
	return nil
}

// read makes a row of its text, or of what was wrong with that.
func (r *receiver) read(text []byte, err error) Row {
	row := Row{Number: r.batch.Received() + int64(len(r.chunk)) + 1, Status: RowWaiting, Body: text}
	var asked Asked
	if err == nil {
		asked, err = r.config.Door.ReadRow(text)
	}
	if err != nil {
		row, isDecided := row.ended(err)
		if !isDecided {
			row = row.decided(RowInvalid, Reason{Message: fault.MessageOf(err)})
		}
		return row
	}
	row.Key = asked.Key
	return row
}

// add puts a row into the chunk. A key belongs to the first row that has it.
func (r *receiver) add(row Row) {
	r.bytes += len(row.Body)
	if row.Key != "" {
		if r.keys[row.Key] {
			row = row.withTakenKey()
		}
		r.keys[row.Key] = true
	}
	r.chunk = append(r.chunk, row)
}

func (r Row) withTakenKey() Row {
	wrongs := Wrongs{{Pointer: "#/key", Detail: "must differ from those of the other rows of the batch"}}
	return r.decided(RowInvalid, Reason{Message: wrongs.Error(), Wrongs: wrongs})
}

// keep writes the chunk. After the last one the batch is ready.
func (r *receiver) keep(isWhole bool) error {
	if len(r.chunk) == 0 && !isWhole {
		return nil
	}
	if err := r.refuseTakenKeys(); err != nil {
		return err
	}
	before := r.batch.Received()
	err := r.change(r.ctx, r.batch.Tenant, r.batch.ID, nil, func(book *payment.Book, b *Batch, _ []Row) (Change, error) {
		if err := b.mayReceive(before); err != nil {
			return Change{}, err // another upload was faster, or the batch was canceled
		}
		if err := b.receive(isWhole, book.Now); err != nil {
			return Change{}, err
		}
		b.Bytes += int64(r.bytes)
		for _, row := range r.chunk {
			b.Counts.add(row.Status, 1)
		}
		b.touch(book.Now)
		r.batch = *b
		return Change{Add: r.chunk}, nil
	})
	if err != nil {
		return err
	}
	r.chunk, r.bytes = r.chunk[:0], 0
	clear(r.keys)
	if r.upload.Kept != nil {
		r.upload.Kept(r.batch.Received())
	}
	return nil
}

// refuseTakenKeys makes those rows of the chunk invalid whose key a row has
// that came before.
func (r *receiver) refuseTakenKeys() error {
	keys := make([]string, 0, len(r.keys))
	for key := range r.keys {
		keys = append(keys, key)
	}
	if len(keys) == 0 || r.batch.Received() == 0 {
		return nil
	}
	taken, err := r.config.Store.TakenRowKeys(r.ctx, r.batch.Tenant, r.batch.ID, keys)
	if err != nil {
		return err
	}
	isTaken := make(map[string]bool, len(taken))
	for _, key := range taken {
		isTaken[key] = true
	}
	for i, row := range r.chunk {
		if row.Status == RowWaiting && isTaken[row.Key] {
			r.chunk[i] = row.withTakenKey()
		}
	}
	return nil
}
