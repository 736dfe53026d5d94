package dialect

import (
	"context"
	"sync"

	"github.com/refundry/refundry/internal/payment"
)

// Counter counts what people number.
type Counter interface {
	// TakeNumbers returns the first of so many numbers that nobody else gets, from
	// 1 on.
	TakeNumbers(ctx context.Context, tenant payment.TenantID, name string, count int64) (first int64, err error)
}

// Numbers are running numbers of one replica, by tenant and name. They are
// taken in blocks, so that numbering costs nothing: there are gaps, and with
// several replicas their order is not that of time. The zero value is ready.
type Numbers struct {
	mutex  sync.Mutex
	blocks map[numbered]*block
}

type numbered struct {
	tenant payment.TenantID
	name   string
}

// block is what is left of a block of numbers: from next on, before end.
type block struct {
	mutex     sync.Mutex
	next, end int64
}

// blockSize is how many numbers a replica takes at a time, and loses at the
// most when it stops.
const blockSize = 100

// Next returns the next number.
func (n *Numbers) Next(ctx context.Context, from Counter, tenant payment.TenantID, name string) (int64, error) {
	n.mutex.Lock()
	if n.blocks == nil {
		n.blocks = map[numbered]*block{}
	}
	b := n.blocks[numbered{tenant, name}]
	if b == nil {
		b = &block{}
		n.blocks[numbered{tenant, name}] = b
	}
	n.mutex.Unlock()
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if b.next == b.end {
		first, err := from.TakeNumbers(ctx, tenant, name, blockSize)
		if err != nil {
			return 0, err
		}
		b.next, b.end = first, first+blockSize
	}
	b.next++
	return b.next - 1, nil
}
