package sandbox

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

// record is the sandbox's own memory, in a SQLite file or in tables of its own
// on Postgres. Its statements are the same for both; ids are text, times
// microseconds (0: none).
type record struct {
	db         *sql.DB
	isPostgres bool
}

const (
	connectionsMax = 8
	schemaLock     = 0x73616e64626f78 // "sandbox": who makes the tables
)

// schema makes the tables, one statement each.
var schema = []string{
	`CREATE TABLE IF NOT EXISTS sandbox_attempt (
		id         TEXT   NOT NULL PRIMARY KEY,
		tenant_id  TEXT   NOT NULL,
		refund_id  TEXT   NOT NULL,
		payment_id TEXT   NOT NULL,
		connector  TEXT   NOT NULL,
		amount     BIGINT NOT NULL,
		name       TEXT   NOT NULL,
		state      TEXT   NOT NULL,
		moved      BIGINT NOT NULL CHECK (moved >= 0),
		due_at     BIGINT NOT NULL)`,
	`CREATE INDEX IF NOT EXISTS sandbox_attempt_by_refund ON sandbox_attempt (tenant_id, refund_id)`,
	`CREATE TABLE IF NOT EXISTS sandbox_plan (
		id         TEXT   NOT NULL PRIMARY KEY,
		tenant_id  TEXT   NOT NULL,
		match_by   TEXT   NOT NULL,
		match_to   TEXT   NOT NULL,
		outcomes   TEXT   NOT NULL,
		used       BIGINT NOT NULL)`,
	`CREATE TABLE IF NOT EXISTS sandbox_notice (
		id           TEXT   NOT NULL PRIMARY KEY,
		attempt_id   TEXT   NOT NULL,
		kind         TEXT   NOT NULL,
		captured     BIGINT NOT NULL,
		due_at       BIGINT NOT NULL,
		leased_until BIGINT NOT NULL)`,
	`CREATE INDEX IF NOT EXISTS sandbox_notice_due ON sandbox_notice (due_at)`,
	`CREATE TABLE IF NOT EXISTS sandbox_value (
		name  TEXT NOT NULL PRIMARY KEY,
		value TEXT NOT NULL)`,
}

func openRecord(ctx context.Context, config Config) (_ *record, err error) {
	r := &record{isPostgres: config.URL != ""}
	if r.isPostgres {
		r.db, err = sql.Open("pgx", config.URL)
	} else {
		options := url.Values{
			"_pragma": {"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(5000)"}, "_txlock": {"immediate"},
		}
		r.db, err = sql.Open("sqlite", "file:"+(&url.URL{Path: config.Path}).EscapedPath()+"?"+options.Encode())
	}
	if err != nil {
		return nil, errors.New("open the sandbox's record: the database's URL cannot be used") // the cause may quote it
	}
	r.db.SetMaxOpenConns(connectionsMax)
	r.db.SetMaxIdleConns(connectionsMax)
	if err := r.migrate(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open the sandbox's record: %w", err), r.db.Close())
	}
	if !r.isPostgres {
		err = os.Chmod(config.Path, 0o600)
	}
	return r, err
}

