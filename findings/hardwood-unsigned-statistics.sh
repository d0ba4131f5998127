#!/bin/sh
# hardwood 1.0.1.Final (dev.hardwood:hardwood-core with snappy-java 1.1.10.8, a Parquet reader for Java 21 or later; run with the
# machine's newest Java), pyarrow 23.0.1: a filter on an unsigned column (UINT_32). The statistics are in unsigned order, hardwood
# compares them as signed numbers, so an upper bound of 3000000000 is below 0 and the row group is skipped: n = 1 and n > 5 find
# nothing where a large number is in the same row group, and where each row has its own, n > 5 finds 7 only. Doubles are in IEEE's
# total order: x = 0 does not find -0.0, x > 1 finds NaN. No error.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{ python3 -m venv venv && venv/bin/pip install --quiet pyarrow==23.0.1; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }
cat >pom.xml <<'POM'
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>finding</groupId><artifactId>finding</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>dev.hardwood</groupId><artifactId>hardwood-core</artifactId><version>1.0.1.Final</version></dependency>
    <dependency><groupId>org.xerial.snappy</groupId><artifactId>snappy-java</artifactId><version>1.1.10.8</version></dependency>
  </dependencies>
</project>
POM
mvn -q -B dependency:copy-dependencies -DoutputDirectory=lib >mvn.log 2>&1 || { cat mvn.log >&2; exit 2; }

cat >write.py <<'PROGRAM'
import pyarrow
import pyarrow.parquet

table = pyarrow.table(
    {"n": pyarrow.array([0, 1, 7, 3000000000], pyarrow.uint32()), "x": [-0.0, 0.5, 1.5, float("nan")]}
)
for size in (1, 4):
    pyarrow.parquet.write_table(table, f"groups-of-{size}.parquet", row_group_size=size)
PROGRAM
venv/bin/python write.py

# Java 21 or later: the newest of the machine.
java=java
newest=20
for candidate in java /usr/lib/jvm/*/bin/java; do
  version=$("$candidate" -version 2>&1 | sed -n '1s/.*version "\([0-9]*\).*/\1/p')
  if [ "${version:-0}" -gt "$newest" ]; then java=$candidate newest=$version; fi
done
[ "$newest" -gt 20 ] || { echo "Java 21 or later is needed" >&2; exit 2; }

cat >Finding.java <<'PROGRAM'
import dev.hardwood.InputFile;
import dev.hardwood.reader.FilterPredicate;
import dev.hardwood.reader.ParquetFileReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

public class Finding {
  static void show(String words, FilterPredicate filter, String column) throws Exception {
    for (String file : new String[] {"groups-of-1.parquet", "groups-of-4.parquet"}) {
      List<Object> found = new ArrayList<>();
      try (var reader = ParquetFileReader.open(InputFile.of(Path.of(file)));
          var rows = reader.buildRowReader().filter(filter).build()) {
        while (rows.hasNext()) {
          rows.next();
          found.add(column.equals("n") ? Integer.toUnsignedString(rows.getInt("n")) : rows.getDouble("x"));
        }
      }
      System.out.println(words + " in " + file + ": " + found);
    }
  }

  public static void main(String[] arguments) throws Exception {
    show("n = 1", FilterPredicate.eq("n", 1), "n");
    show("n > 5", FilterPredicate.gt("n", 5), "n");
    show("x = 0", FilterPredicate.eq("x", 0.0), "x");
    show("x > 1", FilterPredicate.gt("x", 1.0), "x");
  }
}
PROGRAM

cat >seen <<'SEEN'
n = 1 in groups-of-1.parquet: [1]
n = 1 in groups-of-4.parquet: []
n > 5 in groups-of-1.parquet: [7]
n > 5 in groups-of-4.parquet: []
x = 0 in groups-of-1.parquet: []
x = 0 in groups-of-4.parquet: []
x > 1 in groups-of-1.parquet: [1.5, NaN]
x > 1 in groups-of-4.parquet: [1.5, NaN]
SEEN

"$java" -cp 'lib/*' Finding.java >now 2>java.log || { cat java.log >&2; exit 2; }
diff seen now
