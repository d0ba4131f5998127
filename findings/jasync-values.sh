#!/bin/sh
# jasync-postgresql 2.2.4 (com.github.jasync-sql), PostgreSQL 15, Java 17: values that become other ones, without an error.
# Written, a LocalDate before Christ loses its era, so 44 BC is AD 44 in the table, and an OffsetDateTime the seconds of its
# offset, so it is another moment. Read, a timetz is its time of day without the offset, so two different times are one, and
# 24:00 is 00:00, the other end of the day. Infinity, NaN of numeric and negative times of an interval are refused.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >pom.xml <<'POM'
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>finding</groupId><artifactId>finding</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>com.github.jasync-sql</groupId><artifactId>jasync-postgresql</artifactId><version>2.2.4</version></dependency>
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
import com.github.jasync.sql.db.postgresql.PostgreSQLConnectionBuilder;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.util.List;

public class Finding {
  public static void main(String[] arguments) throws Exception {
    var pool = PostgreSQLConnectionBuilder.createConnectionPool(
        "jdbc:postgresql://127.0.0.1:" + arguments[0] + "/postgres?user=postgres");
    pool.sendQuery("set timezone = 'UTC'").get();
    for (String value : new String[] {"timetz '12:00-05'", "timetz '12:00+00'", "time '24:00'", "numeric '1e-20'"}) {
      System.out.println("read " + value + " -> " + pool.sendQuery("select " + value).get().getRows().get(0).get(0));
    }
    Object[][] values = {
      {"date", LocalDate.of(44, 3, 15)}, {"date", LocalDate.of(-43, 3, 15)},
      {"timestamptz", OffsetDateTime.parse("1883-01-01T00:00-04:56")},
      {"timestamptz", OffsetDateTime.parse("1883-01-01T00:00-04:56:02")},
    };
    for (Object[] value : values) {
      var result = pool.sendPreparedStatement("select (?::" + value[0] + ")::text", List.of(value[1])).get();
      System.out.println("written " + value[0] + " " + value[1] + " -> " + result.getRows().get(0).get(0));
    }
    System.exit(0);
  }
}
PROGRAM

cat >seen <<'SEEN'
read timetz '12:00-05' -> 12:00
read timetz '12:00+00' -> 12:00
read time '24:00' -> 00:00
read numeric '1e-20' -> 1E-20
written date 0044-03-15 -> 0044-03-15
written date -0043-03-15 -> 0044-03-15
written timestamptz 1883-01-01T00:00-04:56 -> 1883-01-01 04:56:00+00
written timestamptz 1883-01-01T00:00-04:56:02 -> 1883-01-01 04:56:00+00
SEEN

java -cp 'lib/*' Finding.java "$port" >now 2>java.log || { cat java.log >&2; exit 2; }
diff seen now
