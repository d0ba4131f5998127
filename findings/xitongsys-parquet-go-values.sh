#!/bin/sh
# parquet-go 1.6.2 of xitongsys (github.com/xitongsys/parquet-go, Go 1.24 or later): its functions that turn values into Parquet's and
# back, without an error. Of a DECIMAL in a number, zeros behind the point are lost, so 0.05 is 0.5 and 1.00 is 1.0, and the sign
# is in both parts: -1.50 is -1.-50. A negative one in bytes comes as a positive one: -0.50 as 2.06. A TIMESTAMP of microseconds
# goes through nanoseconds, which end in 1678 and 2262: 9999-12-31 is written and read as a day in 1816, 1500-01-01 as one in 2084.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat >main.go <<'PROGRAM'
package main

import (
	"fmt"
	"time"

	"github.com/xitongsys/parquet-go/parquet"
	"github.com/xitongsys/parquet-go/types"
)

func stored(text string, as parquet.Type) any {
	decimal := parquet.ConvertedType_DECIMAL
	value, err := types.StrToParquetType(text, &as, &decimal, 0, 2)
	if err != nil {
		return err
	}
	return value
}

func main() {
	for _, text := range []string{"12.34", "0.05", "1.00", "-1.50"} {
		value := stored(text, parquet.Type_INT64).(int64)
		fmt.Println(text, "in 64 bits", value, "read", types.DECIMAL_INT_ToString(value, 18, 2))
	}
	for _, text := range []string{"12.34", "-0.50"} {
		value := stored(text, parquet.Type_BYTE_ARRAY).(string)
		fmt.Printf("%s in bytes %x read %s\n", text, value, types.DECIMAL_BYTE_ARRAY_ToString([]byte(value), 18, 2))
	}
	for _, day := range []string{"1500-01-01", "1969-12-31", "2026-01-01", "9999-12-31"} {
		at, _ := time.Parse(time.DateOnly, day)
		micros := types.TimeToTIMESTAMP_MICROS(at, true)
		fmt.Println(day, "is", at.UnixMicro(), "written", micros)
		at = types.TIMESTAMP_MICROSToTime(at.UnixMicro(), true)
		fmt.Println(day, "read", at.UTC().Format(time.DateOnly))
	}
}
PROGRAM
printf 'module finding\n\ngo 1.24\n' >go.mod
go get github.com/xitongsys/parquet-go@v1.6.2 >go.log 2>&1 || { cat go.log >&2; exit 2; }
go mod tidy >go.log 2>&1 || { cat go.log >&2; exit 2; }
go build -o finding . >go.log 2>&1 || { cat go.log >&2; exit 2; }

cat >seen <<'SEEN'
12.34 in 64 bits 1234 read 12.34
0.05 in 64 bits 5 read 0.5
1.00 in 64 bits 100 read 1.0
-1.50 in 64 bits -150 read -1.-50
12.34 in bytes 04d2 read 12.34
-0.50 in bytes ce read 2.06
1500-01-01 is -14831769600000000 written 3614974473709551
1500-01-01 read 2084-07-20
1969-12-31 is -86400000000 written -86400000000
1969-12-31 read 1969-12-31
2026-01-01 is 1767225600000000 written 1767225600000000
2026-01-01 read 2026-01-01
9999-12-31 is 253402214400000000 written -4852202631933722
9999-12-31 read 1816-03-29
SEEN

./finding >now
diff seen now
