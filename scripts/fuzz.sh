#!/usr/bin/env bash
# Fuzzes every fuzz target of the repository for a while, one after the other:
# `go test -fuzz` takes one at a time. FUZZ, a regular expression, narrows
# "folder target". What is found is written below the folder's testdata/fuzz:
# mend it, give the target a seed, and remove the file.
set -uo pipefail
cd "$(dirname "$0")/.."
time=${1:-10s}
failed=()
while read -r folder target; do
	echo "== $folder $target"
	go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$folder" </dev/null || failed+=("$folder $target")
done < <(git grep -E '^func Fuzz[A-Za-z0-9]+\(f \*testing\.F\)' -- '*_test.go' |
	sed -E 's|^(.*)/[^/]+:func (Fuzz[A-Za-z0-9]+).*|./\1 \2|' | grep -E -- "${FUZZ:-.}")
if ((${#failed[@]} > 0)); then
	printf 'found something: %s\n' "${failed[@]}"
	exit 1
fi
