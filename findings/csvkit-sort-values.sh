#!/bin/sh
# csvkit 2.2.0 (agate 1.14.2, parsedatetime 2.6): csvsort reads each column as the type that all its values fit, and writes values of
# that type, so a file that is to be sorted has other values, without a warning. A day of a year before 100, as COPY writes it, is
# in another century: 0044-03-15 becomes 2044-03-15, 0001-01-01 becomes 2001-01-01. Names such as may and sat are days of the year
# 1. A percent sign and a currency sign are lost; the time 24:00:00 is "1 day, 0:00:00", 1:30 is 0:01:30.
# csvsql --query writes a time of day as a timestamp of 1970, and integers beyond 64 bits with 17 digits. With --no-inference csvsort keeps all.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{ python3 -m venv venv && venv/bin/pip install --quiet csvkit==2.2.0 agate==1.14.2 parsedatetime==2.6; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }

cat >rows.csv <<'CSV'
id,day,name,share,price,clock,run
2,9999-12-31,may,50%,$5.10,24:00:00,1:30
1,0044-03-15,sat,7%,$5.00,12:34:56.5,0:05
3,0001-01-01,march,100%,$0.99,00:00:00,2:00
CSV
printf 'clock,n\n12:34:56,12345678901234567890\n' >times.csv
{
  venv/bin/csvsort -c id rows.csv
  venv/bin/csvsort --no-inference -c id rows.csv
  venv/bin/csvsql --query 'select * from times' times.csv
} >now

cat >seen <<'SEEN'
id,day,name,share,price,clock,run
1,2044-03-15,0001-01-06,7,5.00,12:34:56.500000,0:00:05
2,9999-12-31,0001-05-01,50,5.10,"1 day, 0:00:00",0:01:30
3,2001-01-01,0001-03-01,100,0.99,0:00:00,0:02:00
id,day,name,share,price,clock,run
1,0044-03-15,sat,7%,$5.00,12:34:56.5,0:05
2,9999-12-31,may,50%,$5.10,24:00:00,1:30
3,0001-01-01,march,100%,$0.99,00:00:00,2:00
clock,n
1970-01-01 12:34:56.000000,1.2345678901234567e+19
SEEN

diff seen now
