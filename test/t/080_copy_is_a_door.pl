# COPY FROM in our formats, as clients use it: psql's \copy, a driver of
# another language, clients that are killed; with the rights of COPY and of an
# upload, beside other libraries with the same hook, after DROP EXTENSION.

use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes ();

my $kills = $ENV{COPY_KILLS} // 5;
my $data = "$FindBin::Bin/../data";
my $dir = PostgreSQL::Test::Utils::tempdir;

my $node = PostgreSQL::Test::Cluster->new('copy');
$node->init(extra => [ '--no-locale', '--encoding=UTF8' ]);
$node->append_conf(
    'postgresql.conf', q{
fsync = off
session_preload_libraries = 'pg_intake'
max_prepared_transactions = 5
});
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pg_intake');

my $number = 0;

# A UUID of its own for each operation.
sub new_uuid
{
    return sprintf('80000000-0000-4000-8000-%012d', ++$number);
}

# Exit status of psql and what it printed, both streams.
sub run_psql
{
    my ($script, @extra) = @_;
    my ($stdout, $stderr);
    my $status = $node->psql(
        'postgres', $script,
        stdout => \$stdout,
        stderr => \$stderr,
        on_error_stop => 0,
        extra_params => [@extra]);

    return ($status, $stdout, $stderr);
}

# The SQLSTATE of the first error, or what psql answered.
sub outcome
{
    my ($role, $script) = @_;
    my (undef, $stdout, $stderr) =
      run_psql("\\set VERBOSITY sqlstate\n$script", '-U', $role);

    return $1 if $stderr =~ /ERROR:\s+(\w{5})/;
    return $stdout;
}

sub write_file
{
    my ($name, $content) = @_;

    open(my $file, '>:raw', "$dir/$name") or die "$dir/$name: $!";
    print $file $content;
    close($file);
    return "$dir/$name";
}

#
# psql's \copy of files in each format, and again
#

my $places = q{"UID" integer, iso2 text, iso3 text, code3 integer, "FIPS" text,
    "Admin2" text, "Province_State" text, "Country_Region" text,
    "Lat" numeric, "Long_" numeric, "Combined_Key" text, "Population" bigint};
