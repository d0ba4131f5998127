#!/bin/sh
# django-postgres-extra 3.0.1 (Django 5.2.19, psycopg2-binary 2.9.13, freezegun 1.5.5 for the dates), PostgreSQL 15: partitions of
# a month, made by the command that is run now and then. They do not begin at midnight but in the hour of the run: of runs at 8
# and at 11 o'clock, October ends on 1 November at 8 and November begins at 11, and rows between have no partition. And max_age is
# counted from a partition's first hour: with a month, October is dropped on 1 November, with a row that is 13 hours old.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{ python3 -m venv venv && venv/bin/pip install --quiet django-postgres-extra==3.0.1 Django==5.2.19 psycopg2-binary==2.9.13 freezegun==1.5.5; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }
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
as_server "$bin/pg_ctl" -D "$folder/data" -w -l "$folder/data/log" \
  -o "-k $folder/data -c listen_addresses=" start >pg_ctl.log || { cat data/log >&2; exit 2; }

cat >finding.py <<'PROGRAM'
import sys

import django
from dateutil.relativedelta import relativedelta
from django.conf import settings
from freezegun import freeze_time

database = {"ENGINE": "psqlextra.backend", "HOST": sys.argv[1], "USER": "postgres", "NAME": "postgres"}
settings.configure(
    USE_TZ=True,
    INSTALLED_APPS=["psqlextra"],
    DATABASES={"default": database},
    POSTGRES_EXTRA_AUTO_EXTENSION_SET_UP=False,
)
django.setup()

from django.db import connection, models
from psqlextra.models import PostgresPartitionedModel
from psqlextra.partitioning import PostgresPartitioningManager, partition_by_current_time
from psqlextra.types import PostgresPartitioningMethod


class Sample(PostgresPartitionedModel):
    class Meta:
        app_label = "finding"
        db_table = "samples"

    class PartitioningMeta:
        method = PostgresPartitioningMethod.RANGE
        key = ["at"]

    at = models.DateTimeField()


def rows(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


def maintain(now):
    with freeze_time(now):
        months = partition_by_current_time(model=Sample, months=1, count=2, max_age=relativedelta(months=1))
        PostgresPartitioningManager([months]).plan().apply()
    print("after the run of", now)
    for name, bounds in rows(
        "select relname, pg_get_expr(relpartbound, oid) from pg_class where relispartition and relkind = 'r' order by 2"
    ):
        print(" ", name, bounds)


with connection.schema_editor() as editor:
    editor.create_partitioned_model(Sample)
maintain("2026-09-15 08:30:00")
maintain("2026-10-15 11:30:00")
rows("insert into samples (at) values ('2026-10-31 23:00+00')")
print("rows:", rows("select count(*) from samples"))
maintain("2026-11-01 12:00:00")
print("rows:", rows("select count(*) from samples"))
PROGRAM

cat >seen <<'SEEN'
after the run of 2026-09-15 08:30:00
  samples_2026_sep FOR VALUES FROM ('2026-09-01 08:00:00+00') TO ('2026-10-01 08:00:00+00')
  samples_2026_oct FOR VALUES FROM ('2026-10-01 08:00:00+00') TO ('2026-11-01 08:00:00+00')
after the run of 2026-10-15 11:30:00
  samples_2026_oct FOR VALUES FROM ('2026-10-01 08:00:00+00') TO ('2026-11-01 08:00:00+00')
  samples_2026_nov FOR VALUES FROM ('2026-11-01 11:00:00+00') TO ('2026-12-01 11:00:00+00')
rows: [(1,)]
after the run of 2026-11-01 12:00:00
  samples_2026_nov FOR VALUES FROM ('2026-11-01 11:00:00+00') TO ('2026-12-01 11:00:00+00')
  samples_2026_dec FOR VALUES FROM ('2026-12-01 12:00:00+00') TO ('2027-01-01 12:00:00+00')
rows: [(0,)]
SEEN

venv/bin/python finding.py "$folder/data" >now
diff seen now
