// Package sqlite keeps everything in one SQLite file, for one process.
//
// One connection writes, under a mutex; others read beside it. Writing is
// durable (WAL, synchronous=FULL). Checkpoints run on a connection of their
// own, so that no commit waits for one.
package sqlite

import (
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/refundry/refundry/internal/engine"
	"github.com/refundry/refundry/internal/id"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/migrations"
	"github.com/refundry/refundry/internal/store/row"
)

// Config is what a store is made of.
type Config struct {
	Path     string           // of the file; its folder must exist
	ReadOnly bool             // for reading beside the process that owns the file
	Now      func() time.Time // domain time, which a test clock may move
	Machine  func() time.Time // this machine's time, for leases
	NewID    id.Source
	Lease    time.Duration // of jobs that are born leased
	Random   io.Reader     // where personal keys come from; nil: crypto/rand
	Log      *slog.Logger
}

const (
	readersMax      = 8
	checkpointPause = 500 * time.Millisecond
	busyTimeout     = 5000     // milliseconds that a statement waits for another process
	walRestartBytes = 64 << 20 // past this, the writer itself lets the WAL start anew
)

// Store is a SQLite file. Make one with [Open].
type Store struct {
	config  Config
	dsn     string
	readers chan *conn

	mutex   sync.Mutex // guards what follows
	writer  *conn
	tenants map[payment.TenantID]*payment.Tenant
	last    link // the newest commit row
	sealed  link // the commit row of the change being written

	scrubs atomic.Bool // what was destroyed may still be in the WAL

	stop    chan struct{}
	stopped sync.WaitGroup
}

// Open opens the file, makes or migrates its tables, and ends the leases of
// the process before this one. The caller holds the folder's lock.
func Open(config Config) (*Store, error) {
	if config.Random == nil {
		config.Random = rand.Reader
	}
	s := &Store{
		config: config, dsn: dsn(config.Path, config.ReadOnly), readers: make(chan *conn, readersMax),
		tenants: map[payment.TenantID]*payment.Tenant{}, stop: make(chan struct{}),
	}
	for range readersMax {
		s.readers <- nil // opened when first used
	}
	if config.ReadOnly {
		return s, s.checkVersion()
	}
	if err := Migrate(config.Path); err != nil {
		return nil, err
	}
	var err error
	if s.writer, err = open(s.dsn); err != nil {
		return nil, err
	}
	if s.last, err = newestLink(s.writer); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	const endLeases = `UPDATE job SET claim = NULL, lease_until = 0 WHERE claim IS NOT NULL`
	if _, err := s.writer.exec(endLeases); err != nil {
		return nil, errors.Join(fmt.Errorf("end leases: %w", err), s.Close())
	}
	checkpointer, err := open(s.dsn)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.scrubs.Store(true) // the process before this one may have had no time for it
	s.stopped.Go(func() { s.checkpoint(checkpointer) })
	return s, nil
}

