package batch

import "time"

// The limits of batches, each with its reason.
const (
	// RowsMax is how many rows a batch has at the most: what a large shop refunds
	// in a year, and what one person can still look through.
	RowsMax = 1_000_000
	// RowBytesMax is how long a row is at the most: as a body that asks for one refund.
	RowBytesMax = 256 << 10
	// BytesMax is how much all rows of a batch have at the most: a thousand bytes
	// a row are enough for what people write, and a disk holds several batches.
	BytesMax = 1 << 30
	// PerSecondMax is the fastest pace that can be asked for: beyond it, the
	// pace is the machine's.
	PerSecondMax = 10_000
	// CapsMax is how many currencies a batch can limit: more than there are.
	CapsMax = 200
	// ListMax is how many batches a page has at the most.
	ListMax = 200

	// chunkRows and chunkBytes bound what is received in one commit, and so what
	// an upload holds in memory, and for how long it holds up others who write.
	chunkRows  = 500
	chunkBytes = 1 << 20

	// windowRows is how many rows are asked for at a time: what the engine commits
	// at once. A pause takes effect after it.
	windowRows = 256
	// windowBytes bounds what a window holds in memory.
	windowBytes = 4 << 20
	// carefulRows is the window of a batch that pauses at the first failure: none
	// is refunded behind it.
	carefulRows = 1
	// readersMax is how many rows of a window read the store at a time: as many as
	// it has connections to spare.
	readersMax = 8
	// followMax is how many rows of one payment a dry run follows: each is decided
	// anew for every window in which the payment comes again.
	followMax = 100
	// skipRows is how many rows are skipped in one commit: it is one short statement.
	skipRows = 5000
	// resultRows is how many rows of a result are read at a time.
	resultRows = 500

	// rowTimeout is how long a row may wait for its commit. It must end within a
	// lease, see [job.CallTime].
	rowTimeout = 15 * time.Second
)
