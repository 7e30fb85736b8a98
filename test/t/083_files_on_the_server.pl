# intake.upload_file(): rights and kinds of files as COPY FROM has them; gzip
# and zstd by their first bytes; what is cut or damaged is an error, never
# other rows; memory stays flat, also for what inflates to gigabytes.
# STREAM_MB chooses the length of the large files.

use strict;
use warnings;

use IPC::Run;
use POSIX qw(mkfifo);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Socket;
use Test::More;

my $megabytes = $ENV{STREAM_MB} // 304;

# A short path: a socket is made in it.
my $dir = PostgreSQL::Test::Utils::tempdir_short;
system_or_bail('/usr/bin/python3', 'test/stream/make_compressed.py', $dir,
    $megabytes);
system_or_bail('make', '-s', '-C', 'test/stream', "builddir=$dir",
    'PG_CONFIG=' . ($ENV{PG_CONFIG} // 'pg_config'));

my $node = PostgreSQL::Test::Cluster->new('files');
$node->init(extra => [ '--no-locale', '--encoding=UTF8' ]);
$node->append_conf(
    'postgresql.conf', q{
shared_buffers = 4MB
max_wal_size = 4GB
fsync = off
jit = off
autovacuum = off
max_prepared_transactions = 5
max_parallel_workers_per_gather = 0
statement_timeout = '10min'
});
$node->start;

# What the script prints, and its errors with all their fields.
sub outcome
{
    my ($sql, $role) = @_;
    my ($stdout, $stderr);

    $node->psql(
        'postgres', "\\set VERBOSITY verbose\n$sql",
        stdout => \$stdout,
        stderr => \$stderr,
        on_error_stop => 0,
        extra_params => [ '-U', $role // 'postgres' ]);
    $stderr =~ s/^psql:<stdin>:\d+: //mg;
    $stderr =~ s/^LOCATION:.*\n?//mg;
    chomp($stderr);
    return join("\n", grep { $_ ne '' } $stdout, $stderr);
}

sub upload
{
    my ($path, $rest) = @_;

    return "SELECT rows_inserted, bytes_received FROM "
      . "intake.upload_file('loaded', '$path'"
      . ($rest ? ", $rest" : '') . ')';
}

$node->safe_psql(
    'postgres', qq{
    CREATE EXTENSION pg_intake;
    LOAD 'pg_intake';
    CREATE UNLOGGED TABLE loaded (id int, note text);
    CREATE UNLOGGED TABLE wanted (id int, note text);
    CREATE FUNCTION stream_inflate(stored bytea, chunk int, max_bytes bigint)
    RETURNS bytea STRICT LANGUAGE c AS '$dir/stream_inflate';
    CREATE FUNCTION differences() RETURNS bigint LANGUAGE sql AS \$\$
        SELECT count(*) FROM ((TABLE loaded EXCEPT ALL TABLE wanted) UNION ALL
                              (TABLE wanted EXCEPT ALL TABLE loaded)) x
    \$\$;
    -- SQLSTATE, or the rows
    CREATE FUNCTION attempt(path text) RETURNS text LANGUAGE plpgsql AS \$\$
    BEGIN
        PERFORM intake.upload_file('loaded', path,
            options => '{"truncate": true, "allow_empty": true}');
        RETURN (SELECT coalesce(string_agg(id || note, ',' ORDER BY id), 'none')
                FROM loaded);
    EXCEPTION WHEN OTHERS THEN
        RETURN SQLSTATE;
    END \$\$;
    });

#
# Shapes of the same payload
#

my $size = -s "$dir/plain";
is(outcome(upload("$dir/plain") . ';' . 'INSERT INTO wanted TABLE loaded'),
    "10000|$size", 'a plain file');
is( outcome(
        q{SELECT count(*), sum(id), bool_and(note = 'row ' || id || ', '
            || repeat('x', id % 90)) FROM wanted}),
    '10000|50005000|t',
    'its rows');

foreach my $name (qw(gzip gzip_stored gzip_full gzip_named gzip_members
    gzip_empty_members zstd zstd_19 zstd_streamed zstd_frames zstd_skippable))
{
    is( outcome(
            upload("$dir/$name", q{options => '{"truncate": true}'})
              . '; SELECT differences()'),
        "10000|$size\n0",
        "$name: the same rows and bytes");
    is( outcome(
            qq{LOAD 'pg_intake';
            SELECT chunk FROM unnest(ARRAY[1, 2, 3, 4, 5, 1000, 65536]) chunk
            WHERE stream_inflate(pg_read_binary_file('$dir/$name'), chunk, 0)
                <> pg_read_binary_file('$dir/plain')}),
        '',
        "$name: whatever the size of the pieces that are read");
}
foreach my $name (qw(empty gzip_nothing zstd_nothing zstd_only_skippable))
{
    is(outcome(upload("$dir/$name")), '0|0', "$name: no record");
}

# One operation, whatever it was wrapped in.
my $uuid = '00000000-0000-4000-8000-000000000001';
is( outcome(
        join(
            ';',
            map {
                "SELECT replayed, rows_inserted, bytes_received FROM $_, "
                  . "operation => '$uuid')"
            } "intake.upload_file('loaded', '$dir/gzip_members'",
            "intake.upload_file('loaded', '$dir/zstd'",
            "intake.upload_file('loaded', '$dir/plain'",
            "intake.upload('loaded', pg_read_binary_file('$dir/plain')")),
    "f|10000|$size\n" . join("\n", ("t|10000|$size") x 3),
    'compressed and plain are the same operation');
is( outcome(
        qq{SELECT door, target, rows_received FROM intake.operations
        WHERE operation = '$uuid'}),
    'file|public.loaded|10000',
    'its record');
like(
    outcome(upload("$dir/small", "operation => '$uuid'")),
    qr/ERROR:  IN422: /,
    'another payload is refused');

# Other formats and encodings.
is( outcome(
        upload("$dir/latin_csv",
            q{'csv', options => '{"encoding": "LATIN1", "truncate": true}'})
          . '; TABLE loaded'),
    "1|15\n1|gr\x{c3}\x{bc}n",
    'CSV in another encoding');
is( outcome(
        qq{CREATE TABLE days ("Date" date, "Confirmed" bigint,
            "Recovered" bigint, "Deaths" bigint, "Increase_rate" float8);
        CREATE TABLE same (LIKE days);
        COPY same FROM PROGRAM 'gzip -dc $dir/covid_days.csv' (FORMAT csv, HEADER);
        SELECT rows_inserted FROM intake.upload_file('days',
            '$dir/covid_days.avro', 'avro');
        (TABLE days EXCEPT ALL TABLE same) UNION ALL
        (TABLE same EXCEPT ALL TABLE days)}),
    '816',
    'Avro');

#
# Cut, damaged, followed by something else
#

# Each: the file, the member or frame, the byte where known, what is wrong.
my $behind = 2 + -s "$dir/gzip";
my @broken = (
    [ 'gzip_cut', 'gzip member 1', -s "$dir/gzip_cut" ],
    [ 'gzip_cut_checksum', 'gzip member 1', -s "$dir/gzip_cut_checksum" ],
    [ 'gzip_second_cut', 'gzip member 2', -s "$dir/gzip_second_cut" ],
    [ 'zstd_cut', 'zstd frame 1', -s "$dir/zstd_cut" ],
    [ 'gzip_behind', 'gzip member 2', $behind, 'incorrect header check' ],
    [ 'gzip_padded', 'gzip member 2', $behind, 'incorrect header check' ],
    [ 'gzip_then_zstd', 'gzip member 2', $behind, 'incorrect header check' ],
    [ 'gzip_wrong_checksum', 'gzip member 1', '\d+', 'incorrect data check' ],
    [ 'gzip_wrong_length', 'gzip member 1', '\d+', 'incorrect length check' ],
    [ 'gzip_method', 'gzip member 1', '\d+', 'unknown compression method' ],
    [ 'zstd_behind', 'zstd frame 2', '\d+', 'Unknown frame descriptor' ],
    [
        'zstd_wrong_checksum', 'zstd frame 1',
        '\d+', q{Restored data doesn't match checksum}
    ]);

outcome('TRUNCATE loaded');
foreach my $case (@broken)
{
    my ($name, $part, $byte, $fault) = @$case;
    my $error =
      defined $fault
      ? qr/compressed payload is damaged: \Q$fault\E
DETAIL:  It was found in $part, near byte $byte\./
      : qr/compressed payload ends early
DETAIL:  It ends inside $part, after byte $byte\./;

    like(
        outcome(upload("$dir/$name")),
        qr/^ERROR:  22P04: $error
CONTEXT:  upload into table "loaded", (?:record \d+, )?line \d+\z/,
        "$name: an error that says where");
}
like(
    outcome(upload("$dir/zstd_wide")),
    qr/^ERROR:  54000: compressed payload needs too much memory\n/,
    'a window of 2 GB is refused');
like(
    outcome(upload("$dir/bad_record")),
    qr/^ERROR:  22032: .*upload into table "loaded", record 5001, line 5001/s,
    'a bad record of a compressed file has its number');
is(outcome('SELECT count(*) FROM loaded'), '0', 'none of them left a row');

# Cut behind each byte, or with each byte changed, a file loads the same rows
# (a byte that means nothing, a cut between two members) or none.
foreach my $name (qw(small_gzip small_zstd))
{
    my $all = slurp_file("$dir/$name");
    my $rows = outcome("SELECT attempt('$dir/small')");
    my $half = outcome(
        qq{SELECT attempt('$dir/small');
        SELECT string_agg(id || note, ',' ORDER BY id) FROM loaded
        WHERE id <= 3});
    my (%cut, %changed);

    $half =~ s/.*\n//;
    isnt($rows, '', 'a small file');
    is(outcome("SELECT attempt('$dir/$name')"), $rows, "$name: as it is");
    mkdir("$dir/cut");
    mkdir("$dir/changed");
    foreach my $i (0 .. length($all) - 1)
    {
        my $bytes = $all;

        append_to_file("$dir/cut/$i", substr($all, 0, $i));
        substr($bytes, $i, 1) = chr(ord(substr($bytes, $i, 1)) ^ (1 << $i % 8));
        append_to_file("$dir/changed/$i", $bytes);
    }
    my $attempts = sub {
        my $folder = shift;

        return outcome(
            qq{SELECT attempt('$folder/' || i)
            FROM generate_series(0, @{[length($all) - 1]}) i});
    };
    $cut{$_}++ foreach split(/\n/, $attempts->("$dir/cut"));
    $changed{$_}++ foreach split(/\n/, $attempts->("$dir/changed"));
    note("$name cut: ", join(' ', %cut));
    note("$name changed: ", join(' ', %changed));
    is(delete $cut{none}, 1, "$name: cut to nothing, it is empty");
    is(delete $cut{$half}, 1, "$name: cut between the parts, it is half");
    cmp_ok(delete $cut{'22P04'}, '>', 50, "$name: cut elsewhere, it is broken");
    delete @cut{qw(22032 22021)};    # less than a mark: not compressed
    is(join(' ', keys %cut), '', "$name: and nothing else");
    cmp_ok(delete $changed{'22P04'}, '>', 50, "$name: a changed byte is found");
    delete @changed{ qw(22032 22021 54000), $rows };
    is(join(' ', keys %changed), '', "$name: or does no harm");
    system_or_bail('rm', '-r', "$dir/cut", "$dir/changed");
}

# The limit, which a door may set.
is( outcome(
        qq{LOAD 'pg_intake'; SELECT length(stream_inflate(
            pg_read_binary_file('$dir/gzip'), 1000, $size))}),
    $size,
    'as long as the limit');
like(
    outcome(
        qq{LOAD 'pg_intake'; SELECT length(stream_inflate(
            pg_read_binary_file('$dir/gzip'), 1000, $size - 1))}),
    qr/^ERROR:  54000: compressed payload inflates to more than @{[$size - 1]} bytes$/,
    'longer than the limit');

#
# Rights, and what is no file
#

$node->safe_psql(
    'postgres', q{
    CREATE ROLE plain LOGIN;
    CREATE ROLE reader LOGIN IN ROLE pg_read_server_files;
    GRANT USAGE ON SCHEMA intake TO plain, reader;
    GRANT INSERT ON loaded TO plain;
    });
like(
    outcome(upload("$dir/small"), 'plain'),
    qr/^ERROR:  42501: permission denied to upload a file of the server
DETAIL:  .*"pg_read_server_files".*\nHINT:  Anyone can/,
    'who may insert may not read files');
like(
    outcome(upload("$dir/missing"), 'plain'),
    qr/^ERROR:  42501: permission denied to upload/,
    'nor learn which are there');
like(
    outcome(upload("$dir/small"), 'reader'),
    qr/^ERROR:  42501: permission denied for table loaded$/,
    'who may read files may not insert');
$node->safe_psql('postgres', 'GRANT INSERT ON loaded TO reader');
is(outcome(upload("$dir/small"), 'reader'), '6|' . -s "$dir/small",
    'who may do both uploads');

mkfifo("$dir/fifo", 0600) or die "mkfifo: $!";
socket(my $socket, PF_UNIX, SOCK_STREAM, 0) or die "socket: $!";
bind($socket, pack_sockaddr_un("$dir/socket")) or die "bind: $!";
symlink("$dir/small", "$dir/link") or die "symlink: $!";
append_to_file("$dir/locked", "[1]\n");
chmod(0000, "$dir/locked") or die "chmod: $!";

my @no_files = (
    [
        "$dir/missing",
        qr/^ERROR:  58P01: could not open file ".*missing" for reading: .*
HINT:  The PostgreSQL server reads this file\./
    ],
    [ "$dir/small/x", qr/^ERROR:  \w{5}: could not open file .*: Not a dir/ ],
    [ $dir, qr/^ERROR:  42809: ".*" is a directory$/ ],
    [ "$dir/fifo", qr/^ERROR:  42809: ".*fifo" is not a regular file$/ ],
    [ "$dir/socket", qr/^ERROR:  \w{5}: could not open file ".*socket" / ],
    [ '/dev/zero', qr/^ERROR:  42809: ".*zero" is not a regular file$/ ],
    [ '', qr/^ERROR:  58P01: could not open file "" for reading: / ]);

foreach my $case (@no_files)
{
    my ($path, $error) = @$case;

    like(outcome(upload($path)), $error, "\"$path\" is no file");
}
SKIP:
{
    skip 'root may read everything', 1 if $> == 0;
    like(
        outcome(upload("$dir/locked")),
        qr/^ERROR:  42501: could not open file .*: Permission denied\nHINT:/,
        'a file that the server may not read');
}
like(outcome(upload("$dir/link")), qr/^6\|/, 'a link to a file is one');
append_to_file($node->data_dir . '/relative', "[1, null]\n");
is(outcome(upload('relative')), '1|10', 'a path in the data directory');
like(
    outcome("SELECT intake.upload_file('loaded', NULL)"),
    qr/^ERROR:  22004: argument "path" must not be null$/,
    'no path');

#
# A session keeps no file open, and knows its last upload
#

is( outcome(
        qq{SELECT count(attempt(path)) FROM
            unnest(ARRAY['$dir/small', '$dir/small_zstd', '$dir/gzip_cut',
                '$dir/zstd_cut', '$dir/bad_record', '$dir/fifo']) path;
        CREATE TEMP TABLE opened (link text);
        SELECT format('COPY opened FROM PROGRAM %L',
            'ls -l /proc/' || pg_backend_pid() || '/fd') \\gexec
        SELECT count(*) > 5, count(*) FILTER (WHERE link LIKE '%$dir%') FROM opened}),
    "6\nt|0",
    'files are closed');
is( outcome(
        qq{SELECT FROM intake.upload_file('loaded', '$dir/small');
        SELECT rows_inserted, bytes_received FROM intake.last_upload();
        BEGIN;
        SELECT FROM intake.upload_file('loaded', '$dir/gzip');
        SELECT rows_inserted FROM intake.last_upload();
        PREPARE TRANSACTION 'later';
        SELECT rows_inserted FROM intake.last_upload();
        COMMIT PREPARED 'later';
        SELECT rows_inserted FROM intake.last_upload()}),
    '6|' . (-s "$dir/small") . "\n10000\n6\n6",
    'the last upload, that of a prepared transaction left out');

#
# What pg_stat_progress_copy shows, as a trigger sees it
#

$node->safe_psql(
    'postgres', q{
    CREATE TABLE shown (type text, bytes bigint, total bigint, tuples bigint);
    CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO shown
        SELECT type, bytes_processed, bytes_total, tuples_processed
        FROM pg_stat_progress_copy WHERE pid = pg_backend_pid();
        RETURN NULL;
    END $$;
    CREATE TRIGGER look AFTER INSERT ON loaded EXECUTE FUNCTION look();
    });
foreach my $name ('plain', 'gzip')
{
    is( outcome(
            "TRUNCATE shown; SELECT FROM intake.upload_file('loaded', '$dir/$name'); "
              . 'SELECT * FROM shown'),
        "FILE|$size|" . ($name eq 'plain' ? $size : 0) . '|10000',
        "$name: the bytes decoded, and in all where that is known");
}
$node->safe_psql('postgres', 'DROP TRIGGER look ON loaded');

#
# Large files, which take their time but no memory
#

foreach my $name (qw(bomb_gzip bomb_zstd))
{
    like(
        outcome("SET statement_timeout = '500ms'; " . upload("$dir/$name")),
        qr/ERROR:  57014: /,
        "$name: can be cancelled");
}

SKIP:
{
    skip 'needs /proc/self/status', 1 unless -r '/proc/self/status';

    my $limit = 64 * 1024;      # kB
    my $records = slurp_file("$dir/large_records");
    my $bytes = -s "$dir/large";
    my (undef, $idle) = peak_of('SELECT 1');
    my $rows = "SELECT 1 AS id, repeat(chr(97 + i % 26), 520) AS note "
      . "FROM generate_series(1, $records) i";
    my @cases = (
        [ 'plain', upload("$dir/large"), "$records|$bytes" ],
        [ 'gzip', upload("$dir/large_gzip"), "$records|$bytes" ],
        [ 'zstd', upload("$dir/large_zstd"), "$records|$bytes" ],
        [
            'zstd, staged',
            upload("$dir/large_zstd", q{options => '{"truncate": "fast"}'}),
            "$records|$bytes"
        ],
        [
            '1.25 GB of long records',
            upload("$dir/long_zstd"),
            '1280|' . 1280 * 1024 * 1024
        ],
        [
            'a query',
            "SELECT rows_inserted, bytes_received FROM intake.upload_query('loaded', '"
              . $rows =~ s/'/''/gr . "')",
            "$records|" . length($rows)
        ],
        [
            'gzip, replace',
            upload("$dir/large_gzip", q{mode => 'replace', options => '{"key": ["id"]}'}),
            "$records|$bytes"
        ],
        [
            'a query, staged',
            "SELECT rows_inserted, bytes_received FROM intake.upload_query('loaded', '"
              . $rows =~ s/'/''/gr . q{', mode => 'replace', options => '{"key": ["id"]}')},
            "$records|" . length($rows)
        ]);

    note("idle: $idle kB");
    foreach my $case (@cases)
    {
        my ($name, $query, $expected) = @$case;

        $node->safe_psql('postgres', 'TRUNCATE loaded');
        my $begun = time();
        my ($counts, $peak) = peak_of($query);
        my $above = $peak - $idle;

        note(sprintf('%s: %d s', $name, time() - $begun));
        is($counts, $expected, "$name: all rows");
        cmp_ok($above, '<=', $limit, "$name: $above kB over idle");
    }
}

# Runs a query in a backend of its own; what it answers, and the peak of the
# backend's memory, in kB.
sub peak_of
{
    my ($query) = @_;
    my $answer = $node->safe_psql(
        'postgres', qq{
        $query;
        SELECT (regexp_match(pg_read_file('/proc/self/status'),
            'VmHWM:\\s+(\\d+)'))[1]});

    return split(/\n/, $answer);
}

$node->stop;
done_testing();
