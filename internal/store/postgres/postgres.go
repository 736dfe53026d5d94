// Package postgres keeps everything in a Postgres database that any number of
// replicas share. Row locks decide, not lanes.
//
// A commit takes four round trips however many commands it holds: lock, read,
// write, seal. Rows travel in arrays, statements in pipelines. No statement
// needs session state, so a pooler in transaction mode may stand between.
package postgres

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/refundry/refundry/internal/engine"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/id"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/migrations"
)

// Config is what a store is made of.
type Config struct {
	URL   string           // postgres://…; pool settings as pgxpool reads them
	Now   func() time.Time // domain time, which a test clock may move
	NewID id.Source
	Lease time.Duration // of jobs that are born leased
	Log   *slog.Logger

	Random io.Reader // where personal keys come from; nil: crypto/rand
}

// Store is a Postgres database. Make one with [Open].
type Store struct {
	config Config
	pool   *pgxpool.Pool

	mutex   sync.Mutex // guards tenants
	tenants map[payment.TenantID]*payment.Tenant
}

// Open connects to a database whose tables are there, see [Migrate].
func Open(ctx context.Context, config Config) (*Store, error) {
	if config.Random == nil {
		config.Random = rand.Reader
	}
	pool, err := pgxpool.New(ctx, config.URL)
	if err != nil {
		return nil, fmt.Errorf("connect to Postgres: %w", hideURL(err))
	}
	s := &Store{config: config, pool: pool, tenants: map[payment.TenantID]*payment.Tenant{}}
	if err := s.checkVersion(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	return s, nil
}

// hideURL keeps an error that may quote the database's URL, and so its
// password, from being shown.
func hideURL(err error) error {
	var parse *pgconn.ParseConfigError
	if errors.As(err, &parse) {
		return errors.New("the database URL cannot be read")
	}
	return err
}

// Migrate makes or migrates the tables. Replicas that boot together migrate
// once: the others wait.
func Migrate(ctx context.Context, url string) error {
	return withProvider(url, func(provider *goose.Provider) error {
		if _, err := provider.Up(ctx); err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
		return nil
	})
}

func (s *Store) checkVersion(ctx context.Context) error {
	return withProvider(s.config.URL, func(provider *goose.Provider) error {
		pending, err := provider.HasPending(ctx)
		if err != nil {
			return fmt.Errorf("migrations: %w", err)
		}
		if pending {
			return errors.New("the database has to be migrated first: run `refundry migrate`")
		}
		return nil
	})
}

func withProvider(url string, use func(*goose.Provider) error) (err error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return hideURL(err)
	}
	db := stdlib.OpenDB(*config)
	defer func() { err = errors.Join(err, db.Close()) }()
	provider, err := newProvider(db)
	if err != nil {
		return err
	}
	return use(provider)
}

func newProvider(db *sql.DB) (*goose.Provider, error) {
	folder, err := fs.Sub(migrations.Postgres, "postgres")
	if err != nil {
		return nil, fmt.Errorf("migrations: %w", err)
	}
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return nil, fmt.Errorf("migrations: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, folder, goose.WithSessionLocker(locker))
	if err != nil {
		return nil, fmt.Errorf("migrations: %w", err)
	}
	return provider, nil
}

// Close waits for what runs and closes all connections.
func (s *Store) Close() error {
	s.pool.Close()
	return nil
}

// inTx runs statements in one database transaction. If nobody heard the answer
// to its COMMIT, the error is [engine.ErrUncertain] too.
func (s *Store) inTx(ctx context.Context, options pgx.TxOptions, do func(pgx.Tx) error) error {
	isCommitting := false
	err := pgx.BeginTxFunc(ctx, s.pool, options, func(tx pgx.Tx) error {
		err := do(tx)
		isCommitting = err == nil
		return err
	})
	if err != nil && isCommitting && isUnheard(err) {
		err = fmt.Errorf("%w: %w", engine.ErrUncertain, err)
		return fault.Wrap(err, fault.Unavailable, "the database was lost while it answered")
	}
	return unavailable(err)
}

// isUnheard reports whether an error of COMMIT leaves open what became of it:
// anything but the database's own no.
func isUnheard(err error) bool {
	var answer *pgconn.PgError
	return !errors.As(err, &answer) || isCut(err)
}

// queuePlans settles, for one database transaction, how statements are planned
// that name what they want in arrays: once for each connection, and by index,
// whatever is in the tables. Plans are made while tables are small, and kept
// when they are large; to plan anew for each array costs more than to run.
func queuePlans(pipe *pgx.Batch) {
	pipe.Queue(`SELECT set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
		set_config('enable_mergejoin', 'off', true), set_config('plan_cache_mode', 'force_generic_plan', true)`)
}

// snapshot runs several questions that must see one state.
func (s *Store) snapshot(ctx context.Context, ask func(pgx.Tx) error) error {
	return s.inTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, ask)
}

