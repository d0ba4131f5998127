#!/bin/sh
# univocity-parsers 2.9.1 (com.univocity:univocity-parsers), Java 17: its TSV with COPY's NULL, and no trimming of blanks. The writer
# escapes the text for null, too, so with \N as that text null is written as \\N, which is the text \N for COPY, and so is an empty
# text. The reader gives \N and \\N, NULL and the text, as the same two characters, and an empty field as null. A row whose
# first value begins with # is left out as a comment, without an error.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >pom.xml <<'POM'
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>finding</groupId><artifactId>finding</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>com.univocity</groupId><artifactId>univocity-parsers</artifactId><version>2.9.1</version></dependency>
  </dependencies>
</project>
POM
mvn -q -B dependency:copy-dependencies -DoutputDirectory=lib >mvn.log 2>&1 || { cat mvn.log >&2; exit 2; }

# What COPY writes of: NULL, the text \N, an empty text, "a", tab, "b", and a row that begins with #.
cat >rows.text <<'TEXT'
1	\N
2	\\N
3	
4	a\tb
#5	x
TEXT

cat >Finding.java <<'PROGRAM'
import com.univocity.parsers.tsv.TsvParser;
import com.univocity.parsers.tsv.TsvParserSettings;
import com.univocity.parsers.tsv.TsvWriter;
import com.univocity.parsers.tsv.TsvWriterSettings;
import java.io.File;
import java.io.StringWriter;
import java.util.Arrays;

public class Finding {
  public static void main(String[] arguments) {
    var reading = new TsvParserSettings();
    reading.trimValues(false);
    reading.getFormat().setLineSeparator("\n");
    for (String[] row : new TsvParser(reading).parseAll(new File("rows.text"))) {
      System.out.println("read " + Arrays.toString(row).replace("\t", "<tab>"));
    }
    var writing = new TsvWriterSettings();
    writing.trimValues(false);
    writing.setNullValue("\\N");
    writing.getFormat().setLineSeparator("\n");
    var text = new StringWriter();
    var writer = new TsvWriter(text, writing);
    writer.writeRow("1", null);
    writer.writeRow("2", "\\N");
    writer.writeRow("3", "");
    writer.writeRow("4", "a\tb");
    writer.close();
    System.out.print("written\n" + text);
  }
}
PROGRAM

cat >seen <<'SEEN'
read [1, \N]
read [2, \N]
read [3, null]
read [4, a<tab>b]
written
1	\\N
2	\\N
3	\\N
4	a\tb
SEEN

java -cp 'lib/*' Finding.java >now 2>java.log || { cat java.log >&2; exit 2; }
diff seen now
