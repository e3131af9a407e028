#!/usr/bin/env bash
# Makes the cluster on first start, then becomes the server. Takes the variables that the public image
# takes, and as it does reads secret files while still root: they are often readable by root alone.
set -euo pipefail

from_file() { # NAME: NAME_FILE's content becomes NAME
  local file_name=$1_FILE
  [[ -n ${!file_name:-} ]] || return 0
  [[ -z ${!1:-} ]] || { echo "error: both $1 and $file_name are set" >&2; exit 1; }
  export "$1=$(<"${!file_name}")"
  unset "$file_name"
}

make_cluster() {
  local user=${POSTGRES_USER:-postgres} database script
  database=${POSTGRES_DB:-$user}
  if [[ -z ${POSTGRES_PASSWORD:-} && ${POSTGRES_HOST_AUTH_METHOD:-} != trust ]]; then
    echo 'error: POSTGRES_PASSWORD (or POSTGRES_PASSWORD_FILE) is not set' >&2
    exit 1
  fi
  # shellcheck disable=SC2086  # several arguments may be given
  initdb --username="$user" --pwfile=<(printf '%s\n' "${POSTGRES_PASSWORD:-unused}") ${POSTGRES_INITDB_ARGS:-} >/dev/null
  echo "host all all all ${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >>"$PGDATA/pg_hba.conf"
  # Without TCP: whoever asks by TCP whether the server is ready must not meet this one.
  pg_ctl --pgdata="$PGDATA" --options="-c listen_addresses=''" --wait start >/dev/null
  export PGUSER=$user PGPASSWORD=${POSTGRES_PASSWORD:-}
  if [[ $database != postgres ]]; then
    psql --set ON_ERROR_STOP=1 --dbname postgres --set name="$database" <<<'CREATE DATABASE :"name";' >/dev/null
  fi
  for script in /docker-entrypoint-initdb.d/*; do
    case $script in
      # shellcheck disable=SC1090
      *.sh) . "$script" ;;
      *.sql) psql --set ON_ERROR_STOP=1 --dbname "$database" --file "$script" ;;
    esac
  done
  pg_ctl --pgdata="$PGDATA" --mode=fast --wait stop >/dev/null
  unset PGUSER PGPASSWORD
}

[[ ${1:-} == postgres ]] || exec "$@"
from_file POSTGRES_PASSWORD
from_file POSTGRES_USER
from_file POSTGRES_DB
if [[ $(id -u) == 0 ]]; then
  mkdir -p "$PGDATA"
  chmod 700 "$PGDATA" || true
  find "$PGDATA" \! -user postgres -exec chown postgres:postgres {} +
  exec setpriv --reuid=postgres --regid=postgres --clear-groups "$0" "$@"
fi
[[ -s $PGDATA/PG_VERSION ]] || make_cluster
unset POSTGRES_PASSWORD
exec "$@" -c listen_addresses='*'
