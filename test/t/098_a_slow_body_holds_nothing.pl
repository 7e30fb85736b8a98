# While a loader waits for more of a body that it has not begun to write, it
# has no snapshot, no XID and no lock on the target: others read, vacuum, index
# and alter it meanwhile.  Bytes are sent over a plain socket, which can stop
# in the middle of a body as no HTTP client does.

use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use lib "$FindBin::RealBin/../lib";
use IntakeGateway;
use IntakeSocket;

my ($node, $base) =
    make_gateway('slow', "pg_intake.table_lock_timeout = '100ms'");

start_gateway($node, $base, q{
    CREATE TABLE words AS SELECT 'x' AS word;
    GRANT SELECT ON words TO writer;
    CREATE FUNCTION allowed() RETURNS text LANGUAGE sql STABLE
        AS 'SELECT string_agg(word, '','') FROM public.words';
    CREATE DOMAIN word AS text CHECK (VALUE <> allowed());
    CREATE TABLE rows (id int PRIMARY KEY, v word DEFAULT 'none', n int);
    CREATE TABLE days (id int, v text, n int) PARTITION BY RANGE (id);
    CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM (0) TO (5000);
    CREATE TABLE days_2 PARTITION OF days FOR VALUES FROM (5000) TO (90000);
    ALTER TABLE days ADD PRIMARY KEY (id);
    CREATE TABLE shown (id int, v text DEFAULT 'none', n int);
    CREATE VIEW seen AS SELECT id, v, n FROM shown;
    GRANT ALL ON rows, days, shown, seen TO writer;
    SELECT intake.register_table('rows', replacing_key => '{n}');
    SELECT intake.register_table('days');
    SELECT intake.register_table('seen', kind => 'proxy', mode => 'append')});

my $half = 9000;
my $count = 2 * $half;
my $answers = 0;

sub lines
{
    return join('', map { qq({"id": $_, "n": 7}\n) } @_);
}

