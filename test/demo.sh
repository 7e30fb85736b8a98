#!/bin/sh
#
# demo.sh [--keep] DIR      the demo; what it makes goes into DIR
# demo.sh --stop DIR        stops the server that "--keep" left up in DIR
#
# Run by ./bootstrap demo, as an unprivileged user, on a copy of the tree.
# The SQL is in demo.sql and demo_retry.sql, the walk over HTTP in demo_http.sh.

set -eu

WAIT_TENTHS=600                 # how long to wait for a state, in 0.1 s

tree=$(cd "$(dirname "$0")/.." && pwd)
keep=
uploader=

. "$tree/test/server.sh"
. "$tree/test/demo_http.sh"

case ${1:-} in
    --keep) keep=yes && shift ;;
    --stop) work=$2 && find_pg_config && stop_servers && exit 0 ;;
esac
work=$1

say()
{
    printf '\n%s\n\n' "$*"
}

die()
{
    printf 'demo: %s\n' "$*" >&2
    exit 1
}

clean_up()
{
    status=$?
    trap - EXIT HUP INT TERM
    [ -z "$uploader" ] || kill "$uploader" 2>/dev/null || :
    if [ $status -ne 0 ] || [ -z "$keep" ]; then
        stop_servers
    fi
    if [ $status -ne 0 ] && [ -f "$work/server.log" ]; then
        echo "the server's log ends with:" >&2
        tail -n 20 "$work/server.log" | cut -c 1-300 >&2
    fi
    exit $status
}

run_psql()
{
    psql -X -q "$@"
}

# What psql printed, without its settings, with an empty line before a step.
show()
{
    sed -e 's/^psql:[^ ]*: //' -e '/^\\echo/d' -e '/^\\set [A-Z]/d' -e '/^\\pset/d' \
        -e '/^-- [0-9]/i\
' "$1"
}

# One value of a query; empty while the server cannot answer.
ask()
{
    run_psql -A -t -c "$1" 2>/dev/null || :
}

# wait_for QUERY: until it gives a value, which is printed.
wait_for()
{
    tenths=0
    while [ $tenths -lt $WAIT_TENTHS ]; do
        answer=$(ask "$1")
        [ -z "$answer" ] || { echo "$answer"; return; }
        sleep 0.1
        tenths=$((tenths + 1))
    done
    die "waited too long for: $1"
}

build()
{
    echo "Building pg_intake, and installing it into $work."
    make_module -j "$(nproc)" all >"$work/build.log" 2>&1 &&
        install_module >>"$work/build.log" 2>&1 || {
        tail -n 40 "$work/build.log"
        die "could not build"
    }
    port=$(find_port) || die "there is no free port"
    base=http://127.0.0.1:$port
    echo "Starting a PostgreSQL server that listens on a socket in $work;"
    echo "its gateway is $base."
    # Statements of half a megabyte would fill the log.
    start_server "log_min_error_statement = panic" \
        "$(list_http_settings "$port")" || die "could not start the server"
}

walk()
{
    run_psql -f test/demo.sql >"$work/walk.log" 2>&1 || walk_failed=yes
    show "$work/walk.log"
    [ -z "${walk_failed:-}" ] || die "the walk stopped at an error"
    grep -q '^SQLSTATE IN422$' "$work/walk.log" ||
        die "step 4 did not end with IN422"
    grep -q '^SQLSTATE 22' "$work/walk.log" ||
        die "step 8 did not end with an error of class 22"
    [ "$(ask 'SELECT count(*) FROM (TABLE places INTERSECT TABLE places_ndjson
        INTERSECT TABLE places_avro) AS same')" = 4316 ] ||
        die "the three tables of places are not equal"
}

# The trigger stops the upload in row 500, so that it is surely in the middle
# when its backend is killed.  It does so for the first session only.
prepare_retry()
{
    run_psql -v ON_ERROR_STOP=1 <<'EOF'
CREATE TABLE retried (LIKE days);
CREATE FUNCTION wait_in_row_500() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('demo.wait', true) = 'on' AND NEW."Date" = '2021-06-04' THEN
        PERFORM pg_sleep(600);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER wait BEFORE INSERT ON retried
    FOR EACH ROW EXECUTE FUNCTION wait_in_row_500();
EOF
}

retry()
{
    say "-- 16. An upload whose backend is killed (SIGKILL) in the middle."
    prepare_retry
    PGOPTIONS="-c demo.wait=on" run_psql -f test/demo_retry.sql \
        >"$work/killed.log" 2>&1 &
    uploader=$!
    backend=$(wait_for "SELECT pid FROM pg_stat_activity
        WHERE wait_event = 'PgSleep'")
    kill -KILL "$backend"
    wait $uploader || :
    uploader=
    show "$work/killed.log"
    say "-- PostgreSQL restarts by itself.  None of the rows are there."
    wait_for "SELECT 'up'" >/dev/null
    run_psql -P footer=off -c 'SELECT count(*) FROM retried'
    [ "$(ask 'SELECT count(*) FROM retried')" = 0 ] ||
        die "rows of the killed upload are there"
    say "-- 17. The same UUID again writes them, and once more writes nothing."
    for _ in once twice; do
        run_psql -f test/demo_retry.sql >"$work/retry.log" 2>&1 ||
            retry_failed=yes
        show "$work/retry.log"
        [ -z "${retry_failed:-}" ] || die "the upload cannot be repeated"
    done
    [ "$(ask 'SELECT count(*) FROM retried')" = 816 ] ||
        die "the repeated upload did not write its rows once"
    run_psql -P footer=off -c "SELECT count(*) FROM retried" \
        -c "SELECT intake.operation_status('5d2c7b7e-30f4-4b0c-8a9d-7f1e2d3c4b5a')"
}

trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

cd "$tree"
find_pg_config
PSQL_PAGER=
PAGER=
export PSQL_PAGER PAGER
build
begun=$(date +%s)
walk
walk_http
walk_partner
retry
ask_http_again
say "The walk took $(($(date +%s) - begun)) s."
if [ -n "$keep" ]; then
    cat <<EOF
The server is up. To reach it, as the user $(id -un):

    $config_bindir/psql -h $work -p $PGPORT -U postgres postgres
    curl -H "Authorization: Bearer \$(cat $work/token)" \\
        -H "Content-Type: text/csv" -T FILE \\
        $base/v1/tables/SCHEMA/TABLE/operations/UUID

To stop it: ./bootstrap stop
EOF
fi
