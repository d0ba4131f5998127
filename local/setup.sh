#!/bin/sh
# Makes this machine ready for `npm start` and `npm test`: npm packages, Debian packages, and the two extension
# files that PostgreSQL looks for in its own folder. Does nothing, in a few milliseconds, when all is there.
set -eu
cd "$(dirname "$0")/.."

PG_MAJOR=15
EXTENSIONS="/usr/share/postgresql/$PG_MAJOR/extension"

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

# --- npm packages -----------------------------------------------------------------------------------------------
# npm writes node_modules/.package-lock.json last, so it also tells an installation that was broken off.
if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  say 'installing the npm packages of package-lock.json (npm ci)'
  npm ci --no-audit --no-fund --loglevel=error
  # npm keeps the time of an unchanged file; the next start is to see that this was done.
  touch node_modules/.package-lock.json
fi

# --- Debian packages --------------------------------------------------------------------------------------------
# Package, and what it is here for.
wanted='
postgresql-15           the database
postgresql-15-partman   its extension pg_partman
pgbouncer               stands in for RDS Proxy
radosgw                 stands in for S3
ceph-mon                keeps the map of the store behind it
ceph-osd                is the store behind it
ceph-common             sets that store up
openssl                 makes the TLS certificates
curl                    carries exports from PostgreSQL to S3
util-linux              ends the servers with their starter (setpriv)
'
if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  fail 'the local stack needs Debian 12 (apt and its packages); this machine has no apt'
fi
names=$(printf '%s' "$wanted" | awk 'NF { print $1 }')
# One dpkg-query for all: it prints only those that it knows.
# shellcheck disable=SC2086
installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' $names 2>/dev/null || true)
missing=$(printf '%s\n' "$installed" | awk -v names="$(echo $names)" '
  $2 == "installed" { has[$1] = 1 }
  END { n = split(names, list, " "); for (i = 1; i <= n; i++) if (!(list[i] in has)) print list[i] }')
if [ -n "$missing" ]; then
  say 'installing Debian packages:'
  for name in $missing; do
    printf '%s' "$wanted" | awk -v name="$name" '$1 == name { sub(/^[^ ]+ +/, ""); printf "setup:   %-22s %s\n", name, $0 }' >&2
  done
  # Another apt may be at work, on a machine that has just been started: wait for its lock.
  apt='env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=500 -qq'
  # shellcheck disable=SC2086
  as_root $apt update || fail 'apt-get update failed; are the package sources reachable?'
  # shellcheck disable=SC2086
  as_root $apt install -y --no-install-recommends $missing >&2 ||
    fail "apt-get could not install: $(echo $missing) (they are in Debian 12, bookworm)"
fi

# --- the aws_s3 stand-in ----------------------------------------------------------------------------------------
for file in local/extensions/*.control local/extensions/*.sql; do
  target="$EXTENSIONS/${file##*/}"
  if ! cmp -s "$file" "$target"; then
    say "copying ${file##*/} to $EXTENSIONS"
    as_root install -m 644 "$file" "$target"
  fi
done
