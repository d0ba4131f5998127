#!/bin/sh
# Makes this machine ready for `npm start` and `npm test`: npm packages, the packages that its distribution (Debian,
# Ubuntu) has of the local stack, and the two extension files that PostgreSQL looks for in its own folder. With `test`
# as argument, also what only tests need: extensions and a browser. Does nothing, in a few milliseconds, when all is there.
set -eu
cd "$(dirname "$0")/.."

LOG=.local/setup.log
. local/packages.sh

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    fail "this needs root, and there is no sudo; run as root: $*"
  fi
}

# logged LABEL COUNTED TOTAL COMMAND…: runs the command with its output in $LOG, and shows seconds meanwhile where
# somebody looks on, and how many of TOTAL lines with COUNTED at the beginning the log has.
logged() {
  label=$1 counted=$2 total=$3
  shift 3
  printf '\n%s: %s\n' "$(date -u +%FT%TZ)" "$*" >>"$LOG"
  begin=$(date +%s) before=$(count_lines "$counted")
  "$@" >>"$LOG" 2>&1 &
  child=$!
  if [ -t 2 ]; then
    while kill -0 "$child" 2>/dev/null; do
      if [ "$total" -gt 0 ]; then
        set -- ", $(($(count_lines "$counted") - before)) of $total"
      else
        set -- ''
      fi
      printf '\rsetup: %s: %d s%s ' "$label" "$(($(date +%s) - begin))" "$1" >&2
      sleep 0.5
    done
    printf '\r\033[K' >&2
  else
    say "$label"
  fi
  status=0
  wait "$child" || status=$?
  if [ "$status" -ne 0 ]; then
    tail -n 12 "$LOG" >&2
    fail "$label: failed after $(($(date +%s) - begin)) s; the whole output is in $PWD/$LOG"
  fi
  say "$label: $(($(date +%s) - begin)) s"
}
count_lines() { grep -c "^$1" "$LOG" || true; }

start_log() {
  mkdir -p "${LOG%/*}"
  [ -e "$LOG" ] || : >"$LOG"
}

# --- npm packages -----------------------------------------------------------------------------------------------
# The lock file that node_modules was installed from is kept in it, copied last: it also tells an installation that was
# broken off. Modification times tell nothing, since a checkout may bring an older or a younger lock file.
if ! cmp -s package-lock.json node_modules/.installed-package-lock.json; then
  start_log
  packages=$(grep -c '^    "node_modules/' package-lock.json)
  logged "the npm packages of package-lock.json (up to $packages, npm ci)" '' 0 \
    npm ci --no-audit --no-fund --loglevel=error
  cp package-lock.json node_modules/.installed-package-lock.json
fi

# --- which PostgreSQL -------------------------------------------------------------------------------------------
# The newest that has pg_partman here, as installedPostgres() in local/stack/installation.ts chooses it.
installed_major() {
  for control in /usr/share/postgresql/*/extension/pg_partman.control; do
    major=${control#/usr/share/postgresql/} major=${major%%/*}
    [ ! -x "/usr/lib/postgresql/$major/bin/postgres" ] || echo "$major"
  done | sort -n | tail -n 1
}

missing() {
  names=$(wanted "$1" | awk '{ print $1 }')
  # One dpkg-query for all: it prints only those that it knows.
  # shellcheck disable=SC2086
  dpkg-query -W -f '${Package} ${db:Status-Status}\n' $names 2>/dev/null | awk -v names="$(echo $names)" '
    $2 == "installed" { has[$1] = 1 }
    END { n = split(names, list, " "); for (i = 1; i <= n; i++) if (!(list[i] in has)) print list[i] }'
}

# Another apt may be at work, on a machine that has just been started: wait for its lock.
apt='env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -o DPkg::Lock::Timeout=500'
install="$apt -y --no-install-recommends"

# --- packages of the distribution -------------------------------------------------------------------------------
if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  fail 'the local stack needs the packages of Debian (12 or later) or Ubuntu, and this machine has no apt.' \
    'With Docker or Podman: see "Try it on your machine" in README.md'
fi
major=$(installed_major)
if [ -z "$major" ] || [ -n "$(missing "$major")" ]; then
  start_log
  # A password is asked for here, while the terminal is free.
  as_root true
  # shellcheck disable=SC2086
  logged 'the package lists (apt-get update)' '' 0 as_root $apt update
  [ -n "$major" ] || major=$(packaged_major)
  [ -n "$major" ] || fail 'no package postgresql-…-partman of 4.7 or later in the package lists of this machine' \
    '(Debian has it since 12; Ubuntu since 24.04, in "universe")'
  missing=$(missing "$major")
  say "$(. /etc/os-release && echo "$PRETTY_NAME") has PostgreSQL $(version_of "postgresql-$major") with pg_partman" \
    "$(version_of "postgresql-$major-partman"), PgBouncer $(version_of pgbouncer), RADOS Gateway $(version_of radosgw)"
  for name in $missing; do
    wanted "$major" |
      awk -v name="$name" '$1 == name { sub(/^[^ ]+ +/, ""); printf "setup:   %-22s %s\n", name, $0 }' >&2
  done
  # shellcheck disable=SC2086
  packages=$($install -s install $missing | grep -c '^Inst ') ||
    fail "apt-get cannot install $(echo $missing); what it says: $apt -s install $(echo $missing)"
  # shellcheck disable=SC2086
  size=$($install -qq --print-uris install $missing | awk '{ sum += $3 } END { printf "%.0f", sum / 1e6 }')
  # shellcheck disable=SC2086
  logged "$packages packages, $size MB to fetch (apt-get install)" 'Setting up ' "$packages" \
    as_root $install install $missing
fi

# --- packages of the tests --------------------------------------------------------------------------------------
# PostGIS (37 MB to fetch, 171 MB on disk), pgvector, and a browser that looks at the page (100 MB, 310 MB on disk; Ubuntu
# has none as a package), where they are packaged. Asked of apt once, as that takes a second; a test whose package is
# missing is skipped.
asked=.local/test-packages-$major
if [ "${1:-}" = test ] && [ ! -e "$asked" ]; then
  start_log
  packages=
  for name in "postgresql-$major-postgis-3" "postgresql-$major-pgvector" chromium-headless-shell; do
    ! dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null | grep -qx installed || continue
    if apt-cache show "$name" >/dev/null 2>&1; then
      packages="$packages $name"
    else
      say "$name is not in the package lists of this machine; its tests are skipped"
    fi
  done
  # In a shell of its own, which a failure ends.
  # shellcheck disable=SC2086
  [ -z "$packages" ] ||
    (logged "packages of the tests:$packages (apt-get install)" '' 0 as_root $install install $packages) ||
    say "the tests of$packages are skipped"
  : >"$asked"
fi

# --- the aws_s3 stand-in ----------------------------------------------------------------------------------------
folder="/usr/share/postgresql/$major/extension"
for file in local/extensions/*.control local/extensions/*.sql; do
  target="$folder/${file##*/}"
  if ! cmp -s "$file" "$target"; then
    say "copying ${file##*/} to $folder"
    as_root install -m 644 "$file" "$target"
  fi
done