# Sends the head, and all of the body but its last part.
sub begin_body
{
    my ($path, $first, $rest, @headers) = @_;
    my $length = length($first) + length($rest);
    my $type = $first =~ /^\[/ ? 'application/json' : 'application/x-ndjson';

    return send_part($base, "POST /v1/tables/public/$path HTTP/1.1\r\n"
        . "Host: localhost\r\nConnection: close\r\n"
        . join('', map { "$_\r\n" } "Content-Type: $type", @headers)
        . "Content-Length: $length\r\n\r\n$first");
}

sub end_body
{
    my ($socket, $rest) = @_;

    print $socket $rest;
    return read_answer($socket);
}

# The loader that waits for more, once it has taken all that there is.
sub waiting_loader
{
    my ($pid, $before, $times) = ('', '', 0);

    wait_for(
        'a loader waits',
        sub {
            $pid = $node->safe_psql(
                'postgres', q{
                SELECT pid FROM pg_stat_activity
                WHERE backend_type = 'pg_intake loader'
                    AND state = 'active' AND wait_event = 'Extension'});
            $times = $pid ne '' && $pid eq $before ? $times + 1 : 0;
            $before = $pid;
            return $times == 3;
        });
    return $pid;
}

# What it holds: its claim of the operation, and the extension itself.
sub held
{
    my ($pid) = @_;

    return $node->safe_psql(
        'postgres', qq{
        SELECT backend_xmin IS NOT NULL, backend_xid IS NOT NULL,
            (SELECT string_agg(DISTINCT coalesce(relation::regclass::text,
                    CASE locktype WHEN 'object' THEN classid::regclass::text
                    ELSE locktype || ' ' || objsubid END), ' ')
                FROM pg_locks WHERE pid = $pid AND locktype <> 'virtualxid')
        FROM pg_stat_activity WHERE pid = $pid});
}

sub sql
{
    return $node->safe_psql('postgres', $_[0]);
}

my $first = lines(1 .. $half);
my $rest = lines($half + 1 .. $count);
my $claim = sql(q{SELECT 'advisory ' || (SELECT objsubid FROM pg_locks
    WHERE pid = pg_backend_pid() AND locktype = 'advisory')
    FROM intake.upload('shown', '') u});


# Sends the first part, does what there is to do during the wait, and sends
# the rest; returns the answer.
sub upload_slowly
{
    my ($path, $first, $rest, $meanwhile, @headers) = @_;
    my $socket = begin_body($path, $first, $rest, @headers);

    $meanwhile->(waiting_loader());
    return end_body($socket, $rest);
}

# A sequence's first number, and some later ones, take an XID: so the next
# operation's would.
sql('CHECKPOINT');

my $bad = qq({"id": "bad"}\n);

foreach my $case (
    [ 'merge', 'rows', '?mode=merge' ],
    [ 'replace', 'rows', '?mode=replace' ],
    [ 'append of one batch', 'shown', '', 'seen/operations' ],
    [ 'merge into partitions', 'days', '' ],
    [ 'merge of bad records', 'rows', '?mode=merge&max_errors=10' ],
    [ 'truncate', 'rows', '?mode=append&truncate=true' ],
    [ 'fast truncate', 'rows', '?mode=append&truncate=fast' ],
    [ 'dry run', 'rows', '?mode=merge&dry_run=true' ])
{
    my ($name, $table, $options, $path) = @$case;
    my ($status, $rows) = $options =~ /dry_run/ ? (200, 0) : (201, $count);
    my ($head, $tail) = ($first, $rest);

    ($head, $tail) = ("$bad$first", "$rest$bad") if $options =~ /max_errors/;
    ($head, $tail, $rows) = (lines(1 .. 9000), lines(9001), 9001)
        if $name =~ /one batch/;
    sql("TRUNCATE $table");
    my ($got, $headers, $body) = upload_slowly(
        ($path // "$table/operations") . $options, $head, $tail,
        sub {
            is(held($_[0]), "f|f|$claim intake.entity pg_extension",
                "$name: nothing is held during a wait");

            # Each would wait for a lock, a snapshot or a transaction's end.
            sql("SET lock_timeout = '10s'; BEGIN;
                LOCK TABLE $table IN ACCESS EXCLUSIVE MODE; COMMIT");
            return if $table eq 'days';
            sql("SET lock_timeout = '10s'; VACUUM ANALYZE $table");
            sql("CREATE INDEX CONCURRENTLY further ON $table (n)");
            sql('DROP INDEX further');
        });
    is($got, $status, "$name: the rest goes in") or diag(explain($body));
    is(sql("SELECT count(*) FROM $table"), $rows, "$name: so all is there");
}

sql("TRUNCATE rows; INSERT INTO rows VALUES (1), (2), (3)");
my $ids = '[[1], [2]' . ', [5]' x 30000;
my ($status, $headers, $body) = upload_slowly(
    'rows/delete-partitions?key=id', $ids, ']',
    sub { like(held($_[0]), qr/^f\|f\|/, 'an array holds nothing either') });
is("$status $body->{rows_deleted}", '201 2', 'and does its work');

my $key = 'Idempotency-Key: 7e0c7c4e-3c0b-4c9e-9d57-0d3f2b8f6a12';
my @again = ('rows/operations?mode=merge', $first, $rest);
foreach my $expected (201, 200)
{
    ($status) = upload_slowly(@again,
        sub {
            is(held($_[0]), "f|f|$claim intake.entity pg_extension",
                "$expected: nothing is held");
        }, $key);
    is($status, $expected, 'a repeat is read to its end too');
}

# What goes on when a lock is not to be had, as before

my $locker = $node->background_psql('postgres');
($status, $headers, $body) = upload_slowly(@again,
    sub { $locker->query_safe('BEGIN; LOCK TABLE rows'); });
is("$status $body->{sqlstate}", '423 55P03',
    'a table that is locked meanwhile is waited for, but not long');
$locker->query_safe('ROLLBACK');
$locker->quit;

# What is changed meanwhile

foreach my $case (
    [ 'a new column', 'ALTER TABLE rows ADD COLUMN x int', '503 40001' ],
    [ 'a default', 'ALTER TABLE rows ALTER x SET DEFAULT 5', '503 40001' ],
    [ 'a column less', 'ALTER TABLE rows DROP COLUMN x', '503 40001' ],
    [ 'another name', 'ALTER TABLE rows RENAME TO raws;
        ALTER TABLE shown RENAME TO rows', '503 40001' ],
    [ undef, 'ALTER TABLE rows RENAME TO shown;
        ALTER TABLE raws RENAME TO rows' ],
    [ 'another key', 'ALTER TABLE rows DROP CONSTRAINT rows_pkey,
        ADD PRIMARY KEY (n, id)', '503 40001' ],
    [ 'no key', 'ALTER TABLE rows DROP CONSTRAINT rows_pkey', '409 55000' ],
    [ undef, 'ALTER TABLE rows ADD PRIMARY KEY (id)' ],
    [ 'no table', 'DROP TABLE rows', '503 40001' ])
{
    my ($name, $change, $expected) = @$case;

    sql($change), next if !defined $name;
    ($status, $headers, $body) = upload_slowly(@again,
        sub { sql("SET lock_timeout = '10s'; $change"); });
    is("$status $body->{sqlstate}", $expected, "$name while the body comes")
        or diag(explain($body));
}
($status) = curl('--data-binary' => '{"id": 1}',
    -H => 'Content-Type: application/x-ndjson',
    "$base/v1/tables/public/rows/operations");
is($status, 404, 'and who repeats it is told that there is none');

$node->stop;
done_testing();
