#!/bin/sh
# Miller 6.6.0 (Debian 12's miller 6.6.0-2+b3): files that PostgreSQL's COPY wrote, through a program that changes nothing. Miller
# reads TSV with backslash escapes, but a backslash before another letter than n, r and t is a character, which it doubles: NULL,
# \N, is written as \\N, which is the text \N for COPY, and \v as \\v. The output for JSON is no JSON where a text looks like a
# number of Miller's: 0xff and .5. Integers beyond 64 bits are compared as texts, so 18446744073709551615 is not above 5.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get -qq download miller=6.6.0-2+b3 >apt.log 2>&1 || { cat apt.log >&2; exit 2; }
for file in *.deb; do dpkg -x "$file" root; done
mlr=root/usr/bin/mlr

# What COPY writes of: NULL, the text \N, "a", vertical tab, "b", and "a", tab, "b".
cat >rows.text <<'TEXT'
1	\N
2	\\N
3	a\vb
4	a\tb
TEXT
printf 'code\n0xff\n.5\n1.10\n007\n' >codes.csv
printf 'n\n9223372036854775807\n9223372036854775808\n18446744073709551615\n' >numbers.csv
{
  echo 'COPY text:'
  $mlr --tsv --implicit-tsv-header --headerless-tsv-output cat rows.text
  echo 'JSON:'
  $mlr --icsv --ojson cat codes.csv
  echo 'above 5:'
  $mlr --icsv --ocsv --headerless-csv-output filter '$n > 5' numbers.csv
} >now

cat >seen <<'SEEN'
COPY text:
1	\\N
2	\\N
3	a\\vb
4	a\tb
JSON:
[
{
  "code": 0xff
},
{
  "code": .5
},
{
  "code": 1.10
},
{
  "code": "007"
}
]
above 5:
9223372036854775807
9223372036854775808
SEEN

diff seen now
