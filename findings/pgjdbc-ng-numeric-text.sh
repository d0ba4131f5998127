#!/bin/sh
# pgjdbc-ng 0.8.9 (com.impossibl.pgjdbc-ng), PostgreSQL 15, Java 17: values that come as other ones, without an error.
# getString() of a numeric has three decimals at most, so 10000.0001 is 10000 and 0.0004 is 0, while getBigDecimal() is right.
# Infinity of numeric is 0 in both. getTimestamp() before 15 October 1582 is days off (1500-01-01 is 1499-12-23), where
# getDate() and java.time are right. And LocalTime.MAX, the last moment of a day, is written as 00:00, the first one.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >pom.xml <<'POM'
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>finding</groupId><artifactId>finding</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>com.impossibl.pgjdbc-ng</groupId><artifactId>pgjdbc-ng</artifactId><version>0.8.9</version></dependency>
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
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.time.LocalDateTime;
import java.time.LocalTime;

public class Finding {
  public static void main(String[] arguments) throws Exception {
    String url = "jdbc:pgsql://127.0.0.1:" + arguments[0] + "/postgres?user=postgres";
    try (Connection connection = DriverManager.getConnection(url)) {
      for (String value : new String[] {"1.10", "10000.0001", "0.0004", "'Infinity'"}) {
        ResultSet row = row(connection.prepareStatement("select " + value + "::numeric"));
        System.out.println(value + ": getString " + row.getString(1) + ", getBigDecimal " + row.getBigDecimal(1));
      }
      ResultSet row = row(connection.prepareStatement("select timestamp '1500-01-01 00:00', date '1500-01-01'"));
      System.out.println("1500-01-01: getTimestamp " + row.getTimestamp(1) + ", LocalDateTime "
          + row.getObject(1, LocalDateTime.class) + ", getDate " + row.getDate(2));
      PreparedStatement statement = connection.prepareStatement("select (?::time)::text");
      statement.setObject(1, LocalTime.MAX);
      System.out.println(LocalTime.MAX + ": written as " + row(statement).getString(1));
    }
    System.exit(0);
  }

  static ResultSet row(PreparedStatement statement) throws Exception {
    ResultSet result = statement.executeQuery();
    result.next();
    return result;
  }
}
PROGRAM

cat >seen <<'SEEN'
1.10: getString 1.1, getBigDecimal 1.10
10000.0001: getString 10000, getBigDecimal 10000.0001
0.0004: getString 0, getBigDecimal 0.0004
'Infinity': getString 0, getBigDecimal 0E-32
1500-01-01: getTimestamp 1499-12-23 00:00:00.0, LocalDateTime 1500-01-01T00:00, getDate 1500-01-01
23:59:59.999999999: written as 00:00:00
SEEN

java -Duser.timezone=UTC -Duser.language=en -cp 'lib/*' Finding.java "$port" >now 2>java.log || { cat java.log >&2; exit 2; }
diff seen now
