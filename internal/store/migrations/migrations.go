// Package migrations holds the schema of both stores. The two folders have
// the same file names; migrations are added, never edited.
package migrations

import "embed"

// SQLite and Postgres are the migrations of each store, in their folders.
var (
	//go:embed sqlite/*.sql
	SQLite embed.FS
	//go:embed postgres/*.sql
	Postgres embed.FS
)
