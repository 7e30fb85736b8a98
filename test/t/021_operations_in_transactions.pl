# Operations follow their transaction: savepoints, exception blocks, prepared
# transactions, triggers.  A repeat with other content is refused, failures
# are recorded and give way to a success, old operations are forgotten by the
# slice.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('operations');
$node->init;
$node->append_conf('postgresql.conf', 'max_prepared_transactions = 5');
$node->start;

sub run_sql
{
    return $node->safe_psql('postgres', shift);
}

# The lines that a script prints; an error is its SQLSTATE, and what follows
# it in the script runs.
sub outcome
{
    my ($sql, $role) = @_;
    my ($stdout, $stderr);

    $node->psql(
        'postgres', "\\set VERBOSITY sqlstate\n$sql",
        stdout => \$stdout,
        stderr => \$stderr,
        on_error_stop => 0,
        extra_params => [ '-U', $role // 'postgres' ]);
    my @states = $stderr =~ /ERROR:\s+(\w{5})/g;
    return join(' ', grep { $_ ne '' } split(/\n/, $stdout), @states);
}

my $number = 0;

# A UUID that was not used before.
sub new_uuid
{
    return sprintf('00000000-0000-4000-8000-%012d', ++$number);
}

# SQL that uploads one row into "target" and shows whether it was a replay.
sub upload
{
    my ($uuid, $payload, $rest) = @_;

    return "SELECT replayed FROM intake.upload('target', '$payload', "
      . "operation => '$uuid'"
      . ($rest ? ", $rest" : '') . ');';
}

sub status_of
{
    my ($uuid, $role) = @_;

    return outcome("SELECT intake.operation_status('$uuid')", $role);
}

sub rows
{
    return run_sql(q{SELECT string_agg(id || note, ',' ORDER BY id, note)
        FROM target});
}

run_sql(
    q{
    CREATE EXTENSION pg_intake;
    CREATE TABLE target (id int, note text);
    CREATE TABLE second (id int, note text);
    CREATE ROLE plain LOGIN;
    GRANT USAGE ON SCHEMA intake TO plain;
    GRANT INSERT ON target TO plain;
    });

#
# Transactions and savepoints
#

my $uuid = new_uuid();
is( outcome(
        'BEGIN;' . upload($uuid, '[1, "a"]') . upload($uuid, '[1, "a"]')
          . 'COMMIT;' . upload($uuid, '[1, "a"]')),
    'f t t',
    'a repeat in the same transaction is a replay');
is(rows(), '1a', 'and writes nothing');

$uuid = new_uuid();
is( outcome(
        'BEGIN;' . upload($uuid, '[2, "b"]') . 'ROLLBACK;'
          . upload($uuid, '[2, "b"]')),
    'f f',
    'rolled back means it never happened');

$uuid = new_uuid();
is( outcome(
        'BEGIN; SAVEPOINT s;' . upload($uuid, '[3, "c"]')
          . 'ROLLBACK TO s;' . "SELECT intake.operation_status('$uuid');"
          . upload($uuid, '[3, "c"]') . upload($uuid, '[3, "c"]')
          . 'RELEASE s; COMMIT;' . upload($uuid, '[3, "c"]')),
    'f unknown f t t',
    'ROLLBACK TO: the UUID runs again');
is(rows(), '1a,2b,3c', 'each row is there once');

# An upload that fails in a savepoint, under the same UUID.
$uuid = new_uuid();
is( outcome(
        'BEGIN; SAVEPOINT s;' . upload($uuid, '["x", "d"]')
          . 'ROLLBACK TO s;' . upload($uuid, '[4, "d"]') . 'COMMIT;'
          . upload($uuid, '[4, "d"]')),
    'f t 22P02',
    'a failed upload frees its claim and may run again');

$uuid = new_uuid();
is( outcome(
        qq{DO \$\$
        BEGIN
            BEGIN
                PERFORM intake.upload('target', '[5, "e"]',
                    operation => '$uuid');
                RAISE EXCEPTION 'no';
            EXCEPTION WHEN raise_exception THEN
                PERFORM intake.upload('target', '[5, "f"]',
                    operation => '$uuid');
            END;
        END \$\$;}
          . upload($uuid, '[5, "f"]')),
    't',
    'an exception block undoes the upload and its UUID');
is(rows(), '1a,2b,3c,4d,5f', 'only the handler\'s row is there');

#
# Prepared transactions
#

$uuid = new_uuid();
my $next = new_uuid();
run_sql(
    "BEGIN;" . upload($uuid, '[6, "g"]') . "PREPARE TRANSACTION 'one';
    BEGIN;" . upload($next, '[7, "h"]') . "PREPARE TRANSACTION 'two'");
is(outcome(upload($uuid, '[6, "g"]')),
    'IN423', 'a prepared transaction keeps the claim');
is(status_of($uuid), 'running', 'it is running');
$node->restart;
is(outcome(upload($uuid, '[6, "g"]')),
    'IN423', 'over a restart of the server too');
is(status_of($uuid), 'running', 'it is still running');
is(outcome(upload($uuid, '[6, "i"]'), 'plain'),
    'f', 'another principal\'s UUID is free');
run_sql("COMMIT PREPARED 'one'; ROLLBACK PREPARED 'two'");
is(outcome(upload($uuid, '[6, "g"]')), 't', 'COMMIT PREPARED: a replay');
is(status_of($next), 'unknown', 'ROLLBACK PREPARED: it never happened');
is(outcome(upload($next, '[7, "h"]')), 'f', 'and runs');
is(rows(), '1a,2b,3c,4d,5f,6g,6i,7h', 'each row is there once');

#
# Triggers that upload
#

run_sql(
    q{
    CREATE TABLE log (message text);
    CREATE FUNCTION upload_more() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM intake.upload('second', format('[%s, "nested"]', NEW.id),
            operation => NEW.note::uuid);
        RETURN NEW;
    EXCEPTION WHEN OTHERS THEN
        IF TG_ARGV[0] = 'raise' THEN
            RAISE;
        END IF;
        INSERT INTO log VALUES (SQLSTATE);
        RETURN NEW;
    END $$;
    CREATE TRIGGER more BEFORE INSERT ON target FOR EACH ROW
        WHEN (NEW.id >= 100) EXECUTE FUNCTION upload_more('raise');
    });

$uuid = new_uuid();
is(outcome(upload($uuid, qq{[100, "$uuid"]})),
    'IN423', 'a trigger cannot run the operation that fires it');
is(status_of($uuid), 'unknown', 'it did not happen');

$uuid = new_uuid();
$next = new_uuid();
is(outcome(upload($uuid, qq{[101, "$next"]})),
    'f', 'a trigger uploads into another table under another UUID');
is( join(' ', status_of($uuid), status_of($next)),
    'succeeded succeeded',
    'both have succeeded');
is( run_sql(
        q{SELECT (SELECT count(*) FROM target WHERE id = 101),
            (SELECT count(*) FROM second WHERE id = 101)}),
    '1|1',
    'both rows are there');

run_sql(
    q{
    DROP TRIGGER more ON target;
    CREATE TRIGGER more BEFORE INSERT ON target FOR EACH ROW
        WHEN (NEW.id >= 100) EXECUTE FUNCTION upload_more('log');
    });
$uuid = new_uuid();
is( outcome(
        upload($uuid, qq{[102, "$uuid"]}) . upload($uuid, qq{[102, "$uuid"]})),
    'f t',
    'an operation survives the refusal that its trigger has caught');
is( run_sql(
        q{SELECT (SELECT string_agg(message, ',') FROM log),
            (SELECT count(*) FROM target WHERE id = 102),
            (SELECT count(*) FROM second WHERE id = 102)}),
    'IN423|1|0',
    'the nested one wrote nothing');
run_sql('DROP TRIGGER more ON target; DELETE FROM target WHERE id >= 100');

#
# Repeats with other content
#

my $before = rows();

$uuid = new_uuid();
is( outcome(upload($uuid, '[8, "j"]', q{options => '{"query_id": "one"}'})),
    'f', 'an upload');
is(outcome(upload($uuid, '[8, "k"]')), 'IN422', 'another byte is refused');
is(outcome(upload($uuid, '[8, "j"] ')), 'IN422', 'one byte more is refused');
is( outcome(upload($uuid, '[8, "j"]', q{options => '{"types": "strict"}'})),
    'IN422',
    'another option is refused');
is( outcome(upload($uuid, '[8, "j"]', q{format => 'csv'})),
    'IN422',
    'another format is refused');
is( outcome(
        upload(
            $uuid, '[8, "j"]',
            q{mode => 'replace', options => '{"key": ["id"]}'})),
    'IN422',
    'another mode is refused');
is( outcome(
        qq{SELECT replayed FROM intake.upload('second', '[8, "j"]',
            operation => '$uuid')}),
    'IN422',
    'another target is refused');
is( outcome(
        qq{SELECT replayed FROM intake.delete_partitions('target',
            '[{"id": 8}]', operation => '$uuid',
            options => '{"key": ["id"]}')}),
    'IN422',
    'a partition delete is refused');
is( outcome(
        upload($uuid, '[8, "j"]', q{options => '{"query_id": "two"}'})
          . upload($uuid, '[8, "j"]')),
    't t',
    'another query_id, or none, is a repeat');
is(rows(), "$before,8j", 'none of these wrote a row');
is( run_sql(
        "SELECT query_id, rows_inserted FROM intake.operations
        WHERE operation = '$uuid'"),
    'one|1',
    'the record is the first one\'s');

my $result = qq{SELECT sys_cn, started_at, finished_at, expires_at,
    bytes_received, rows_received, rows_inserted, rows_updated, rows_deleted,
    rows_skipped, rows_rejected, rows_affected, errors
    FROM intake.upload('target', E'[9, "l"]\\n[9, "m"]',
        operation => '%s', mode => 'replace', options => '{"key": ["id"]}')};
$uuid = new_uuid();
my $first = run_sql(sprintf($result, $uuid));
is(run_sql(sprintf($result, $uuid)),
    $first, 'a replay returns the stored counters and times');
like($first, qr/\|17\|2\|2\|0\|0\|0\|0\|2\|$/, 'which are right');

#
# Failures and forgetting
#

my $failure = q{SELECT intake.record_failure('%s', 'target',
    '{"sqlState": "22P02"}');};
$uuid = new_uuid();
is(outcome(sprintf($failure, $uuid)), 't', 'a failure is recorded');
is(status_of($uuid), 'failed', 'the operation has failed');
is( run_sql(
        "SELECT status, error, target FROM intake.operations
        WHERE operation = '$uuid'"),
    'failed|{"sqlState": "22P02"}|public.target',
    'the view shows it');
is(status_of($uuid, 'plain'), 'unknown', 'it is nobody else\'s');
is(outcome(sprintf($failure, $uuid)), 't', 'it fails once more');
is(outcome(upload($uuid, '[10, "n"]')), 'f', 'and runs');
is(status_of($uuid), 'succeeded', 'then it has succeeded');
is(outcome(sprintf($failure, $uuid)), 'f', 'a failure gives way to a success');
is(status_of($uuid), 'succeeded', 'which stays');
is( run_sql(
        "SELECT count(*), min(status) FROM intake.operations
        WHERE operation = '$uuid'"),
    '1|succeeded',
    'with one record');

# Anybody may record failures, but not fill the database with what they say.
is(outcome(sprintf(q{SELECT intake.record_failure('%s', 'target',
        to_jsonb(repeat('x', 70000)))}, new_uuid())), '54000',
    'a failure is not a book');

# A failure is not recorded while the operation runs.
my $session = $node->background_psql('postgres');
$uuid = new_uuid();
$session->query_safe('BEGIN;' . upload($uuid, '[11, "o"]'));
is(outcome(sprintf($failure, $uuid)), 'IN423', 'a failure takes the claim');
$session->query_safe('COMMIT');
is(status_of($uuid), 'succeeded', 'the operation goes on');

my $forget = "SELECT intake.forget_operation('$uuid');";
is(outcome($forget, 'plain'), '42501', 'only the target\'s owner may forget');
run_sql('GRANT SELECT ON target TO plain; ALTER TABLE target OWNER TO plain');
is(outcome($forget, 'plain'),
    't', 'the owner may, whoever\'s operation it is');
is(outcome($forget, 'plain'), 'f', 'there is nothing more to forget');
is(status_of($uuid), 'unknown', 'it is forgotten');
is(outcome(upload($uuid, '[11, "o"]') . upload($uuid, '[11, "o"]')),
    'f t', 'and runs again, once');
is(run_sql('SELECT count(*) FROM target WHERE id = 11'),
    '2', 'which writes the rows again');

# A running operation is not forgotten.
$uuid = new_uuid();
$session->query_safe('BEGIN;' . upload($uuid, '[12, "p"]'));
is(outcome("SELECT intake.forget_operation('$uuid')"),
    'f', 'an open operation has no record to forget');
$session->query_safe('COMMIT');
is(outcome(upload($uuid, '[12, "p"]')), 't', 'it is remembered');
$session->quit;

#
# Retention: slices of ten minutes of the hour that is kept
#

$node->append_conf('postgresql.conf', 'pg_intake.operation_retention = 60');
$node->reload;
my $rotate = 'SELECT intake.rotate_operations()';
my $age = q{UPDATE intake.operation_slice
    SET opened_at = opened_at - interval '%d min'};
is(run_sql($rotate), '0', 'the first rotation forgets nothing');

my @uploads;
my $forgotten = 0;
my $kept = 0;
my $bloat = 0;

# One round is 11 simulated minutes.
foreach my $round (0 .. 24)
{
    my $one = new_uuid();

    push @uploads, $one;
    run_sql(upload($one, '[13, "q"]'));
    run_sql(
        upload(new_uuid(), '["bad", "q"]',
            q{options => '{"max_errors": 1}'}));
    run_sql(sprintf($age, 11));
    $forgotten += run_sql($rotate);

    # Ages in minutes, now: 11 times the rounds since.
    my %status = map { split(/\|/, $_) } split(
        /\n/,
        run_sql(
            'SELECT o, intake.operation_status(o) FROM unnest(ARRAY['
              . join(',', map { "uuid '$_'" } @uploads)
              . ']) o'));
    foreach my $i (0 .. $round)
    {
        my $minutes = 11 * ($round - $i + 1);

        $kept++ if $minutes <= 60 && $status{ $uploads[$i] } ne 'succeeded';
        $bloat++ if $minutes > 90 && $status{ $uploads[$i] } ne 'unknown';
    }
}
is($kept, 0, 'no operation is forgotten before its time');
is($bloat, 0, 'each is forgotten soon after it');
cmp_ok($forgotten, '>', 10, 'slices are reused');
is( run_sql(
        q{SELECT count(DISTINCT o.operation) = count(*), count(*) > 0
        FROM intake.reject j FULL JOIN
            (SELECT * FROM intake.operation WHERE rows_rejected > 0) o
            USING (sys_cn)}),
    't|t',
    'bad records go with their operations, and stay with them');
is(outcome(upload($uploads[24], '[13, "q"]')),
    't', 'an operation that is kept is a replay');
is(outcome(upload($uploads[20], '[13, "q"]')), 't', 'an older one too');
is(outcome(upload($uploads[0], '[13, "q"]')),
    'f', 'one that is forgotten runs again');
is( run_sql(
        q{SELECT count(*) FROM intake.operations
        WHERE operation = '00000000-0000-4000-8000-000000000001'}),
    '0',
    'the view does not show forgotten ones');

# A reader of all slices (a dump, say) does not make a rotation wait.
my $reader = $node->background_psql('postgres');
$reader->query_safe('BEGIN; SELECT count(*) FROM intake.operation;');
run_sql(sprintf($age, 100));
is(run_sql("SET statement_timeout = '30s'; $rotate"),
    '0', 'a rotation waits for no reader');
$reader->query_safe('COMMIT');
cmp_ok(run_sql($rotate), '>', 0, 'the next one gets the slices');
$reader->quit;

# An open rotation that forgets nothing is in nobody's way.
my $rotation = $node->background_psql('postgres');
$rotation->query_safe("BEGIN; $rotate");
is( outcome(
        "SET statement_timeout = '30s';" . upload(new_uuid(), '[14, "r"]')),
    'f',
    'uploads do not wait for an open rotation');
$rotation->query_safe('COMMIT');

# Nor does an open upload hinder one, or lose its record by it.
$uuid = new_uuid();
$rotation->query_safe('BEGIN;' . upload($uuid, '[15, "s"]'));
foreach my $round (0 .. 9)
{
    run_sql(sprintf($age, 11) . ";SET statement_timeout = '30s'; $rotate");
}
$rotation->query_safe('COMMIT');
is(outcome(upload($uuid, '[15, "s"]')),
    't', 'a record of an open transaction is not lost by rotation');
$rotation->quit;

# 0 keeps operations for ever.
$node->append_conf('postgresql.conf', 'pg_intake.operation_retention = 0');
$node->reload;
run_sql(sprintf($age, 10000));
is(run_sql($rotate), '0', 'retention 0 forgets nothing');
is(outcome(upload($uuid, '[15, "s"]')), 't', 'operations stay');
is( run_sql(
        q{SELECT expires_at IS NULL FROM intake.upload('target',
            '[16, "t"]')}),
    't',
    'and do not expire');

$node->stop;
done_testing();
