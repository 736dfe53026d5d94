package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	driversqlite "modernc.org/sqlite"

	"github.com/refundry/refundry/internal/id"
	"github.com/refundry/refundry/internal/store/row"
)

// conn is one connection with its prepared statements. It speaks to the
// driver directly, which costs a tenth less than database/sql. It belongs to
// one goroutine at a time.
type conn struct {
	raw        driver.Conn
	statements map[string]driver.Stmt
	args       []driver.NamedValue
	ring       *row.Ring // personal keys of what is being written; nil: only read
}

// open opens a connection. Statements of a connection run one at a time and
// are short: none of them listens to a context.
func open(dsn string) (*conn, error) {
	raw, err := (&driversqlite.Driver{}).Open(dsn)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	return &conn{raw: raw, statements: map[string]driver.Stmt{}}, nil
}

func (c *conn) close() error {
	var errs []error
	for _, statement := range c.statements {
		errs = append(errs, statement.Close())
	}
	return errors.Join(append(errs, c.raw.Close())...)
}

func (c *conn) prepare(query string) (driver.Stmt, error) {
	if statement, ok := c.statements[query]; ok {
		return statement, nil
	}
	statement, err := c.raw.(driver.ConnPrepareContext).PrepareContext(context.Background(), query)
	if err != nil {
		return nil, fmt.Errorf("prepare: %w", err)
	}
	c.statements[query] = statement
	return statement, nil
}

// bind turns arguments into what the driver takes.
func (c *conn) bind(args []any) []driver.NamedValue {
	c.args = c.args[:0]
	for i, arg := range args {
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: value(arg)})
	}
	return c.args
}

func value(arg any) driver.Value {
	switch arg := arg.(type) {
	case int:
		return int64(arg)
	case bool:
		if arg {
			return int64(1)
		}
		return int64(0)
	default:
		return arg
	}
}

// exec runs a statement and returns how many rows it changed.
func (c *conn) exec(query string, args ...any) (int64, error) {
	statement, err := c.prepare(query)
	if err != nil {
		return 0, err
	}
	result, err := statement.(driver.StmtExecContext).ExecContext(context.Background(), c.bind(args))
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// query runs a statement and calls scan for each row.
func (c *conn) query(query string, args []any, scan func(*cells) error) error {
	statement, err := c.prepare(query)
	if err != nil {
		return err
	}
	rows, err := statement.(driver.StmtQueryContext).QueryContext(context.Background(), c.bind(args))
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // a statement that is reset anyway
	cells := &cells{values: make([]driver.Value, len(rows.Columns())), ring: c.ring}
	for {
		switch err := rows.Next(cells.values); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		cells.next, cells.err = 0, nil
		if err := scan(cells); err != nil {
			return err
		}
		if cells.err != nil {
			return cells.err
		}
	}
}

// cells is one row, read from left to right. The first cell of another type
// than asked for is kept as err.
type cells struct {
	values []driver.Value
	next   int
	err    error
	ring   *row.Ring // takes the keys that are read
}

func cell[T any](c *cells) T {
	value, ok := c.values[c.next].(T)
	if !ok && c.err == nil {
		c.err = fmt.Errorf("column %d holds a %T", c.next, c.values[c.next])
	}
	c.next++
	return value
}

func (c *cells) int() int64    { return cell[int64](c) }
func (c *cells) bool() bool    { return cell[int64](c) != 0 }
func (c *cells) text() string  { return cell[string](c) }
func (c *cells) bytes() []byte { return cell[[]byte](c) }

// maybe reads bytes that may be NULL.
func (c *cells) maybe() []byte {
	if c.values[c.next] == nil {
		c.next++
		return nil
	}
	return c.bytes()
}

// key reads a personal key; NULL is none, an empty one was destroyed.
func (c *cells) key() row.PersonalKey {
	if c.values[c.next] == nil {
		c.next++
		return nil
	}
	return append(row.PersonalKey{}, c.bytes()...)
}

// uuid reads 16 bytes; NULL is zero.
func (c *cells) uuid() [16]byte {
	bytes := c.maybe()
	if bytes == nil {
		return [16]byte{}
	}
	if len(bytes) != 16 {
		if c.err == nil {
			c.err = fmt.Errorf("column %d is no id", c.next-1)
		}
		return [16]byte{}
	}
	return [16]byte(bytes)
}

// ident is an id as an argument.
func ident[K id.Kind](i id.ID[K]) []byte { return i[:] }

// nullable is an id as an argument; zero is NULL.
func nullable[T ~[16]byte](i T) any {
	if i == (T{}) {
		return nil
	}
	raw := [16]byte(i)
	return raw[:]
}
