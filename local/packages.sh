# Which packages of a distribution the local stack is made of: functions for setup.sh, on the package lists that apt has.

# The newest major version of PostgreSQL that the package lists have with a pg_partman that the archiver knows (4.7 or
# later): a distribution packages pg_partman for one. Ubuntu 22.04 has 4.6.
packaged_major() {
  for major in $(apt-cache pkgnames postgresql- | sed -n 's/^postgresql-\([0-9]*\)-partman$/\1/p' | sort -rn); do
    if apt-cache show "postgresql-$major" >/dev/null 2>&1 &&
      dpkg --compare-versions "$(version_of "postgresql-$major-partman")" ge 4.7; then
      echo "$major" && break
    fi
  done
}

# Package, and what it is here for.
wanted() {
  cat <<PACKAGES
postgresql-$1           the database
postgresql-$1-partman   its extension pg_partman
pgbouncer               stands in for RDS Proxy
radosgw                 stands in for S3
ceph-mon                keeps the map of the store behind it
ceph-osd                is the store behind it
ceph-common             sets that store up
openssl                 makes the TLS certificates
curl                    carries exports from PostgreSQL to S3
util-linux              ends the servers with their starter (setpriv)
PACKAGES
}

# The upstream version of a package that apt would install.
version_of() {
  apt-cache show --no-all-versions "$1" | sed -n 's/^Version: \([0-9]*:\)\{0,1\}\([0-9.]*\).*/\2/p' | head -n 1
}
