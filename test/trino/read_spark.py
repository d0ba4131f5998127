"""Prints a Parquet file as JSON, read as docs/query.md says: python read_spark.py FILE"""

import json
import sys

from pyspark.sql import SparkSession, functions
from pyspark.sql.types import BinaryType, TimestampNTZType, TimestampType

spark = (
    SparkSession.builder.master("local[1]")
    .config("spark.ui.enabled", "false")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.sql.session.timeZone", "UTC")
    .getOrCreate()
)
# Names that differ only in case are one to Spark, but for this setting.
spark.conf.set("spark.sql.caseSensitive", "true")


def text(field):
    column = functions.col("`" + field.name.replace("`", "``") + "`")
    if isinstance(field.dataType, BinaryType):
        return functions.hex(column)
    if isinstance(field.dataType, (TimestampType, TimestampNTZType)):
        # Microseconds since 1970.
        return functions.unix_micros(column.cast("timestamp")).cast("string")
    return column.cast("string")


frame = spark.read.parquet(sys.argv[1])
rows = frame.select([text(field) for field in frame.schema.fields]).collect()
print(json.dumps([list(row) for row in rows]))
