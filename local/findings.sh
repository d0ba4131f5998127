#!/bin/sh
# Runs the scripts of findings/, or those that are named: what surprised us in outside software, and whether it still does.
# What they print is shown where something has changed.
set -u
cd "$(dirname "$0")/.."

[ $# -gt 0 ] || set -- $(ls findings/*.sh | sed 's#.*/##; s#\.sh$##')
changed=0
output=$(mktemp)
trap 'rm -f "$output"' EXIT
for name; do
  if sh "findings/$name.sh" >"$output" 2>&1; then
    echo "still so   $name"
  else
    changed=$((changed + 1))
    echo "CHANGED    $name"
    sed 's/^/           /' "$output"
  fi
done
[ "$changed" -eq 0 ]
