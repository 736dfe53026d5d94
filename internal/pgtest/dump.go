package pgtest

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Dump returns every value of every table of a database, bytes as they are. It
// leaves out the tables whose names begin with one of the prefixes.
func Dump(t testing.TB, database string, without ...string) []byte {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, database)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	rows, err := conn.Query(ctx, `SELECT tablename FROM pg_tables WHERE schemaname = 'public'`)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	var all bytes.Buffer
	for _, table := range tables {
		if slices.ContainsFunc(without, func(prefix string) bool { return strings.HasPrefix(table, prefix) }) {
			continue
		}
		if err := dumpTable(ctx, conn, &all, table); err != nil {
			t.Fatal(err)
		}
	}
	return all.Bytes()
}

func dumpTable(ctx context.Context, conn *pgx.Conn, to *bytes.Buffer, table string) error {
	rows, err := conn.Query(ctx, `SELECT * FROM `+pgx.Identifier{table}.Sanitize())
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			return err
		}
		for _, value := range values {
			if raw, ok := value.([]byte); ok {
				to.Write(raw)
			} else {
				fmt.Fprint(to, value)
			}
			to.WriteByte('\n')
		}
	}
	return rows.Err()
}