func dsn(path string, readOnly bool) string {
	options := url.Values{"_pragma": {
		"journal_mode(WAL)", "synchronous(FULL)", fmt.Sprintf("busy_timeout(%d)", busyTimeout), "foreign_keys(1)",
		"wal_autocheckpoint(0)", "cache_size(-65536)", "temp_store(MEMORY)",
		"secure_delete(1)", // what is overwritten is gone: keys that were destroyed, too
	}}
	if readOnly {
		options = url.Values{"_pragma": {"busy_timeout(5000)", "query_only(1)"}, "mode": {"ro"}}
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + options.Encode()
}

// Migrate makes or migrates the tables of a file.
func Migrate(path string) error {
	db, err := sql.Open("sqlite", dsn(path, false))
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	defer func() { _ = db.Close() }() // nothing is pending
	provider, err := newProvider(db)
	if err != nil {
		return err
	}
	if _, err := provider.Up(background); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return os.Chmod(path, 0o600)
}

func newProvider(db *sql.DB) (*goose.Provider, error) {
	folder, err := fs.Sub(migrations.SQLite, "sqlite")
	if err != nil {
		return nil, fmt.Errorf("migrations: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, folder)
	if err != nil {
		return nil, fmt.Errorf("migrations: %w", err)
	}
	return provider, nil
}

// checkVersion refuses a file that another version of the program has made.
func (s *Store) checkVersion() error {
	if _, err := os.Stat(s.config.Path); err != nil {
		return fmt.Errorf("no database at %s", filepath.Base(s.config.Path))
	}
	db, err := sql.Open("sqlite", s.dsn)
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	defer func() { _ = db.Close() }() // nothing is pending
	provider, err := newProvider(db)
	if err != nil {
		return err
	}
	pending, err := provider.HasPending(background)
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	if pending {
		return errors.New("the database has to be migrated first: run `refundry migrate`")
	}
	return nil
}

// Close ends everything that was started and closes the file.
func (s *Store) Close() error {
	close(s.stop)
	s.stopped.Wait()
	var errs []error
	for range readersMax {
		if reader := <-s.readers; reader != nil {
			errs = append(errs, reader.close())
		}
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.writer != nil {
		errs = append(errs, s.writer.close())
	}
	return errors.Join(errs...)
}

// read runs a question on one of the readers.
func (s *Store) read(ask func(*conn) error) error {
	reader := <-s.readers
	defer func() { s.readers <- reader }()
	if reader == nil {
		var err error
		if reader, err = open(s.dsn); err != nil {
			return err
		}
	}
	return ask(reader)
}

// snapshot runs several questions that must see one state.
func (s *Store) snapshot(ask func(*conn) error) error {
	return s.read(func(c *conn) error {
		if _, err := c.exec("BEGIN"); err != nil {
			return err
		}
		defer func() { _, _ = c.exec("ROLLBACK") }() // nothing was written
		return ask(c)
	})
}

// write runs a change in one database transaction. On an error nothing was
// written, unless it is [engine.ErrUncertain].
func (s *Store) write(change func(*conn) error) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if _, err := s.writer.exec("BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	ring := row.NewRing(s.config.Random)
	s.writer.ring = ring
	defer func() { s.writer.ring = nil }()
	if err := change(s.writer); err != nil {
		_, rollbackErr := s.writer.exec("ROLLBACK")
		return errors.Join(err, rollbackErr)
	}
	if ring.HasDestroyed() {
		s.scrubs.Store(true) // before it is known whether COMMIT will be heard
	}
	if _, err := s.writer.exec("COMMIT"); err != nil {
		return s.uncertain(err)
	}
	if s.sealed.Number > s.last.Number {
		s.last = s.sealed
	}
	return nil
}

// uncertain ends a database transaction whose COMMIT failed: it may have been
// written for all we know, so the newest commit row is read again.
func (s *Store) uncertain(err error) error {
	_, _ = s.writer.exec("ROLLBACK") // it may be over already
	newest, readErr := newestLink(s.writer)
	if readErr == nil {
		s.last = newest
	}
	return fmt.Errorf("%w: %w", engine.ErrUncertain, errors.Join(err, readErr))
}

// checkpoint moves what was committed from the WAL into the file, beside the writer.
func (s *Store) checkpoint(c *conn) {
	timer := time.NewTicker(checkpointPause)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			s.checkpointOnce(c)
		case <-s.stop:
			if err := c.close(); err != nil {
				s.config.Log.Warn("checkpointer not closed", "error", err)
			}
			return
		}
	}
}

// checkpointOnce copies what it can without making anybody wait. Such a
// checkpoint never empties a WAL that is always busy, so past a size the
// writer is held up for one that does.
func (s *Store) checkpointOnce(c *conn) {
	if _, err := c.exec("PRAGMA wal_checkpoint(PASSIVE)"); err != nil {
		s.config.Log.Warn("checkpoint failed", "error", err)
		return
	}
	if s.scrubs.Load() {
		s.scrub(0)
		return
	}
	wal, err := os.Stat(s.config.Path + "-wal")
	if err != nil || wal.Size() < walRestartBytes {
		return
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if _, err := s.writer.exec("PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		s.config.Log.Warn("checkpoint failed", "error", err)
	}
}
