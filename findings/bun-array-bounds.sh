#!/bin/sh
# bun's pgdialect 1.3.0 (github.com/uptrace/bun/dialect/pgdialect, Go 1.24 or later): PostgreSQL's text of an array, read by Array()
# into a slice of texts. Of two dimensions the braces belong to the elements: {{a,b},{c,d}} is "{a", "b}", "{c" and "d}". With
# another lower bound than 1 that bound is in the first element: [2:3]={a,b} is "2:3]={a" and "b". NULL is an empty text, in
# sql.NullString, too, where it is valid, and 0 in a slice of numbers. No error.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat >main.go <<'PROGRAM'
package main

import (
	"database/sql"
	"fmt"

	"github.com/uptrace/bun/dialect/pgdialect"
)

func main() {
	for _, text := range []string{`{a,"b c","NULL"}`, `{a,NULL}`, `{{a,b},{c,d}}`, `[2:3]={a,b}`} {
		var texts []string
		err := pgdialect.Array(&texts).Scan([]byte(text))
		fmt.Printf("%s: %q %v\n", text, texts, err)
	}
	var nullable []sql.NullString
	err := pgdialect.Array(&nullable).Scan([]byte(`{a,NULL}`))
	fmt.Printf("sql.NullString: %+v %v\n", nullable, err)
	var numbers []int64
	err = pgdialect.Array(&numbers).Scan([]byte(`{1,NULL}`))
	fmt.Println("int64:", numbers, err)
}
PROGRAM
printf 'module finding\n\ngo 1.24\n' >go.mod
go get github.com/uptrace/bun/dialect/pgdialect@v1.3.0 >go.log 2>&1 || { cat go.log >&2; exit 2; }
go build -o finding . >go.log 2>&1 || { cat go.log >&2; exit 2; }

cat >seen <<'SEEN'
{a,"b c","NULL"}: ["a" "b c" "NULL"] <nil>
{a,NULL}: ["a" ""] <nil>
{{a,b},{c,d}}: ["{a" "b}" "{c" "d}"] <nil>
[2:3]={a,b}: ["2:3]={a" "b"] <nil>
sql.NullString: [{String:a Valid:true} {String: Valid:true}] <nil>
int64: [1 0] <nil>
SEEN

./finding >now
diff seen now
