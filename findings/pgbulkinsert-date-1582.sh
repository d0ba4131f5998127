#!/bin/sh
# PgBulkInsert 8.1.5 (de.bytefish:pgbulkinsert, with org.postgresql:postgresql 42.7.7), PostgreSQL 15, Java 17: a LocalDate before
# 15 October 1582 comes into the table as another day, without an error. Days are counted by java.util's calendar, which is the
# Julian one before that day, while LocalDate and PostgreSQL are Gregorian for all times: 1500-01-01 is stored as 1499-12-23. The
# same day in a LocalDateTime is stored as it is, and so is every date after it.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >pom.xml <<'POM'
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>finding</groupId><artifactId>finding</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>de.bytefish</groupId><artifactId>pgbulkinsert</artifactId><version>8.1.5</version></dependency>
    <dependency><groupId>org.postgresql</groupId><artifactId>postgresql</artifactId><version>42.7.7</version></dependency>
  </dependencies>
</project>
POM
mvn -q -B dependency:copy-dependencies -DoutputDirectory=lib >mvn.log 2>&1 || { cat mvn.log >&2; exit 2; }
apt-get -qq download postgresql-15 postgresql-client-15 >apt.log 2>&1 || { cat apt.log >&2; exit 2; }
for file in *.deb; do dpkg -x "$file" root; done
bin=$folder/root/usr/lib/postgresql/15/bin

# The server refuses to run as root.
as_server() { if [ "$(id -u)" -eq 0 ]; then setpriv --reuid=nobody --clear-groups "$@"; else "$@"; fi; }
stop() { if [ -e data/postmaster.pid ]; then as_server "$bin/pg_ctl" -D data -m immediate -w stop >pg_ctl.log; fi; }
trap 'stop; rm -rf "$folder"' EXIT
chmod 755 .
mkdir data
[ "$(id -u)" -ne 0 ] || chown nobody data
as_server "$bin/initdb" -D "$folder/data" -A trust -U postgres >initdb.log 2>&1 || { cat initdb.log >&2; exit 2; }
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
as_server "$bin/pg_ctl" -D "$folder/data" -w -l "$folder/data/log" \
  -o "-k $folder/data -c listen_addresses=127.0.0.1 -p $port" start >pg_ctl.log || { cat data/log >&2; exit 2; }

cat >Finding.java <<'PROGRAM'
import de.bytefish.pgbulkinsert.row.SimpleRow;
import de.bytefish.pgbulkinsert.row.SimpleRowWriter;
import de.bytefish.pgbulkinsert.util.PostgreSqlUtils;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.LocalDate;

public class Finding {
  public static void main(String[] arguments) throws Exception {
    String url = "jdbc:postgresql://127.0.0.1:" + arguments[0] + "/postgres?user=postgres";
    try (Connection connection = DriverManager.getConnection(url)) {
      connection.createStatement().execute("create table days (id integer, d date, t timestamp)");
      String[] days = {"0001-01-01", "1500-01-01", "1582-10-14", "1582-10-15", "9999-12-31"};
      var table = new SimpleRowWriter.Table("public", "days", new String[] {"id", "d", "t"});
      try (var writer = new SimpleRowWriter(table, PostgreSqlUtils.getPGConnection(connection))) {
        for (int day = 0; day < days.length; day++) write(writer, day, LocalDate.parse(days[day]));
      }
      var rows = connection.createStatement().executeQuery("select d::text, t::date::text from days order by id");
      for (String day : days) {
        rows.next();
        System.out.println(day + ": date " + rows.getString(1) + ", timestamp " + rows.getString(2));
      }
    }
  }

  static void write(SimpleRowWriter writer, int id, LocalDate day) throws Exception {
    writer.startRow((SimpleRow row) -> {
      row.setInteger("id", id);
      row.setDate("d", day);
      row.setTimeStamp("t", day.atStartOfDay());
    });
  }
}
PROGRAM

cat >seen <<'SEEN'
0001-01-01: date 0001-01-03, timestamp 0001-01-01
1500-01-01: date 1499-12-23, timestamp 1500-01-01
1582-10-14: date 1582-10-04, timestamp 1582-10-14
1582-10-15: date 1582-10-15, timestamp 1582-10-15
9999-12-31: date 9999-12-31, timestamp 9999-12-31
SEEN

java -cp 'lib/*' Finding.java "$port" >now 2>java.log || { cat java.log >&2; exit 2; }
diff seen now
