#!/bin/sh
# MariaDB behind the interface of the mysql image: MYSQL_ROOT_PASSWORD, MYSQL_DATABASE, MYSQL_USER
# and MYSQL_PASSWORD; an empty volume becomes a database with Trillian's schema. Arguments go to
# the server. Runs as root (and steps down to "mysql") or as any user that may write the volume.
set -eu

volume=/var/lib/mysql
data=$volume/data
# Complete or not there: the draft gets its final name as the last step.
draft=$volume/data.unfinished
schema=/usr/share/trillian/storage.sql

if [ "$(id -u)" = 0 ]; then
  [ "$(stat -c %U "$volume")" = mysql ] || chown -R mysql:mysql "$volume"
  exec setpriv --reuid=mysql --regid=mysql --clear-groups -- "$0" "$@"
fi

# The text of an SQL string: printf is part of the shell, so no password is on a command line.
text() {
  printf '%s' "$1" | sed "s/\\\\/\\\\\\\\/g; s/'/''/g"
}

accounts() {
  database=$(printf '%s' "$MYSQL_DATABASE" | sed 's/`/``/g')
  user=$(text "$MYSQL_USER")
  cat <<SQL
FLUSH PRIVILEGES;
DELETE FROM mysql.global_priv WHERE User <> 'mariadb.sys' AND NOT (User = 'root' AND Host = 'localhost');
FLUSH PRIVILEGES;
ALTER USER 'root'@'localhost' IDENTIFIED BY '$(text "$MYSQL_ROOT_PASSWORD")';
CREATE DATABASE \`$database\`;
CREATE USER '$user'@'%' IDENTIFIED BY '$(text "$MYSQL_PASSWORD")';
GRANT ALL PRIVILEGES ON \`$database\`.* TO '$user'@'%';
USE \`$database\`;
SQL
}

initialise() {
  : "${MYSQL_ROOT_PASSWORD:?}" "${MYSQL_DATABASE:?}" "${MYSQL_USER:?}" "${MYSQL_PASSWORD:?}"
  rm -rf "$draft"
  mkdir "$draft"
  mariadb-install-db --no-defaults --datadir="$draft" --skip-test-db --skip-name-resolve \
    --auth-root-authentication-method=normal --tmpdir=/tmp --force >&2
  { accounts && cat "$schema"; } |
    mariadbd --no-defaults --bootstrap --datadir="$draft" --tmpdir=/tmp
  sync -f "$draft"
  mv "$draft" "$data"
  sync -f "$volume"
}

[ -d "$data" ] || initialise

# Passwords were needed only to make the accounts.
unset MYSQL_ROOT_PASSWORD MYSQL_PASSWORD
exec mariadbd --no-defaults --datadir="$data" --tmpdir=/tmp --bind-address=0.0.0.0 --port=3306 \
  --socket=/tmp/mysqld.sock --pid-file=/tmp/mysqld.pid --skip-name-resolve --log-warnings=1 "$@"
