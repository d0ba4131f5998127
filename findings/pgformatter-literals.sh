#!/bin/sh
# pg_format of pgFormatter 5.5 (Debian 12's pgformatter 5.5-1), which formats PostgreSQL's SQL: texts become other ones, without
# a warning. A backslash at the end of a text, which since PostgreSQL 9.1 is a character like others, is taken for an escape, so
# the texts behind it gain spaces and lose some; a literal in dollar quotes is formatted as SQL; and U&'...' becomes U & '...',
# a column. So INSERT writes other rows. 1.5e+10 and the operator #- are split, which is an error. (The project's issues have
# dollar quotes as fixed later.)
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get -qq download pgformatter=5.5-1 >apt.log 2>&1 || { cat apt.log >&2; exit 2; }
for file in *.deb; do dpkg -x "$file" root; done

cat >statements.sql <<'SQL'
insert into t values ('c:\logs\', 'two  blanks', 'a--b');
insert into t values ('c:\logs', 'two  blanks', 'a--b');
insert into t values ($$from  here$$);
select U&'d\0061ta' from t;
select 1.5e+10, a #- '{b}' from t;
SQL

cat >seen <<'SEEN'
INSERT INTO t
    VALUES ('c:\logs\', ' two blanks', 'a --b');
        INSERT INTO t
            VALUES ('c:\logs', 'two  blanks', 'a--b');

INSERT INTO t
    VALUES ($$
    FROM
        here$$);

SELECT
    U & 'd\0061ta'
FROM
    t;

SELECT
    1.5e + 10,
    a # - '{b}'
FROM
    t;

SEEN

PERL5LIB=root/usr/share/perl5 perl root/usr/bin/pg_format statements.sql >now
diff seen now
