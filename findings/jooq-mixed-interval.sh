#!/bin/sh
# jOOQ 3.19.39 (with org.postgresql:postgresql 42.7.7), PostgreSQL 15, Java 17: an interval whose months, days and time have
# different signs, as age() and subtraction make them. YearToSecond, jOOQ's type of an interval, is read as it is, and is another
# value where it is written: the months' sign becomes the days' sign. One month less a day is written as one month and a day. No
# error. Where the months are 0 or all signs are one, it comes back as it was.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >pom.xml <<'POM'
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>finding</groupId><artifactId>finding</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.jooq</groupId><artifactId>jooq</artifactId><version>3.19.39</version></dependency>
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
import org.jooq.DSLContext;
import org.jooq.impl.DSL;
import org.jooq.types.YearToSecond;

public class Finding {
  public static void main(String[] arguments) {
    System.setProperty("org.jooq.no-logo", "true");
    System.setProperty("org.jooq.no-tips", "true");
    DSLContext jooq = DSL.using("jdbc:postgresql://127.0.0.1:" + arguments[0] + "/postgres?user=postgres");
    for (String text : new String[] {
      "1 mon -1 days", "1 year -13 days +25:00:00", "1 mon -00:00:00.5", "1 mon 1 day", "-1 days", "-1 mons +1 day"
    }) {
      YearToSecond value = jooq.fetchOne("select {0}::interval", DSL.inline(text)).get(0, YearToSecond.class);
      System.out.println(text + ": " + jooq.fetchOne("select {0}::text", DSL.val(value)).get(0));
    }
  }
}
PROGRAM

cat >seen <<'SEEN'
1 mon -1 days: 1 mon 1 day
1 year -13 days +25:00:00: 1 year 12 days -01:00:00
1 mon -00:00:00.5: 1 mon 00:00:00.5
1 mon 1 day: 1 mon 1 day
-1 days: -1 days
-1 mons +1 day: -1 mons -1 days
SEEN

java -cp 'lib/*' Finding.java "$port" >now 2>java.log || { cat java.log >&2; exit 2; }
diff seen now
