# server.sh: a private build, installation and server; sourced by the scripts
# of this folder, which set "work", a folder that is theirs alone.
#
# Nothing outside of "work" is written: the module is installed below
# $work/install and the servers are told to look there.  $work/extra.conf has
# those settings, for other servers (TEMP_CONFIG of PostgreSQL's TAP modules).

# The socket's path must be short (107 bytes), so $work must be.
PGPORT=5432
pg_config=
config_bindir=

# The newest PostgreSQL here that modules can be built for and tested with.
find_pg_config()
{
    pg_config=${PG_CONFIG:-}
    if [ -z "$pg_config" ]; then
        for version in 18 17 16 15 14; do
            dir=/usr/lib/postgresql/$version
            if [ -x $dir/bin/postgres ] && [ -x $dir/bin/pg_config ] &&
                [ -f $dir/lib/pgxs/src/makefiles/pgxs.mk ]; then
                pg_config=$dir/bin/pg_config
                break
            fi
        done
    fi
    : "${pg_config:=$(command -v pg_config || :)}"
    if [ -z "$pg_config" ]; then
        echo "PostgreSQL's server and development files are not installed;" \
            "./bootstrap deps installs them" >&2
        return 1
    fi
    config_bindir=$("$pg_config" --bindir)
    pgxs_dir=$(dirname "$("$pg_config" --pgxs)")/../..
    # Servers of the tests hear nothing of the caller's settings.
    unset PGDATABASE PGUSER PGPASSWORD PGPASSFILE PGSERVICE PGSERVICEFILE \
        PGOPTIONS PGHOSTADDR PGSSLMODE PGDATA PGTZ PGDATESTYLE PSQLRC \
        PGCLIENTENCODING PGAPPNAME TZ || :
    PATH=$config_bindir:$PATH
    LC_ALL=C.UTF-8
    LANG=C.UTF-8                # what the TAP modules leave of the two
    export PATH LC_ALL LANG PGPORT
}

# make for this tree and this PostgreSQL; bitcode is not worth its time here.
make_module()
{
    make --no-print-directory -C "$tree" PG_CONFIG="$pg_config" \
        with_llvm=no "$@"
}

# Installs the module for servers that read $work/extra.conf.
#
# Debian's PostgreSQL to 17 has extension_destdir, 18 has a path for control
# files.  Any other one must have pg_intake installed already.
install_module()
{
    postgres=$config_bindir/postgres
    destination=$work/install
    share=$("$pg_config" --sharedir)
    library=$("$pg_config" --pkglibdir)

    "$postgres" --describe-config >"$work/settings"
    echo "dynamic_library_path = '$destination$library:\$libdir'" \
        >"$work/extra.conf"
    if grep -q '^extension_destdir' "$work/settings"; then
        echo "extension_destdir = '$destination'" >>"$work/extra.conf"
    elif grep -q '^extension_control_path' "$work/settings"; then
        echo "extension_control_path = '$destination$share:\$system'" \
            >>"$work/extra.conf"
    elif [ -f "$share/extension/pg_intake.control" ]; then
        echo "testing the pg_intake that is installed in $library"
        : >"$work/extra.conf"
        return 0
    else
        echo "this PostgreSQL cannot take a module from elsewhere:" \
            "run \"make install\" first" >&2
        return 1
    fi
    make_module install DESTDIR="$destination"
}

# Starts a server in $work that listens on a socket in $work and nowhere else.
# Arguments: settings, "name = value", on top of the usual ones.
start_server()
{
    PGHOST=$work
    PGUSER=postgres
    PGDATABASE=postgres
    export PGHOST PGUSER PGDATABASE
    "$config_bindir/initdb" -D "$work/data" -U postgres -A trust -N \
        -E UTF8 --no-locale >"$work/initdb.log" 2>&1 || {
        cat "$work/initdb.log"
        return 1
    }
    {
        cat "$work/extra.conf"
        echo "listen_addresses = ''"
        echo "unix_socket_directories = '$work'"
        echo "port = $PGPORT"
        echo "fsync = off"
        echo "max_prepared_transactions = 10"
        echo "log_line_prefix = '%m [%p] %q%a '"
        for setting in "$@"; do
            echo "$setting"
        done
    } >>"$work/data/postgresql.conf"
    "$config_bindir/pg_ctl" -D "$work/data" -l "$work/server.log" -w -t 60 \
        start >"$work/start.log" 2>&1 || {
        cat "$work/start.log" "$work/server.log"
        return 1
    }
}

# Stops every server whose data directory lies in $work.
stop_servers()
{
    [ -n "$config_bindir" ] || return 0
    find "$work" -name postmaster.pid -type f 2>/dev/null |
        while read -r file; do
            "$config_bindir/pg_ctl" -D "$(dirname "$file")" -m immediate \
                -w -t 30 stop >/dev/null 2>&1 || :
        done
}
