#!/bin/sh
# goavro 2.15.0 (github.com/linkedin/goavro/v2, Go 1.24 or later): values that are written to Avro as other ones, without an
# error. A decimal that is too large for its fixed loses its first bytes, so 99999999999 is 0 in a fixed of four, and one of
# more digits than the precision is taken; fractions are rounded down, so -1/3 is -0.34. A date before 1970 with a time of day
# is the day after. Defaults go through JSON: the one byte "\u00ff" of bytes is two, and a long beyond 53 bits is rounded. Zero
# in a fixed is refused.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat >main.go <<'PROGRAM'
package main

import (
	"fmt"
	"math/big"
	"time"

	"github.com/linkedin/goavro/v2"
)

func through(schema string, value any) any {
	codec, err := goavro.NewCodec(schema)
	if err != nil {
		panic(err)
	}
	data, err := codec.BinaryFromNative(nil, value)
	if err != nil {
		return err
	}
	read, _, err := codec.NativeFromBinary(data)
	if err != nil {
		return err
	}
	switch read := read.(type) {
	case *big.Rat:
		return read.FloatString(2)
	case time.Time:
		return read.Format("2006-01-02")
	}
	return read
}

func main() {
	fixed := `{"type": "fixed", "name": "f", "size": 4, "logicalType": "decimal", "precision": 9, "scale": 2}`
	bytes := `{"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}`
	date := `{"type": "int", "logicalType": "date"}`
	fmt.Println("fixed -0.01:", through(fixed, big.NewRat(-1, 100)))
	fmt.Println("fixed 99999999999:", through(fixed, big.NewRat(99999999999, 1)))
	fmt.Println("fixed 0:", through(fixed, big.NewRat(0, 1)))
	fmt.Println("bytes 99999999999:", through(bytes, big.NewRat(99999999999, 1)))
	fmt.Println("bytes -1/3:", through(bytes, big.NewRat(-1, 3)))
	fmt.Println("date 2026-01-01 12:00:", through(date, time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)))
	fmt.Println("date 1969-12-31 12:00:", through(date, time.Date(1969, 12, 31, 12, 0, 0, 0, time.UTC)))
	fmt.Println("defaults:", through(`{"type": "record", "name": "r", "fields": [
		{"name": "a", "type": "bytes", "default": "\u00ff"},
		{"name": "b", "type": "long", "default": 9007199254740993}]}`, map[string]any{}))
}
PROGRAM
printf 'module finding\n\ngo 1.24\n' >go.mod
go get github.com/linkedin/goavro/v2@v2.15.0 >go.log 2>&1 || { cat go.log >&2; exit 2; }
go build -o finding . >go.log 2>&1 || { cat go.log >&2; exit 2; }

cat >seen <<'SEEN'
fixed -0.01: -0.01
fixed 99999999999: 0.00
fixed 0: cannot encode binary fixed "f": datum size ought to equal schema size: 1 != 4
bytes 99999999999: 99999999999.00
bytes -1/3: -0.34
date 2026-01-01 12:00: 2026-01-01
date 1969-12-31 12:00: 1970-01-01
defaults: map[a:[195 191] b:9007199254740992]
SEEN

./finding >now
diff seen now
