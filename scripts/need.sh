#!/usr/bin/env bash
# Finds or installs what the tests need besides Go: a PostgreSQL server.
set -euo pipefail

has_postgres() {
	[ -n "${PGBIN:-}" ] && [ -x "$PGBIN/initdb" ] && return 0
	compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null && return 0
	command -v initdb >/dev/null && command -v postgres >/dev/null
}

if has_postgres; then
	exit 0
fi
if ! command -v apt-get >/dev/null; then
	echo "The tests need a PostgreSQL server (15 or newer): install one, and set PGBIN to the folder of initdb." >&2
	exit 1
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
	if ! command -v sudo >/dev/null; then
		echo "The tests need PostgreSQL: run 'apt-get install postgresql' as root, then again." >&2
		exit 1
	fi
	as_root=(sudo)
fi
echo "Installing PostgreSQL for the tests." >&2
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends postgresql >/dev/null
has_postgres
