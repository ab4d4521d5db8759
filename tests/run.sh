#!/bin/sh
# Runs the tests, and then counts by reason those that were skipped for lack of something.
# Usage: run.sh COMMAND...
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM

{ "$@" 2>&1 || touch "$folder/failed"; } | tee "$folder/output"
sed -n 's/^test .* \.\.\. ignored, \(.*\)/\1/p; s/.*skipped, for lack of \(.*\): .*/lack of \1/p' \
    "$folder/output" | sort | uniq -c | sed 's/^ *\([0-9]*\) /skipped \1: /'
[ ! -e "$folder/failed" ]
