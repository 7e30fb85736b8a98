# pg_intake.log_values: off keeps a payload's values out of the server's log at
# each door, while its client is told of them; on logs what PostgreSQL would.

use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use lib "$FindBin::RealBin/../lib";
use IntakeGateway;

my ($node, $base) = make_gateway('discreet', q{
    log_statement = none
    log_min_messages = notice
    log_error_verbosity = verbose
    log_parameter_max_length_on_error = -1});

$node->start;
$node->safe_psql(
    'postgres', q{
    CREATE EXTENSION pg_intake;
    CREATE ROLE writer;
    GRANT USAGE ON SCHEMA intake TO writer;
    CREATE TABLE other (k text PRIMARY KEY);
    CREATE TABLE t (
        k text UNIQUE,
        n int CHECK (n < 10),
        day date,
        f text REFERENCES other DEFERRABLE INITIALLY DEFERRED,
        j jsonb);
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.k LIKE 'warn%' THEN RAISE WARNING 'look at %', NEW.k; END IF;
            IF NEW.k LIKE 'bad%' THEN RAISE 'no % here', NEW.k
                USING DETAIL = NEW.k, HINT = NEW.k; END IF;
            RETURN NEW;
        END $$;
    CREATE TRIGGER refuse BEFORE INSERT ON t
        FOR EACH ROW EXECUTE FUNCTION refuse();
    GRANT ALL ON t TO writer;
    GRANT SELECT ON other TO writer;
    INSERT INTO t (k) VALUES ('there-s3cr3t');
    SELECT intake.register_table('t');
    });
wait_for_gateway($base);

my $dir = PostgreSQL::Test::Utils::tempdir();

# What is in the log from there on.
sub log_from
{
    return slurp_file($node->logfile, $_[0]);
}

sub log_end
{
    return -s $node->logfile;
}

my @cases = (
    [ 'a number', '{"n": "s3cr3t"}', '22P02',
        'invalid input syntax for type %s: "%s"', 'column "n"' ],
    [ 'a date', '{"day": "s3cr3t"}', '22007', undef, 'column "day"' ],
    [ 'a number that is too large', '{"n": 9999999999}', '22003',
        undef, 'column "n"' ],
    [ 'JSON', '{"j": {"a" s3cr3t}}', '22032', undef, 'line 2' ],
    [ 'a key that is there', '{"k": "there-s3cr3t"}', '23505',
        'duplicate key value violates unique constraint "%s"',
        'Constraint "t_k_key"' ],
    [ 'a row that is refused', '{"k": "s3cr3t", "n": 11}', '23514',
        undef, 'Constraint "t_n_check"' ],
    [ 'what a trigger says', '{"k": "bad s3cr3t"}', 'P0001',
        'error with SQLSTATE P0001', 'table "t"' ],
    [ 'what is found at the end', '{"f": "s3cr3t"}', '23503', undef, 't_f_fkey' ]);

