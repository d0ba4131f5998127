#!/bin/sh
# Jdbi 3.55.0 (jdbi3-postgres, with org.postgresql:postgresql 42.7.7), PostgreSQL 15, Java 17: an interval that is read as a
# Duration loses a nanosecond where its seconds have no exact double: 00:00:01.999999 is PT1.999998999S. Rounded to microseconds
# as elsewhere it would be a microsecond less, and Jdbi itself refuses to write it back ("too precise"). Of all milliseconds in
# a minute it is one in a hundred and fifty.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >pom.xml <<'POM'
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>finding</groupId><artifactId>finding</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.jdbi</groupId><artifactId>jdbi3-postgres</artifactId><version>3.55.0</version></dependency>
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
import java.time.Duration;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.postgres.PostgresPlugin;

public class Finding {
  public static void main(String[] arguments) {
    Jdbi jdbi = Jdbi.create("jdbc:postgresql://127.0.0.1:" + arguments[0] + "/postgres?user=postgres");
    jdbi.installPlugin(new PostgresPlugin());
    jdbi.useHandle(handle -> {
      for (String text : new String[] {"00:00:01.5", "-00:00:00.000001", "00:00:01.999999", "00:00:01.118"}) {
        Duration value = handle.createQuery("select interval '" + text + "'").mapTo(Duration.class).one();
        String written;
        try {
          written = handle.createQuery("select (:value)::text").bind("value", value).mapTo(String.class).one();
        } catch (IllegalArgumentException error) {
          written = error.getMessage();
        }
        System.out.println(text + " -> " + value + " -> " + written);
      }
      var all = handle.createQuery("select make_interval(secs => n / 1000.0) from generate_series(0, 59999) as n")
          .mapTo(Duration.class).list();
      System.out.println(all.stream().filter(each -> each.getNano() % 1000 != 0).count() + " of " + all.size());
    });
  }
}
PROGRAM

cat >seen <<'SEEN'
00:00:01.5 -> PT1.5S -> 00:00:01.5
-00:00:00.000001 -> PT-0.000001S -> -00:00:00.000001
00:00:01.999999 -> PT1.999998999S -> duration PT1.999998999S too precise to represented as postgres interval
00:00:01.118 -> PT1.117999999S -> duration PT1.117999999S too precise to represented as postgres interval
396 of 60000
SEEN

java -cp 'lib/*' Finding.java "$port" >now 2>java.log || { cat java.log >&2; exit 2; }
diff seen now
