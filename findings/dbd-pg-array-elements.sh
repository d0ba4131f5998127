#!/bin/sh
# DBD::Pg 3.16.0 (Debian 12's libdbd-pg-perl 3.16.0-2), Perl 5.36, PostgreSQL 15: an array is expanded to a Perl array, whose elements
# are other ones than a column of the same type has, without an error. An element of numeric goes through a double, so
# 12345678901234567890.12 is 1.23456789012346e+19, and one of bytea is the text \x00ff instead of two bytes. An array of three
# dimensions has its elements at other places, from the second row on. Elements of one and two dimensions, and NULL, are right.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get -qq download libdbd-pg-perl=3.16.0-2 libdbi-perl postgresql-15 postgresql-client-15 >apt.log 2>&1 || { cat apt.log >&2; exit 2; }
for file in *.deb; do dpkg -x "$file" root; done
bin=$folder/root/usr/lib/postgresql/15/bin

# The server refuses to run as root.
as_server() { if [ "$(id -u)" -eq 0 ]; then setpriv --reuid=nobody --clear-groups "$@"; else "$@"; fi; }
stop() { if [ -e data/postmaster.pid ]; then as_server "$bin/pg_ctl" -D data -m immediate -w stop >pg_ctl.log; fi; }
trap 'stop; rm -rf "$folder"' EXIT
chmod 755 .
mkdir data
[ "$(id -u)" -ne 0 ] || chown nobody data
as_server "$bin/initdb" -D "$folder/data" -A trust -U postgres >initdb.log 2>&1 || { cat initdb.log >&2; exit 2; }
as_server "$bin/pg_ctl" -D "$folder/data" -w -l "$folder/data/log" \
  -o "-k $folder/data -c listen_addresses=" start >pg_ctl.log || { cat data/log >&2; exit 2; }

cat >finding.pl <<'PROGRAM'
use strict;
use warnings;
use Data::Dumper;
use DBI;

$Data::Dumper::Terse = 1;
$Data::Dumper::Indent = 0;
$Data::Dumper::Useqq = 1;
my $database = DBI->connect("dbi:Pg:host=$ARGV[0];dbname=postgres", 'postgres', '', { RaiseError => 1 });
for my $sql (
    '12345678901234567890.12::numeric',
    'array[12345678901234567890.12, 1.10, null]::numeric[]',
    q{'\x00ff'::bytea},
    q{array['\x00ff']::bytea[]},
    q{array['\x00ff', 'NULL', null]::text[]},
    q{'{{1,2},{3,4}}'::int[]},
    q{'{{{1,2},{3,4}},{{5,6},{7,8}}}'::int[]},
) {
    print "$sql: ", Dumper($database->selectrow_array("select $sql")), "\n";
}
PROGRAM

cat >seen <<'SEEN'
12345678901234567890.12::numeric: "12345678901234567890.12"
array[12345678901234567890.12, 1.10, null]::numeric[]: ["1.23456789012346e+19","1.1",undef]
'\x00ff'::bytea: "\0\377"
array['\x00ff']::bytea[]: ["\\x00ff"]
array['\x00ff', 'NULL', null]::text[]: ["\\x00ff","NULL",undef]
'{{1,2},{3,4}}'::int[]: [[1,2],[3,4]]
'{{{1,2},{3,4}},{{5,6},{7,8}}}'::int[]: [[[1,2],[3,4],[[5,6]],[7,8]]]
SEEN

PERL5LIB=$(echo root/usr/lib/*/perl5/5.*) perl finding.pl "$folder/data" >now
diff seen now