# The doors: each returns what its client is told.
my %doors = (
    sql => sub {
        my ($payload, $set) = @_;
        my $stderr;

        $node->psql('postgres', "\\set VERBOSITY verbose\n$set
            BEGIN;
            SELECT * FROM intake.upload('t', '$payload'::text);
            COMMIT;", stderr => \$stderr, on_error_stop => 0);
        return $stderr;
    },
    copy => sub {
        my ($payload, $set) = @_;
        my $file = write_file("$dir/payload", $payload);
        my $stderr;

        $node->psql('postgres', "\\set VERBOSITY verbose\n$set
            \\copy t from '$file' (format ndjson)",
            stderr => \$stderr, on_error_stop => 0);
        return $stderr;
    },
    http => sub {
        my ($payload) = @_;
        my ($status, $headers, $body) = curl(
            -H => 'Content-Type: application/x-ndjson',
            '--data-binary' => '@' . write_file("$dir/payload", $payload),
            "$base/v1/tables/public/t/operations");

        return join(' ', map { $_ // '' }
                @$body{qw(sqlstate detail value title constraint hint)});
    });

foreach my $door (sort keys %doors)
{
    foreach my $case (@cases)
    {
        my ($name, $record, $state, $message, $place) = @$case;
        my $payload = qq({"n": 1}\n$record\n);
        my $secret = $record =~ /s3cr3t/ ? 's3cr3t' : '9999999999';
        my $from = log_end();

        # A caller's own COMMIT is not an upload's.
        next if $state eq '23503' && $door ne 'http';

        my $answer = $doors{$door}->($payload, 'SET pg_intake.log_values = off;');
        if ($door eq 'http')
        {
            $node->safe_psql('postgres',
                'ALTER SYSTEM SET pg_intake.log_values = off');
            $node->reload;
            wait_for('values are not logged', sub {
                $from = log_end();
                $answer = $doors{$door}->($payload);
                return log_from($from) !~ /$secret/;
            });
        }
        my $log = log_from($from);

        like($answer, qr/$state.*$secret/s, "$door, $name: the client is told");
        unlike($log, qr/$secret/, 'the log is not');
        like($log, qr/ERROR: +$state: \Q$message\E$/m, 'but of what went wrong')
            if defined $message;
        like($log, qr/\Q$place\E/, 'and where');
        unlike($log, qr/STATEMENT/, 'without a statement');
    }
}

foreach my $door (sort keys %doors)
{
    my $from = log_end();
    my $set = 'SET pg_intake.log_values = off;';

    $doors{$door}->(qq({"k": "warn s3cr3t $door", "n": 1}\n), $set);
    unlike(log_from($from), qr/s3cr3t/, "$door: a warning shows nothing");
    like(log_from($from), qr/WARNING/, 'but is logged');
}
is($node->safe_psql('postgres', q{SELECT count(*) FROM t
    WHERE k LIKE 'warn s3cr3t%'}), 3, 'and the rows are there');

# An array over HTTP.
my $from = log_end();
my ($status, $headers, $body) = curl(-H => 'Content-Type: application/json',
    '--data-binary' => '[["s3cr3t" 1]]', "$base/v1/tables/public/t/operations");
is($status, 422, 'a broken array');
like(log_from($from), qr/invalid JSON: expected %s/, 'is logged');
like(log_from($from), qr{^\s+POST /v1/tables/public/t/operations, req}m,
    'with its request');
unlike(log_from($from), qr/s3cr3t/, 'without its bytes');

# Parameters of a statement are shown in CONTEXT, on errors.
$node->safe_psql('postgres', 'ALTER SYSTEM SET log_parameter_max_length_on_error = -1');
$from = log_end();
$node->psql('postgres', q{SET pg_intake.log_values = off;
    PREPARE p AS SELECT * FROM intake.upload('t', $1::text);
    EXECUTE p ('{"n": "s3cr3t"}');
    DO $$ BEGIN PERFORM intake.upload('t', '{"n": "s3cr3t"}'::text); END $$;},
    on_error_stop => 0);
unlike(log_from($from), qr/s3cr3t/, 'nor do statements around it show it');
is(() = log_from($from) =~ /ERROR/g, 2, 'there were two');

# Whose errors they are not, and the default

$from = log_end();
$node->psql('postgres', q{SET pg_intake.log_values = off;
    SELECT intake.upload('t', '{"n": "s3cr3t"}'::text);
    SELECT 's3cr3t'::int;}, on_error_stop => 0);
is(() = log_from($from) =~ /syntax for type integer: "s3cr3t"/g, 1,
    'an error of something else is logged as it is');
$from = log_end();
$node->psql('postgres', q{SET pg_intake.log_values = on;
    SELECT intake.upload('t', '{"n": "s3cr3t"}'::text)});
like(log_from($from), qr/syntax for type integer: "s3cr3t".*STATEMENT/s,
    'where values are logged, so are statements');
is($node->safe_psql('postgres', q{SELECT boot_val, context FROM pg_settings
    WHERE name = 'pg_intake.log_values'}),
    'on|superuser', 'that is the default, and a superuser decides');

$node->stop;
done_testing();
