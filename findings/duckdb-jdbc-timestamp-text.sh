#!/bin/sh
# DuckDB's JDBC driver (org.duckdb:duckdb_jdbc) 2.0.0.1, Java 17: the text of a TIMESTAMP without time zone by getString(), and
# getObject(), are a java.sql.Timestamp's, so they depend on the JVM's zone: 02:30 of the night in which New York's clocks go
# forward is 03:30. A year before Christ loses its era, and infinity is a time in the year 294247, -infinity in 290309, both after
# Christ. A cast to VARCHAR in SQL has the right text, and getObject() as LocalDateTime the right time of the night and the right
# year. No error.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >pom.xml <<'POM'
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>finding</groupId><artifactId>finding</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.duckdb</groupId><artifactId>duckdb_jdbc</artifactId><version>2.0.0.1</version></dependency>
  </dependencies>
</project>
POM
mvn -q -B dependency:copy-dependencies -DoutputDirectory=lib >mvn.log 2>&1 || { cat mvn.log >&2; exit 2; }

cat >Finding.java <<'PROGRAM'
import java.sql.DriverManager;
import java.time.LocalDateTime;

public class Finding {
  static final String[] TIMES = {
    "2026-03-08 01:30:00", "2026-03-08 02:30:00", "0044-03-15 (BC) 00:00:00", "infinity", "-infinity"
  };

  public static void main(String[] arguments) throws Exception {
    try (var connection = DriverManager.getConnection("jdbc:duckdb:"); var statement = connection.createStatement()) {
      for (String time : TIMES) {
        try (var rows = statement.executeQuery("select t, t::varchar from (select timestamp '" + time + "' as t)")) {
          rows.next();
          System.out.println(rows.getString(2) + ": getString() " + rows.getString(1)
              + ", LocalDateTime " + rows.getObject(1, LocalDateTime.class));
        }
      }
    }
  }
}
PROGRAM

cat >seen <<'SEEN'
2026-03-08 01:30:00: getString() 2026-03-08 01:30:00.0, LocalDateTime 2026-03-08T01:30
2026-03-08 02:30:00: getString() 2026-03-08 03:30:00.0, LocalDateTime 2026-03-08T02:30
0044-03-15 (BC) 00:00:00: getString() 0044-03-15 00:00:00.0, LocalDateTime -0043-03-15T00:00
infinity: getString() 294247-01-10 04:00:54.775807, LocalDateTime +294247-01-10T04:00:54.775807
-infinity: getString() 290309-12-21 19:59:05.224193, LocalDateTime -290308-12-21T19:59:05.224193
SEEN

java -Duser.timezone=America/New_York -cp 'lib/*' Finding.java >now 2>java.log || { cat java.log >&2; exit 2; }
diff seen now