// glance runs several questions that must see one state, in one round trip.
func (s *Store) glance(ctx context.Context, queue func(*pgx.Batch)) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return unavailable(err)
	}
	defer conn.Release()
	pipe := &pgx.Batch{}
	pipe.Queue("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
	queuePlans(pipe)
	queue(pipe)
	pipe.Queue("COMMIT")
	if err := conn.SendBatch(ctx, pipe).Close(); err != nil {
		rollback(conn.Conn())
		return unavailable(err)
	}
	return nil
}

// rollback ends a database transaction that failed, and gives its locks back. If
// it fails too, the pool throws the connection away.
func rollback(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), rollbackTimeout)
	defer cancel()
	if conn.IsClosed() || conn.PgConn().TxStatus() == 'I' {
		return
	}
	if _, err := conn.Exec(ctx, "ROLLBACK"); err != nil {
		_ = conn.Close(ctx) // the server rolls back by itself
	}
}

// rollbackTimeout bounds how long a connection is tried before it is thrown away.
const rollbackTimeout = 5 * time.Second

// unavailable classifies the error of a database that could not be reached:
// the caller may come again.
func unavailable(err error) error {
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) || isCut(err) {
		return fault.Wrap(err, fault.Unavailable, "the database cannot be reached; nothing was done")
	}
	return err
}

// SQLSTATE codes, https://www.postgresql.org/docs/current/errcodes-appendix.html
const (
	codeUniqueViolation      = "23505"
	codeSerializationFailure = "40001"
	codeDeadlock             = "40P01"
	classConnection          = "08"
	classIntervention        = "57" // an operator, or the server shutting down
)

// isCut reports whether the connection ended under a statement.
func isCut(err error) bool {
	if err == nil {
		return false
	}
	var answer *pgconn.PgError
	if errors.As(err, &answer) {
		class := answer.Code[:2]
		return class == classConnection || class == classIntervention
	}
	var line *net.OpError
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.As(err, &line) {
		return true
	}
	var refusal *payment.Refusal
	return pgconn.SafeToRetry(err) || errors.Is(err, context.DeadlineExceeded) && !errors.As(err, &refusal)
}

// raced classifies the error of a commit that may have lost a race.
func raced(err error) error {
	var answer *pgconn.PgError
	if !errors.As(err, &answer) {
		return unavailable(err)
	}
	switch {
	case answer.Code == codeUniqueViolation && answer.ConstraintName == "commit_row_batch_id_key":
		return engine.ErrCommitted
	case answer.Code == codeUniqueViolation, answer.Code == codeSerializationFailure, answer.Code == codeDeadlock:
		return fmt.Errorf("%w: %w", engine.ErrLostRace, err)
	default:
		return unavailable(err)
	}
}

// uuids is a column of ids as an argument.
type uuids = pgtype.FlatArray[pgtype.UUID]

// ids returns a column of ids; zero ids are not NULL.
func ids[T any](rows []T, get func(T) [16]byte) uuids {
	column := make(uuids, len(rows))
	for i, row := range rows {
		column[i] = pgtype.UUID{Bytes: get(row), Valid: true}
	}
	return column
}

// maybeIDs returns a column of ids; zero ids are NULL.
func maybeIDs[T any](rows []T, get func(T) [16]byte) uuids {
	column := ids(rows, get)
	for i := range column {
		column[i].Valid = column[i].Bytes != [16]byte{}
	}
	return column
}

// col returns any other column.
func col[T, V any](rows []T, get func(T) V) []V {
	column := make([]V, len(rows))
	for i, row := range rows {
		column[i] = get(row)
	}
	return column
}
