#!/bin/sh
# vertx-pg-client 5.0.12 (io.vertx), PostgreSQL 15, Java 17: values that come as other ones, without an error. query() reads the
# fraction of an interval's seconds as a number of microseconds: .5 is 5, .789 is 789; preparedQuery() reads it as it is. An array
# of two dimensions is null in preparedQuery() and has other numbers in query(). And the -infinity of timestamptz is the smallest
# OffsetDateTime in query(), and a time in the year -290278 in preparedQuery().
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >pom.xml <<'POM'
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>finding</groupId><artifactId>finding</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>io.vertx</groupId><artifactId>vertx-pg-client</artifactId><version>5.0.12</version></dependency>
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
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.pgclient.PgConnectOptions;
import io.vertx.pgclient.PgConnection;
import io.vertx.pgclient.data.Interval;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import java.util.Arrays;

public class Finding {
  static final String[] VALUES = {
    "interval '00:00:06.5'", "interval '-00:00:06.789'", "'{{1,2},{3,4}}'::integer[]", "'{1,2}'::integer[]",
    "'infinity'::timestamptz", "'-infinity'::timestamptz",
  };

  public static void main(String[] arguments) throws Exception {
    Vertx vertx = Vertx.vertx();
    var options = new PgConnectOptions().setHost("127.0.0.1").setPort(Integer.parseInt(arguments[0]))
        .setDatabase("postgres").setUser("postgres");
    PgConnection connection = get(PgConnection.connect(vertx, options));
    for (String value : VALUES) {
      String sql = "select " + value;
      System.out.println(value);
      System.out.println("  query: " + shown(get(connection.query(sql).execute())));
      System.out.println("  preparedQuery: " + shown(get(connection.preparedQuery(sql).execute())));
    }
    get(connection.close());
    get(vertx.close());
  }

  static <T> T get(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get();
  }

  static String shown(RowSet<Row> rows) {
    Object value = rows.iterator().next().getValue(0);
    if (value instanceof Interval interval) {
      return interval.getSeconds() + " s and " + interval.getMicroseconds() + " microseconds";
    }
    return value instanceof Object[] array ? Arrays.toString(array) : String.valueOf(value);
  }
}
PROGRAM

cat >seen <<'SEEN'
interval '00:00:06.5'
  query: 6 s and 5 microseconds
  preparedQuery: 6 s and 500000 microseconds
interval '-00:00:06.789'
  query: -6 s and -789 microseconds
  preparedQuery: -6 s and -789000 microseconds
'{{1,2},{3,4}}'::integer[]
  query: [751, 97, 753, 117]
  preparedQuery: null
'{1,2}'::integer[]
  query: [1, 2]
  preparedQuery: [1, 2]
'infinity'::timestamptz
  query: +999999999-12-31T23:59:59.999999999-18:00
  preparedQuery: +999999999-12-31T23:59:59.999999999-18:00
'-infinity'::timestamptz
  query: -999999999-01-01T00:00+18:00
  preparedQuery: -290278-12-22T19:59:05.224192Z
SEEN

java -cp 'lib/*' Finding.java "$port" >now 2>java.log || { cat java.log >&2; exit 2; }
diff seen now
