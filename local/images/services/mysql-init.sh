#!/bin/sh
# The chart's probes ask "/etc/init.d/mysql status". The server opens its socket when it serves.
[ "${1:-}" = status ] && exec nc -z -U /tmp/mysqld.sock
echo "usage: $0 status" >&2
exit 2
