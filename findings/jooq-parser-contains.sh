#!/bin/sh
# jOOQ 3.19.39, Java 17: PostgreSQL's SQL, read by its parser and written for PostgreSQL, as a parsing connection does with each
# statement. It is another one, without an error: the containment of jsonb becomes a search for a part of the text (LIKE), which
# does not find {"b": 2, "a": 1} by {"a": 1}. DEFERRABLE of a foreign key, the scale of numeric(5,-2) and the length of varbit(5)
# are lost, the time 24:00 is 00:00, and timestamptz in front of a literal is a column with the literal as its name.
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
  </dependencies>
</project>
POM
mvn -q -B dependency:copy-dependencies -DoutputDirectory=lib >mvn.log 2>&1 || { cat mvn.log >&2; exit 2; }

cat >Finding.java <<'PROGRAM'
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;

public class Finding {
  static final String[] STATEMENTS = {
    "select id from t where j @> '{\"a\": 1}'",
    "create table t (a int, foreign key (a) references s deferrable initially deferred)",
    "create table t (a numeric(5,-2), b varbit(5))",
    "select time '24:00'",
    "select timestamptz '2026-01-01 00:00:00+02'",
    "select timestamp with time zone '2026-01-01 00:00:00+02'",
  };

  public static void main(String[] arguments) {
    System.setProperty("org.jooq.no-logo", "true");
    System.setProperty("org.jooq.no-tips", "true");
    var jooq = DSL.using(SQLDialect.POSTGRES);
    for (String sql : STATEMENTS) {
      System.out.println(sql);
      System.out.println("  " + jooq.render(jooq.parser().parseQuery(sql)).replaceAll("\s+", " ").trim());
    }
  }
}
PROGRAM

cat >seen <<'SEEN'
select id from t where j @> '{"a": 1}'
  select id from t where cast(j as varchar) like (('%' || replace(replace(replace('{"a": 1}', '!', '!!'), '%', '!%'), '_', '!_')) || '%') escape '!'
create table t (a int, foreign key (a) references s deferrable initially deferred)
  create table t (a int, foreign key (a) references s)
create table t (a numeric(5,-2), b varbit(5))
  create table t (a numeric(5), b varbit)
select time '24:00'
  select time '00:00:00'
select timestamptz '2026-01-01 00:00:00+02'
  select timestamptz as "2026-01-01 00:00:00+02"
select timestamp with time zone '2026-01-01 00:00:00+02'
  select timestamp with time zone '2026-01-01 00:00:00+02:00'
SEEN

java -cp 'lib/*' Finding.java >now 2>java.log || { cat java.log >&2; exit 2; }
diff seen now