$node->safe_psql('postgres',
    "CREATE TABLE by_core ($places);
    \\copy by_core FROM '$data/covid_places.csv' (FORMAT csv, HEADER)");
foreach my $format ('csv', 'ndjson', 'avro')
{
    my $uuid = new_uuid();
    my $header = $format eq 'csv' ? ', HEADER' : '';
    my $copy = "\\copy by_$format FROM '$data/covid_places.$format' "
      . "(FORMAT $format, OPERATION '$uuid'$header)\n\\echo :ROW_COUNT";
    my $other = $copy =~ s/covid_places/covid_days/r;

    $node->safe_psql('postgres', "CREATE TABLE by_$format ($places)");

    my ($status, $stdout, $stderr) = run_psql($copy);
    is("$status|$stdout", '0|4316', "$format: all rows");
    like($stderr, qr/NOTICE:  operation $uuid is done/, "$format: a notice");

    ($status, $stdout, $stderr) = run_psql($copy);
    is("$status|$stdout", '0|4316', "$format, again: the stored count");
    like($stderr, qr/NOTICE:  operation $uuid was done before, nothing is/,
        "$format, again: a notice says so");
    is(outcome('postgres', $other),
        'IN422', "$format, other bytes: refused");
    is( $node->safe_psql(
            'postgres', qq{
            SELECT count(*) FROM by_$format;
            TABLE by_core EXCEPT ALL TABLE by_$format}),
        '4316',
        "$format: the rows are those of core's COPY");
}

#
# An error while the client still sends: psql prints it and goes on
#

my $bad = write_file('bad.ndjson',
    qq{["no", "number"]\n} . qq{[1, "a record that nobody reads"]\n} x 200_000);
$node->safe_psql('postgres', 'CREATE TABLE bad (id int, note text)');

my ($status, $stdout, $stderr) =
  run_psql("\\copy bad FROM '$bad' (FORMAT ndjson)\nSELECT count(*) FROM bad");
is($stdout, '0', 'the session goes on after an error in the first record');
like(
    $stderr,
    qr/invalid input syntax for type integer: "no"\s.*record 1, line 1/s,
    'and psql shows it');
($status, $stdout, $stderr) = run_psql(
    "BEGIN;\n\\copy bad FROM '$bad' (FORMAT ndjson)\n"
      . "\\copy bad FROM '$bad' (FORMAT ndjson)\nROLLBACK;\nSELECT 5");
is($stdout, '5', 'so it does in a transaction');
like(
    $stderr,
    qr/invalid input syntax.*current transaction is aborted/s,
    'which is aborted');

#
# Rights
#

$node->safe_psql(
    'postgres', q{
    CREATE ROLE stranger LOGIN;
    CREATE ROLE loader LOGIN;
    CREATE ROLE reader LOGIN IN ROLE pg_read_server_files;
    CREATE ROLE runner LOGIN IN ROLE pg_execute_server_program;
    GRANT USAGE ON SCHEMA intake TO loader, reader, runner;
    CREATE TABLE owned (id int PRIMARY KEY, owner name DEFAULT current_user,
        note text);
    GRANT SELECT ON owned TO PUBLIC;
    GRANT INSERT ON owned TO stranger, reader, runner;
    GRANT INSERT (id, note) ON owned TO loader;
    CREATE TABLE guarded (id int, owner name DEFAULT current_user);
    ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
    CREATE POLICY mine ON guarded USING (owner = current_user);
    GRANT SELECT, INSERT, DELETE ON guarded TO loader;
    });

my $one = write_file('one.ndjson', qq{{"id": 1}\n});
chmod(0644, $one);

my @rights = (
    [ 'stranger', "\\copy owned FROM '$one' (FORMAT ndjson)", '42501',
        'USAGE on schema intake is needed' ],
    [ 'loader', "\\copy owned FROM '$one' (FORMAT ndjson)", '',
        'columns on which there is a grant' ],
    [ 'loader',
        "\\copy owned (id, note) FROM PROGRAM 'echo [2,1]' (FORMAT ndjson)",
        '', 'a list of them' ],
    [ 'loader',
        "\\copy owned (id, owner) FROM PROGRAM 'echo [3,4]' (FORMAT ndjson)",
        '42501', 'a list with another column' ],
    [ 'loader', "\\copy owned FROM '$one' (FORMAT ndjson, MODE merge)",
        '42501', 'merge needs UPDATE' ],
    [ 'loader', "\\copy owned FROM '$one' (FORMAT ndjson, TRUNCATE)",
        '42501', 'truncate needs DELETE' ],
    [ 'loader', "COPY owned FROM '$one' (FORMAT ndjson)", '42501',
        'a file of the server needs its role' ],
    [ 'loader', "COPY owned FROM PROGRAM 'cat' (FORMAT ndjson)", '42501',
        'a program needs its role' ],
    [ 'reader', "COPY owned FROM PROGRAM 'cat' (FORMAT ndjson)", '42501',
        'another than that of files' ],
    [ 'runner', "COPY owned FROM '$one' (FORMAT ndjson)", '42501',
        'and the other way round' ],
    [ 'reader', "DELETE FROM owned; COPY bad FROM '$one' (FORMAT ndjson)",
        '42501', 'the role for files gives no right on the table' ],
    [ 'runner', "COPY owned FROM PROGRAM 'echo [5,1,1]' (FORMAT ndjson)",
        '', 'with the role a program runs' ],
    [ 'loader', "COPY guarded FROM STDIN (FORMAT csv);\n\\.\n", '0A000',
        q{core's COPY refuses row-level security} ],
    [ 'loader', "\\copy guarded FROM '$one' (FORMAT ndjson)", '',
        'ours honours it' ],
    [ 'loader',
        "\\copy guarded FROM PROGRAM 'echo [2,3]' (FORMAT ndjson)",
        '42501', 'and checks new rows' ],
    [ 'loader',
        "\\copy guarded FROM '$one' (FORMAT ndjson, MODE replace, KEY id)",
        '', 'in mode replace too' ]);
$node->safe_psql('postgres', q{INSERT INTO guarded VALUES (1, 'postgres')});
foreach my $case (@rights)
{
    my ($role, $script, $expected, $name) = @$case;

    is(outcome($role, $script), $expected, "$role: $name");
}
$node->safe_psql('postgres', 'DELETE FROM owned WHERE id = 1');
is(outcome('reader', "COPY owned FROM '$one' (FORMAT ndjson)"),
    '', 'reader: with the role a file is read');
is( $node->safe_psql(
        'postgres', 'SELECT * FROM owned; SELECT * FROM guarded'),
    "2|loader|1\n5|1|1\n1|reader|\n1|postgres\n1|loader",
    'just these rows are there');
$node->safe_psql(
    'postgres', q{
    CREATE TABLE touched (id int);
    GRANT SELECT ON touched TO runner});
is( outcome(
        'runner', "COPY touched FROM PROGRAM 'touch $dir/run' (FORMAT ndjson)"),
    '42501',
    'no right on the table');
ok(!-e "$dir/run", 'then the program is not started');

#
# Prepared transactions
#

my $uuid = new_uuid();
my $copy = "\\copy prepared FROM '$one' (FORMAT ndjson, OPERATION '$uuid')";
$node->safe_psql('postgres', 'CREATE TABLE prepared (id int)');
$node->safe_psql('postgres', "BEGIN;\n$copy\nPREPARE TRANSACTION 'copied'");
is(outcome('postgres', $copy),
    'IN423', 'an operation of a prepared transaction is running');
$node->safe_psql('postgres', q{COMMIT PREPARED 'copied'});
($status, $stdout, $stderr) = run_psql($copy);
like($stderr, qr/was done before/, 'when that is committed it is done');
is($node->safe_psql('postgres', 'SELECT count(*) FROM prepared'),
    '1', 'once');

#
# A driver of another language
#

SKIP:
{
    my $python = '/usr/bin/python3';

    skip 'there is no psycopg2', 1
      if system("$python -c 'import psycopg2' 2>/dev/null") != 0;

    my $sales = write_file('sales.ndjson', join('',
            map { qq{{"id": $_, "note": "sale $_"}\n} } 1 .. 10_000));
    $node->safe_psql('postgres',
        'CREATE TABLE sales (id int PRIMARY KEY, note text)');

    my ($out, $err) = run_command(
        [
            $python, "$FindBin::Bin/../drivers/psycopg_copy.py",
            $node->connstr('postgres'), $sales
        ]);
    is( $out,
        q{monday 10000
is done
monday 10000
was done before, nothing is written
tuesday 10000
is done
57014 COPY from stdin failed: error in .read() call: OSError the disk is gone
repaired 1
22003
10001 1},
        'psycopg2 loads, repeats, fails and goes on');
    is($err, '', 'without complaints');
}

#
# Clients that are killed at any point, and their retries
#

$node->safe_psql('postgres',
    'CREATE TABLE killed (id int, note text)');    # no key: doubles would show

my $records = 20_000;
my $replays = 0;
my $wrong = 0;

srand($ENV{COPY_SEED} // 80);
foreach my $round (1 .. $kills)
{
    my $payload = join('',
        map { qq{[$_, "round $round"]\n} }
          ($round - 1) * $records + 1 .. $round * $records);
    my $file = write_file('killed.ndjson', $payload);
    my $sql = q{"\copy killed FROM %s (FORMAT ndjson, OPERATION '%s')"};
    my $id = new_uuid();
    my $length = int(rand(1.2 * length($payload)));
    my $command = "exec psql -X -d '" . $node->connstr('postgres') . "' -c "
      . sprintf($sql, 'pstdin', $id) . " >$dir/psql.log 2>&1";
    my $pid = open(my $psql, '|-', $command) or die "psql: $!";

    # Behind the last byte comes the end, and the client waits for its answer.
    print $psql substr($payload, 0, $length);
    $psql->flush();
    if ($length > length($payload))
    {
        # closing the pipe would wait for psql
        open(my $null, '<', '/dev/null');
        open($psql, '>&', $null) or die "dup: $!";
        Time::HiRes::usleep(int(rand(60_000)));
    }
    kill('KILL', $pid);
    close($psql);
    waitpid($pid, 0);

    # As a client does: while the operation runs it is to come later.
    my ($result, $out, $error);
    foreach my $try (1 .. 1000)
    {
        ($result, $out, $error) = run_psql(
            "\\set VERBOSITY verbose\n\\copy killed FROM '$file' "
              . "(FORMAT ndjson, OPERATION '$id')",
            '-v', 'ON_ERROR_STOP=1');
        last unless $error =~ /IN423/;
        Time::HiRes::usleep(10_000);
    }
    $replays++ if $error =~ /was done before/;
    next
      if $result == 0
      && $node->safe_psql(
        'postgres', 'SELECT count(*), count(DISTINCT id), max(id) FROM killed'
      ) eq join('|', ($round * $records) x 3);
    $wrong++;
    diag("round $round, killed after $length bytes: $error");
}
is($wrong, 0, "no row is lost or doubled in $kills rounds");
note("$replays of the killed uploads had been done");
$node->poll_query_until('postgres',
    q{SELECT count(*) = 0 FROM pg_locks WHERE objsubid > 2});
is($node->safe_psql('postgres',
        q{SELECT count(*) FROM pg_locks WHERE objsubid > 2}),
    '0', 'no lock of ours is left');

#
# Hooks of other libraries, in any order
#

my @orders = (
    [ 'pg_intake, pg_stat_statements, auto_explain', 1 ],
    [ 'auto_explain, pg_intake, pg_stat_statements', 1 ],
    [ 'pg_stat_statements, auto_explain, pg_intake', 0 ]);
$node->append_conf(
    'postgresql.conf', q{
session_preload_libraries = ''
auto_explain.log_min_duration = 0
auto_explain.log_nested_statements = on
auto_explain.log_analyze = on
});
foreach my $order (@orders)
{
    my ($libraries, $is_counted) = @$order;
    my $log = -s $node->logfile;
    my $id = new_uuid();

    $node->append_conf('postgresql.conf',
        "shared_preload_libraries = '$libraries'");
    $node->restart;
    $node->safe_psql(
        'postgres', q{
        CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
        DROP TABLE IF EXISTS hooked;
        CREATE TABLE hooked (id int PRIMARY KEY, note text);
        CREATE TABLE IF NOT EXISTS noted (n bigint);
        CREATE OR REPLACE FUNCTION note_rows() RETURNS trigger
        LANGUAGE plpgsql AS
        'BEGIN INSERT INTO noted VALUES (4711); RETURN NEW; END';
        CREATE TRIGGER note_rows AFTER INSERT ON hooked FOR EACH ROW
        EXECUTE FUNCTION note_rows();
        SELECT pg_stat_statements_reset()});
    ($status, $stdout, $stderr) = run_psql(
        qq{\\copy hooked FROM PROGRAM 'printf "[1,null]\\n[2,null]\\n"' (FORMAT ndjson, OPERATION '$id')
        \\echo :ROW_COUNT
        \\copy hooked FROM PROGRAM 'printf "3,x\\n4,y\\n"' (FORMAT csv)
        \\echo :ROW_COUNT
        DO \$\$ BEGIN
            COPY hooked FROM PROGRAM 'echo ''{"id": 5}''' (FORMAT ndjson);
        END \$\$;});
    is($stdout, "2\n2", "$libraries: our COPY and core's");
    is($node->safe_psql('postgres', 'SELECT count(*) FROM hooked'),
        '5', "$libraries: rows, one from a DO block");
    is( $node->safe_psql(
            'postgres', q{
            SELECT rows FROM pg_stat_statements
            WHERE query LIKE 'COPY  hooked FROM STDIN% (FORMAT ndjson%'}),
        $is_counted ? '2' : '',
        "$libraries: pg_stat_statements "
          . ($is_counted ? 'counts our rows' : 'does not see ours'));
    is( $node->safe_psql(
            'postgres', q{
            SELECT rows FROM pg_stat_statements
            WHERE query LIKE 'COPY  hooked FROM STDIN% (FORMAT csv)'}),
        '2',
        "$libraries: pg_stat_statements counts core's");
    like(slurp_file($node->logfile, $log),
        qr/Query Text: INSERT INTO noted VALUES \(4711\)/,
        "$libraries: auto_explain sees what a trigger does");
    is(outcome('postgres', q{COPY hooked FROM '/dev/null' (FORMAT nope)}),
        '22023', "$libraries: errors are core's");
}

#
# DROP EXTENSION, while the library stays
#

my $session = $node->background_psql('postgres', on_error_stop => 0);
$session->query('SET client_min_messages = warning');
$node->safe_psql('postgres', 'DROP EXTENSION pg_intake CASCADE');
foreach my $format ('FORMAT ndjson', 'FORMAT avro', 'FORMAT csv, MODE append')
{
    is(outcome('postgres', "COPY hooked FROM '/dev/null' ($format)"),
        '55000', "($format) without the extension");
}
is(outcome('postgres', q{COPY hooked FROM PROGRAM 'echo 6,z' (FORMAT csv)}),
    '', q{core's COPY goes on without it});
$node->safe_psql('postgres', 'CREATE EXTENSION pg_intake');
$session->query(
    q{COPY hooked FROM PROGRAM 'echo "[7,null]"' (FORMAT ndjson)});
$session->quit;
is($node->safe_psql('postgres', 'SELECT max(id) FROM hooked'),
    '7', 'and ours when it is back');

$node->stop;
done_testing();
