#!/bin/sh
# Apache Commons CSV 1.14.1 (org.apache.commons:commons-csv), Java 17: CSVFormat.POSTGRESQL_TEXT, the format of PostgreSQL's COPY.
# COPY writes NULL as \N and the text \N as \\N. Commons CSV writes both as COPY does, and reads both as null. COPY writes a
# vertical tab as \v, which is read as a backslash and a v, and is written as those two characters. The other escapes are right.
# POSTGRESQL_CSV reads and writes all of them, and tells NULL from an empty text.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >pom.xml <<'POM'
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>finding</groupId><artifactId>finding</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.commons</groupId><artifactId>commons-csv</artifactId><version>1.14.1</version></dependency>
  </dependencies>
</project>
POM
mvn -q -B dependency:copy-dependencies -DoutputDirectory=lib >mvn.log 2>&1 || { cat mvn.log >&2; exit 2; }

# What COPY (select ...) TO writes of: NULL, the text \N, an empty text, "a", vertical tab, "b", and "a", tab, "b", backslash.
cat >rows.text <<'TEXT'
1	\N
2	\\N
3	
4	a\vb
5	a\tb\\
TEXT
printf '1,\n2,\\N\n3,""\n4,a\vb\n5,a\tb\\\n' >rows.csv

cat >Finding.java <<'PROGRAM'
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;

public class Finding {
  public static void main(String[] arguments) throws Exception {
    read("rows.text", CSVFormat.POSTGRESQL_TEXT);
    read("rows.csv", CSVFormat.POSTGRESQL_CSV);
  }

  static void read(String file, CSVFormat format) throws Exception {
    System.out.println(file);
    for (var row : CSVParser.parse(Path.of(file), StandardCharsets.UTF_8, format)) {
      System.out.println(shown(row.get(1)) + " written as " + shown(format.format((Object[]) row.values())));
    }
    System.out.println("the text \\N written as " + shown(format.format("2", "\\N")));
  }

  static String shown(String text) {
    return text == null ? "null" : "[" + text.replace("\t", "<tab>").replace("\u000b", "<vertical tab>") + "]";
  }
}
PROGRAM

cat >seen <<'SEEN'
rows.text
null written as [1<tab>\N]
null written as [2<tab>\N]
[] written as [3<tab>]
[a\vb] written as [4<tab>a\\vb]
[a<tab>b\] written as [5<tab>a\<tab>b\\]
the text \N written as [2<tab>\\N]
rows.csv
null written as ["1",]
[\N] written as ["2","\N"]
[] written as ["3",""]
[a<vertical tab>b] written as ["4","a<vertical tab>b"]
[a<tab>b\] written as ["5","a<tab>b\"]
the text \N written as ["2","\N"]
SEEN

java -cp 'lib/*' Finding.java >now 2>java.log || { cat java.log >&2; exit 2; }
diff seen now
