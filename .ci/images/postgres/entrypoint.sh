#!/bin/sh
# Makes the database at the first start, from POSTGRES_USER, POSTGRES_PASSWORD and POSTGRES_DB, then runs what it is told.
set -e
[ "$(id -u)" != 0 ] || exec su postgres -c 'exec sh "$0" "$@"' -- "$0" "$@"
user=${POSTGRES_USER:-postgres}
database=${POSTGRES_DB:-$user}
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  password=$(mktemp)
  printf '%s' "${POSTGRES_PASSWORD:?}" >"$password"
  initdb --username "$user" --pwfile "$password" --auth-local trust --auth-host scram-sha-256 --encoding UTF8 --no-sync
  rm "$password"
  echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
  pg_ctl --options "-c listen_addresses='' -c unix_socket_directories=/tmp" --wait start
  [ "$database" = postgres ] || createdb --host /tmp --username "$user" "$database"
  pg_ctl --mode fast --wait stop
fi
exec "$@" -c listen_addresses='*'
