#!/bin/sh
# One image serves as MariaDB, Redis, nginx and the shell of init containers. With a program's
# name as first argument it runs that program. With options alone it does what the chart's own
# image would do: the database where MYSQL_DATABASE is set, else Redis.
set -eu

case "${1:-}" in
  -* | "")
    if [ -n "${MYSQL_DATABASE:-}" ]; then
      exec /usr/local/bin/database-entrypoint "$@"
    fi
    # Redis guards itself against other hosts unless told that the network does.
    exec redis-server --protected-mode no --dir /data "$@"
    ;;
  *) exec "$@" ;;
esac
