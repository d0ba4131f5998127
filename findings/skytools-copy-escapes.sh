#!/bin/sh
# skytools 3.10.0 (PyPI): unescape_copy() reads a field of COPY's text format. Of the escapes that COPY writes, it does not know \f
# and \v, and keeps the letter: a form feed becomes an f, a vertical tab a v, without an error. Other control characters are
# right. In an E'...' literal, unquote_literal() reads \f, \u0041 and \x41 as f, u0041 and x41. quote_copy() writes all values so that
# COPY reads them, and unescape_copy() reads those.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{ python3 -m venv venv && venv/bin/pip install --quiet skytools==3.10.0; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }

cat >finding.py <<'PROGRAM'
from skytools import quote_copy, unescape_copy, unquote_literal

# As COPY writes them: backspace, tab, line feed, vertical tab, form feed, carriage return, backslash.
for field in (r"\b", r"\t", r"\n", r"\v", r"\f", r"\r", r"\\", r"page\fpage"):
    print(field, ascii(unescape_copy(field)))
for value in ("\v\f", "\\v", "\\N", None):
    print(ascii(value), ascii(unescape_copy(quote_copy(value))))
for literal in (r"E'a\tb'", r"E'a\fb'", r"E'a\u0041'", r"E'a\x41'"):
    print(literal, ascii(unquote_literal(literal, True)))
PROGRAM

cat >seen <<'SEEN'
\b '\x08'
\t '\t'
\n '\n'
\v 'v'
\f 'f'
\r '\r'
\\ '\\'
page\fpage 'pagefpage'
'\x0b\x0c' '\x0b\x0c'
'\\v' '\\v'
'\\N' '\\N'
None None
E'a\tb' 'a\tb'
E'a\fb' 'afb'
E'a\u0041' 'au0041'
E'a\x41' 'ax41'
SEEN

venv/bin/python finding.py >now
diff seen now
