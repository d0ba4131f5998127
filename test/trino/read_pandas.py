"""Prints a Parquet file as JSON, read as docs/query.md says: python read_pandas.py FILE"""

import decimal
import json
import sys

import pandas
import pyarrow


def texts(series):
    array = pyarrow.Array.from_pandas(series)
    if pyarrow.types.is_timestamp(array.type):
        # Microseconds since 1970.
        array = array.cast(pyarrow.int64())
    for value in array.to_pylist():
        if value is None:
            yield None
        elif isinstance(value, bytes):
            yield value.hex().upper()
        elif isinstance(value, bool):
            yield str(value).lower()
        elif isinstance(value, decimal.Decimal):
            # Without an exponent.
            yield format(value, "f")
        else:
            yield str(value)


frame = pandas.read_parquet(sys.argv[1], dtype_backend="pyarrow")
columns = [list(texts(frame.iloc[:, index])) for index in range(len(frame.columns))]
print(json.dumps([list(row) for row in zip(*columns)]))
