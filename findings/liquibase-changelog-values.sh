#!/bin/sh
# Liquibase 4.33.0 (with org.postgresql:postgresql 42.7.7), PostgreSQL 15, Java 17: a changelog that is generated from a database
# makes another one, without an error or a warning. A default of half a second past midnight becomes five milliseconds, 24:00
# becomes 00:00, and a quote in a text becomes four. Of an index, the INCLUDE columns become keys and WHERE is lost, so a unique
# index of some rows is one of all rows. A partitioned table and its partitions become tables of their own.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >pom.xml <<'POM'
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>finding</groupId><artifactId>finding</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.liquibase</groupId><artifactId>liquibase-core</artifactId><version>4.33.0</version></dependency>
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
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import liquibase.database.DatabaseFactory;
import liquibase.database.jvm.JdbcConnection;
import liquibase.diff.DiffGeneratorFactory;
import liquibase.diff.compare.CompareControl;
import liquibase.diff.output.DiffOutputControl;
import liquibase.diff.output.changelog.DiffToChangeLog;
import liquibase.snapshot.EmptyDatabaseSnapshot;
import liquibase.snapshot.SnapshotControl;
import liquibase.snapshot.SnapshotGeneratorFactory;

public class Finding {
  static final String[] TABLES = {
    "create table plain (id integer, half timestamp default '2026-01-01 00:00:00.5', midnight time default '24:00',"
        + " quote text default 'it''s')",
    "create unique index only_some on plain (id) include (half) where id > 0",
    "create table parted (at date not null) partition by range (at)",
    "create table parted_2026 partition of parted for values from ('2026-01-01') to ('2027-01-01')",
  };

  public static void main(String[] arguments) throws Exception {
    var connection = DriverManager.getConnection("jdbc:postgresql://127.0.0.1:" + arguments[0] + "/postgres?user=postgres");
    for (String sql : TABLES) connection.createStatement().execute(sql);
    var database = DatabaseFactory.getInstance().findCorrectDatabaseImplementation(new JdbcConnection(connection));
    var snapshot = SnapshotGeneratorFactory.getInstance()
        .createSnapshot(database.getDefaultSchema(), database, new SnapshotControl(database));
    var diff = DiffGeneratorFactory.getInstance()
        .compare(snapshot, new EmptyDatabaseSnapshot(database), CompareControl.STANDARD);
    new DiffToChangeLog(diff, new DiffOutputControl(false, false, false, null)).print("changelog.postgresql.sql");
    for (String line : Files.readAllLines(Path.of("changelog.postgresql.sql"))) {
      if (line.startsWith("CREATE")) System.out.println(line);
    }
  }
}
PROGRAM

cat >seen <<'SEEN'
CREATE TABLE public.plain (id INTEGER, half TIMESTAMP WITHOUT TIME ZONE DEFAULT '2026-01-01 00:00:00.005', midnight time(6) WITHOUT TIME ZONE DEFAULT '00:00:00', quote TEXT DEFAULT 'it''''''''s');
CREATE TABLE public.parted (at date NOT NULL);
CREATE UNIQUE INDEX only_some ON public.plain USING btree(id, half);
CREATE TABLE public.parted_2026 (at date NOT NULL);
SEEN

java -cp 'lib/*' Finding.java "$port" >now 2>java.log || { cat java.log >&2; exit 2; }
diff seen now
