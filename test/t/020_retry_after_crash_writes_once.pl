# A backend is killed with SIGKILL in the middle of an upload: after recovery
# its rows are not there, the UUID runs again and writes once.  What was
# committed before the crash is a replay after it.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('crash');
$node->init;
$node->append_conf('postgresql.conf', 'restart_after_crash = on');
$node->start;

# Batches are of 10,000 rows or more; row 45,000 is written when others have
# been.
$node->safe_psql(
    'postgres', q{
    CREATE EXTENSION pg_intake;
    CREATE TABLE loaded (id int PRIMARY KEY, k text, note text);
    INSERT INTO loaded VALUES (7, 'k7', 'before');
    CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_advisory_xact_lock_shared(49);
        RETURN NEW;
    END $$;
    CREATE TRIGGER hold BEFORE INSERT ON loaded FOR EACH ROW
        WHEN (NEW.id = 45000) EXECUTE FUNCTION hold();
    CREATE TABLE payload (body text, keyed text);
    INSERT INTO payload
    SELECT string_agg(format('[%s, "n%s", "new"]', i, i), E'\n' ORDER BY i),
        string_agg(format('[%s, "k%s", "new"]', i, i), E'\n' ORDER BY i)
    FROM generate_series(1, 50000) i WHERE i <> 7;
    });

my $before = '1|before';
my $state = q{SELECT count(*), string_agg(DISTINCT note, ',') FROM loaded};

sub status_of
{
    return $node->safe_psql('postgres',
        "SELECT intake.operation_status('$_[0]')");
}

sub kill_while_loading
{
    my ($upload, $uuid) = @_;
    my $holder = $node->background_psql('postgres', on_error_stop => 0);
    my $loader = $node->background_psql('postgres', on_error_stop => 0);
    my $log = -s $node->logfile;
    my $waiting = q{FROM pg_stat_activity
        WHERE wait_event_type = 'Lock' AND wait_event = 'advisory'
            AND query LIKE '%intake.upload%'};

    $node->safe_psql('postgres', 'VACUUM FULL loaded');
    $holder->query('SELECT pg_advisory_lock(49)');
    $loader->query_until(qr/begun/, "\\echo begun\n$upload;\n");
    $node->poll_query_until('postgres', "SELECT count(*) = 1 $waiting")
      or die 'the upload does not wait for the lock';
    is(status_of($uuid), 'running', 'it runs');
    cmp_ok(
        $node->safe_psql('postgres', q{SELECT pg_relation_size('loaded')}),
        '>', 1024 * 1024, 'and has written rows');

    # Only the backend that loads.
    my $pid = $node->safe_psql('postgres', "SELECT pid $waiting");
    is(kill('KILL', $pid), 1, "backend $pid is killed");

    # Both sessions lose their server.
    # Nothing may connect before it is back: a client that is refused closes
    # its pipe under the query.
    $node->wait_for_log(
        qr/reinitializing.*database system is ready to accept connections/s,
        $log);
    foreach my $session ($holder, $loader)
    {
        eval { $session->quit };
    }
}

my %modes = (
    append => q{SELECT replayed, rows_inserted, rows_updated, rows_deleted
        FROM intake.upload('loaded', (SELECT body FROM payload),
            mode => 'append', operation => '%s')},
    merge => q{SELECT replayed, rows_inserted, rows_updated, rows_deleted
        FROM intake.upload('loaded', (SELECT body FROM payload),
            mode => 'merge', operation => '%s')},
    replace => q{SELECT replayed, rows_inserted, rows_updated, rows_deleted
        FROM intake.upload('loaded', (SELECT keyed FROM payload),
            mode => 'replace', options => '{"key": ["k"]}',
            operation => '%s')});
my $number = 0;

foreach my $mode (sort keys %modes)
{
    my $uuid = sprintf('00000000-0000-4000-8000-00000000020%d', ++$number);
    my $upload = sprintf($modes{$mode}, $uuid);

    note("mode $mode");
    kill_while_loading($upload, $uuid);
    is($node->safe_psql('postgres', $state),
        $before, 'after recovery the rows are not there');
    is(status_of($uuid), 'unknown', 'and the operation never happened');
    is( $node->safe_psql(
            'postgres', q{SELECT count(*) FROM pg_locks WHERE objsubid > 2}),
        '0',
        'the claim is free');

    is($node->safe_psql('postgres', $upload),
        'f|49999|0|0', 'the UUID runs again');
    is($node->safe_psql('postgres', $upload),
        't|49999|0|0', 'once more is a replay');
    is($node->safe_psql('postgres', $state),
        '50000|before,new', 'the rows are there once');
    is(status_of($uuid), 'succeeded', 'the operation has succeeded');

    # The same crash under another UUID, behind a commit.
    $node->safe_psql('postgres', q{DELETE FROM loaded WHERE note = 'new'});
    my $next = sprintf('00000000-0000-4000-8000-00000000021%d', $number);
    kill_while_loading(sprintf($modes{$mode}, $next), $next);
    is($node->safe_psql('postgres', $upload),
        't|49999|0|0', 'what was committed is a replay after the crash');
    is($node->safe_psql('postgres', $state),
        $before, 'and the replay writes nothing');
}

# The whole server stops without a checkpoint.
my $last = sprintf($modes{append}, '00000000-0000-4000-8000-000000000220');
is($node->safe_psql('postgres', $last), 'f|49999|0|0', 'an upload');
$node->stop('immediate');
$node->start;
is($node->safe_psql('postgres', $last),
    't|49999|0|0', 'a replay after an immediate shutdown');
is($node->safe_psql('postgres', $state), '50000|before,new',
    'with its rows there once');

$node->stop;
done_testing();