func (r *record) migrate(ctx context.Context) error {
	return r.inTx(ctx, func(tx *sql.Tx) error {
		if r.isPostgres {
			if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock($1)`, schemaLock); err != nil {
				return err
			}
		}
		for _, statement := range schema {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
}

func (r *record) close() error { return r.db.Close() }

// query writes a statement's marks as the database has them.
func (r *record) query(text string) string {
	if !r.isPostgres {
		return text
	}
	var numbered strings.Builder
	for n := 1; ; n++ {
		before, after, found := strings.Cut(text, "?")
		numbered.WriteString(before)
		if !found {
			return numbered.String()
		}
		numbered.WriteString("$" + strconv.Itoa(n))
		text = after
	}
}

func (r *record) inTx(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := r.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	if err := do(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// attempt is what the sandbox knows of one.
type attempt struct {
	Tenant    payment.TenantID
	ID        payment.AttemptID
	Refund    payment.RefundID
	Payment   payment.PaymentID
	Connector string
	Amount    money.Minor
	Name      Name
	State     state
	Moved     int       // how often money moved
	Due       time.Time // when a pending one succeeds; zero: never
}

const attemptColumns = `tenant_id, id, refund_id, payment_id, connector, amount, name, state, moved, due_at`

func scanAttempt(scan func(...any) error) (a attempt, err error) {
	var due int64
	err = scan(text{&a.Tenant}, text{&a.ID}, text{&a.Refund}, text{&a.Payment}, &a.Connector, &a.Amount, &a.Name,
		&a.State, &a.Moved, &due)
	a.Due = fromMicros(due)
	return a, err
}

// text scans an id from its spelling.
type text struct {
	id interface{ UnmarshalText([]byte) error }
}

// Scan implements [sql.Scanner].
func (t text) Scan(value any) error {
	switch value := value.(type) {
	case string:
		return t.id.UnmarshalText([]byte(value))
	case []byte:
		return t.id.UnmarshalText(value)
	default:
		return fmt.Errorf("no id: %T", value)
	}
}

func micros(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.UnixMicro()
}

func fromMicros(at int64) time.Time {
	if at == 0 {
		return time.Time{}
	}
	return time.UnixMicro(at).UTC()
}

// attempt returns what is known of an attempt, false if nothing is.
func (r *record) attempt(ctx context.Context, id payment.AttemptID) (attempt, bool, error) {
	row := r.db.QueryRowContext(ctx, r.query(`SELECT `+attemptColumns+` FROM sandbox_attempt WHERE id = ?`), id.String())
	found, err := scanAttempt(row.Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return attempt{}, false, nil
	}
	return found, err == nil, err
}

// errRaced means that an attempt took the plan's outcome at the same time.
var errRaced = errors.New("another attempt took the outcome")

// begin writes a new attempt with its notices, and takes the outcome of a plan,
// which no other attempt can take too: errRaced. It returns false, and writes
// nothing, if the attempt is known.
func (r *record) begin(ctx context.Context, a attempt, notices []notice, used *plan) (isNew bool, err error) {
	err = r.inTx(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, r.query(`INSERT INTO sandbox_attempt (`+attemptColumns+`)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`),
			a.Tenant.String(), a.ID.String(), a.Refund.String(), a.Payment.String(), a.Connector, int64(a.Amount),
			string(a.Name), string(a.State), a.Moved, micros(a.Due))
		if err != nil {
			return err
		}
		rows, err := done.RowsAffected()
		if isNew = rows == 1; err != nil || !isNew {
			return err
		}
		for _, n := range notices {
			if _, err := tx.ExecContext(ctx, r.query(`INSERT INTO sandbox_notice
				(id, attempt_id, kind, captured, due_at, leased_until) VALUES (?, ?, ?, ?, ?, 0)`),
				n.ID.String(), a.ID.String(), string(n.Kind), int64(n.Captured), micros(n.Due)); err != nil {
				return err
			}
		}
		if used == nil {
			return nil
		}
		done, err = tx.ExecContext(ctx, r.query(`UPDATE sandbox_plan SET used = used + 1 WHERE id = ? AND used = ?`),
			used.ID.String(), used.used)
		if err != nil {
			return err
		}
		if rows, err = done.RowsAffected(); err == nil && rows == 0 {
			return errRaced
		}
		return err
	})
	return isNew, err
}

// succeed moves the money of an attempt, once: only out of the state it was
// seen in.
func (r *record) succeed(ctx context.Context, id payment.AttemptID, from state) error {
	_, err := r.db.ExecContext(ctx, r.query(`UPDATE sandbox_attempt SET state = ?, moved = moved + 1
		WHERE id = ? AND state = ?`), string(stateSucceeded), id.String(), string(from))
	return err
}

// Recall returns a value that was remembered, nil if there is none.
func (s *Sandbox) Recall(ctx context.Context, name string) ([]byte, error) {
	return s.record.recall(ctx, name)
}

// RememberOnce keeps a value under a name, unless there is one already. It
// returns the one that is kept.
func (s *Sandbox) RememberOnce(ctx context.Context, name string, value []byte) ([]byte, error) {
	_, err := s.record.db.ExecContext(ctx, s.record.query(`INSERT INTO sandbox_value (name, value) VALUES (?, ?)
		ON CONFLICT DO NOTHING`), name, encode(value))
	if err != nil {
		return nil, err
	}
	return s.record.recall(ctx, name)
}

// Remember keeps a value under a name.
func (s *Sandbox) Remember(ctx context.Context, name string, value []byte) error {
	_, err := s.record.db.ExecContext(ctx, s.record.query(`INSERT INTO sandbox_value (name, value) VALUES (?, ?)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`), name, encode(value))
	return err
}

func encode(value []byte) string { return base64.StdEncoding.EncodeToString(value) }

func (r *record) recall(ctx context.Context, name string) ([]byte, error) {
	var value string
	err := r.db.QueryRowContext(ctx, r.query(`SELECT value FROM sandbox_value WHERE name = ?`), name).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return base64.StdEncoding.DecodeString(value)
}

// Movement is how often money moved for an attempt.
type Movement struct {
	Refund  payment.RefundID
	Attempt payment.AttemptID
	Name    Name
	Count   int
}

// Movements returns the movements of money of a tenant's attempts, or of one
// refund's, oldest first.
func (s *Sandbox) Movements(ctx context.Context, tenant payment.TenantID, refund payment.RefundID) ([]Movement, error) {
	query := `SELECT refund_id, id, name, moved FROM sandbox_attempt WHERE tenant_id = ?`
	args := []any{tenant.String()}
	if !refund.IsZero() {
		query += ` AND refund_id = ?`
		args = append(args, refund.String())
	}
	rows, err := s.record.db.QueryContext(ctx, s.record.query(query+` ORDER BY id`), args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err says what there is to say
	movements := []Movement{}
	for rows.Next() {
		var m Movement
		if err := rows.Scan(text{&m.Refund}, text{&m.Attempt}, &m.Name, &m.Count); err != nil {
			return nil, err
		}
		movements = append(movements, m)
	}
	return movements, rows.Err()
}
