# The messages of COPY FROM STDIN, in and out of order, in bytes over a socket,
# since drivers send none of the odd ones: our COPY answers as core's does.
# And what a client that is slow holds meanwhile.

use strict;
use warnings;

use IO::Socket::UNIX;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('protocol');
$node->init(extra => [ '--no-locale', '--encoding=UTF8' ]);
$node->append_conf('postgresql.conf',
    "fsync = off\nsession_preload_libraries = 'pg_intake'\n");
$node->start;
$node->safe_psql(
    'postgres', q{
    CREATE EXTENSION pg_intake;
    CREATE TABLE loaded (id int PRIMARY KEY, note text);
    SELECT * FROM intake.upload('loaded', '')});

my $core = 'COPY loaded FROM STDIN (FORMAT csv)';
my $ours = 'COPY loaded FROM STDIN (FORMAT csv, MODE append)';
my $user = getpwuid($<);

#
# A client
#

sub message
{
    my ($type, $body) = @_;

    return $type . pack('N', length($body) + 4) . $body;
}

# The next message: type and body; nothing at the end.
sub receive
{
    my ($socket) = @_;
    my ($head, $body) = ('', '');

    while (length($head) < 5)
    {
        return () unless sysread($socket, $head, 5 - length($head),
            length($head));
    }
    my $length = unpack('N', substr($head, 1)) - 4;
    while (length($body) < $length)
    {
        return () unless sysread($socket, $body, $length - length($body),
            length($body));
    }
    return (substr($head, 0, 1), $body);
}

# What is told of a message: its type, and what is to be the same with core.
sub describe
{
    my ($type, $body) = @_;

    return "$type $1" if $type eq 'E' && $body =~ /\0C(\w{5})\0/;
    return 'C ' . substr($body, 0, -1) if $type eq 'C';
    return "$type $body" if $type eq 'Z' || $type eq 'D';
    return $type;
}

# The messages up to one of a type, or to the end; notices are left out.
sub receive_until
{
    my ($socket, $last) = @_;
    my @all;

    while (my ($type, $body) = receive($socket))
    {
        next if $type eq 'N' || $type eq 'S' || $type eq 'K';
        push @all, describe($type, $body);
        return @all if $type eq $last;
    }
    return (@all, 'EOF');
}

sub transmit
{
    my ($socket, @messages) = @_;

    local $SIG{PIPE} = 'IGNORE';
    my $bytes = join('', @messages);
    while (length($bytes) > 0)
    {
        my $written = syswrite($socket, $bytes);
        return unless $written;
        substr($bytes, 0, $written) = '';
    }
}

# A session; its process id too.
sub open_session
{
    my $socket = IO::Socket::UNIX->new(
        Peer => $node->host . '/.s.PGSQL.' . $node->port)
      or die "connect: $!";
    my $body = pack('N', 196608)
      . "user\0$user\0database\0postgres\0application_name\0raw\0\0";
    my $pid;

    transmit($socket, pack('N', length($body) + 4) . $body);
    while (my ($type, $answer) = receive($socket))
    {
        $pid = unpack('N', $answer) if $type eq 'K';
        die $answer if $type eq 'E';
        return ($socket, $pid) if $type eq 'Z';
    }
    die 'no answer';
}

sub query { return message('Q', "$_[0]\0"); }
sub data { return message('d', $_[0]); }
my $done = message('c', '');
my $sync = message('S', '');
my $flush = message('H', '');

sub extended
{
    return message('P', "\0$_[0]\0\0\0")
      . message('B', "\0\0\0\0\0\0\0\0")
      . message('E', "\0\0\0\0\0") . $sync;
}

#
# The same messages to both
#

# Each case: what is sent after CopyInResponse, for how it ends, whether the
# extended protocol begins it.
my @cases = (
    [ 'rows', [ data("1,a\n2,b\n"), $done ], 'Z' ],
    [ 'no rows', [$done], 'Z' ],
    [
        'messages that cut records',
        [ map({ data($_) } split(//, "1,a\n22,\"b\n\"\n")), $done ], 'Z'
    ],
    [
        'empty messages, Flush and Sync between',
        [ data(''), data('1'), $flush, data(''), $sync, data(",a\n"), $done ],
        'Z'
    ],
    [ 'CopyFail', [ data("1,a\n"), message('f', "no more\0") ], 'Z' ],
    [ 'CopyFail at once', [ message('f', "no\0") ], 'Z' ],
    [
        'bad data, and more data behind',
        [ data("x,a\n"), map({ data("$_,b\n") } 1 .. 20_000), $done ], 'Z'
    ],
    [ 'bad data, then nothing', [ data("x,a\n") ], 'Z' ],
    [ 'a key twice', [ data("1,a\n1,b\n"), $done ], 'Z' ],
    [ 'a query out of place', [ data("1,a\n"), query('SELECT 1') ], 'EOF' ],
    [ 'a type that is none', [ message('?', 'abc') ], 'EOF' ],
    [ 'a length that is none', [ data("1,a\n"), 'd' . pack('N', 3) ], 'EOF' ],
    [ 'a negative length', [ 'd' . pack('N', 0xfffffff0) ], 'EOF' ],
    [ 'a length beyond the limit', [ 'd' . pack('N', 0x7ffffff0) ], 'EOF' ],
    [
        'a CopyFail beyond the limit',
        [ message('f', ('x' x 20_000) . "\0") ], 'EOF'
    ],
    [ 'Terminate out of place', [ data("1,a\n"), message('X', '') ], 'EOF' ],
    [ 'extended: rows', [ data("1,a\n2,b\n"), $done, $sync ], 'Z', 1 ],
    [
        'extended: bad data',
        [ data("x,a\n"), data("1,a\n"), $done, $sync ], 'Z', 1
    ],
    [
        'extended: CopyFail', [ data("1,a\n"), message('f', "x\0"), $sync ],
        'Z', 1
    ],
    [
        'extended: two commands',
        [
            data("1,a\n"), $done, $sync, extended('SELECT 1'),
        ],
        'Z', 1
    ]);

sub run_case
{
    my ($copy, $messages, $last, $is_extended) = @_;
    my ($socket) = open_session();
    my @answer;

    transmit($socket, $is_extended ? extended($copy) : query($copy));
    @answer = receive_until($socket, 'G');
    transmit($socket, @$messages);
    push @answer, receive_until($socket, $last);
    if ($last eq 'Z')
    {
        transmit($socket, query('SELECT 42'));
        push @answer, receive_until($socket, 'C');
    }
    close($socket);
    return (
        @answer,
        $node->safe_psql(
            'postgres', 'SELECT * FROM loaded; TRUNCATE loaded'));
}

foreach my $case (@cases)
{
    my ($name, @arguments) = @$case;
    my @by_core = run_case($core, @arguments);
    my @by_ours = run_case($ours, @arguments);

    is_deeply(\@by_ours, \@by_core, "$name: @by_core");
}

# What is refused is refused before the client is asked for data.
my ($socket, $pid) = open_session();
transmit($socket,
    query('COPY loaded FROM STDIN (FORMAT ndjson, MODE none)'));
is_deeply([ receive_until($socket, 'Z') ],
    [ 'E 22023', 'Z I' ], 'no CopyInResponse to a bad request');
transmit($socket, query('COPY loaded FROM STDIN (FORMAT ndjson)'));
is(unpack('H*', (receive($socket))[1]),
    '0100010001', 'CopyInResponse announces one binary column');

# The client of a COPY is gone: an error, and nothing stays.
sub wait_for_read
{
    my ($waiting) = @_;

    $node->poll_query_until(
        'postgres', qq{
        SELECT state = 'active' AND wait_event = 'ClientRead'
        FROM pg_stat_activity WHERE pid = $waiting})
      or die 'the backend does not wait for its client';
}

my $log = -s $node->logfile;
transmit($socket, data("[1, \"lost\"]\n"));
wait_for_read($pid);
close($socket);
$node->wait_for_log(
    qr/ERROR:.* unexpected EOF on client connection with an open transaction/,
    $log);
$node->poll_query_until('postgres',
    "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $pid");
is($node->safe_psql('postgres', 'SELECT count(*) FROM loaded'),
    '0', 'a lost connection leaves no row');

#
# Interrupts while the client is waited for
#

foreach my $copy ($core, $ours)
{
    my $name = $copy eq $core ? 'core' : 'ours';

    ($socket, $pid) = open_session();
    transmit($socket, query($copy), data("1,a\n"));
    wait_for_read($pid);
    $node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
    transmit($socket, data("2,b\n"), data("3,c\n"), $done);
    is_deeply(
        [ receive_until($socket, 'Z') ],
        [ 'G', 'E 57014', 'Z I' ],
        "$name: a cancel is seen with the next message");

    transmit($socket, query(q{SET statement_timeout = '1ms'}));
    receive_until($socket, 'Z');
    transmit($socket, query($copy), data("1,a\n"));
    wait_for_read($pid);
    $node->poll_query_until(
        'postgres', qq{
        SELECT clock_timestamp() - query_start > '20ms'
        FROM pg_stat_activity WHERE pid = $pid});
    transmit($socket, data("2,b\n"), $done);
    is_deeply(
        [ receive_until($socket, 'Z') ],
        [ 'G', 'E 57014', 'Z I' ],
        "$name: so is statement_timeout");

    transmit($socket, query('RESET statement_timeout'));
    receive_until($socket, 'Z');
    transmit($socket, query($copy), data("1,a\n"));
    wait_for_read($pid);
    $node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
    is_deeply(
        [ receive_until($socket, 'Z') ],
        [ 'G', 'E 57P01', 'EOF' ],
        "$name: pg_terminate_backend does not wait");
    close($socket);
}

#
# A slow client holds no snapshot where none has to last, and no lock on the
# target while nothing has been written
#

my $merge = 'COPY loaded FROM STDIN (FORMAT ndjson, MODE merge)';
my $held = 'SELECT backend_xmin IS NOT NULL FROM pg_stat_activity WHERE pid = ';

# A sequence's first number takes an XID, which holds back vacuum as well.
$node->safe_psql('postgres', 'CHECKPOINT');

($socket, $pid) = open_session();
transmit($socket, query($merge), data(qq{[1, "merged"]\n[2, "merged"]\n}));
wait_for_read($pid);
is($node->safe_psql('postgres', $held . $pid), 'f',
    'a merge that waits for its client holds no snapshot');
is($node->safe_psql('postgres', qq{
    SELECT backend_xid IS NULL, (SELECT count(*) FROM pg_locks l
        WHERE l.pid = a.pid AND relation = 'loaded'::regclass)
    FROM pg_stat_activity a WHERE pid = $pid}), 't|0',
    'nor an XID, nor the target');
$node->safe_psql('postgres', q{INSERT INTO loaded VALUES (1, 'meanwhile')});
transmit($socket, data(qq{[3, "merged"]\n}), $done);
is_deeply(
    [ receive_until($socket, 'Z') ],
    [ 'G', 'C COPY 3', 'Z I' ],
    'it goes on with another one');
is($node->safe_psql('postgres', 'SELECT * FROM loaded ORDER BY id'),
    "1|merged\n2|merged\n3|merged", 'and sees the rows of the time between');

# In a savepoint, from which an error goes back.
foreach my $command ('BEGIN', 'SAVEPOINT s')
{
    transmit($socket, query($command));
    receive_until($socket, 'Z');
}
foreach my $row (qq{[5, "five"]\n}, qq{["five", 5]\n}, qq{[6, "six"]\n})
{
    transmit($socket, query($merge), data($row), $done);
    my @answer = receive_until($socket, 'Z');
    is_deeply(
        \@answer,
        $row =~ /5\]/ ? [ 'G', 'E 22P02', 'Z E' ] : [ 'G', 'C COPY 1', 'Z T' ],
        "in a savepoint: @answer");
    next if $row =~ /six/;
    transmit($socket, query('ROLLBACK TO s'));
    receive_until($socket, 'Z');
}
transmit($socket, query('COMMIT'));
receive_until($socket, 'Z');
is($node->safe_psql('postgres', 'SELECT id FROM loaded WHERE id > 3'),
    '6', 'what was rolled back is not there');

transmit($socket, query('BEGIN ISOLATION LEVEL REPEATABLE READ'));
receive_until($socket, 'Z');
transmit($socket, query($merge), data(qq{[1, "later"]\n}));
wait_for_read($pid);
is($node->safe_psql('postgres', $held . $pid),
    't', 'in REPEATABLE READ it keeps its snapshot');
$node->safe_psql('postgres', q{INSERT INTO loaded VALUES (4, 'meanwhile')});
transmit($socket, data(qq{[4, "later"]\n}), $done);
is_deeply(
    [ receive_until($socket, 'Z') ],
    [ 'G', 'E 40001', 'Z E' ],
    'and does not write over rows that it cannot see');
close($socket);

#
# What others do meanwhile that the table's definition does not show
#

$node->safe_psql('postgres',
    'CREATE ROLE writer; GRANT USAGE ON SCHEMA intake TO writer');

# Each case: what is done, the options, how the COPY ends, what is there then.
foreach my $case (
    [
        'a stricter domain', 'ALTER DOMAIN digit ADD CHECK (VALUE > 0)',
        'MODE merge', 'E 40001', '7|7'
    ],
    [
        'one that it is over', 'ALTER DOMAIN base ADD CHECK (VALUE <> 0)',
        'MODE append', 'E 40001', '7|7'
    ],
    [
        'a domain without NULL', 'ALTER DOMAIN digit SET NOT NULL',
        'MODE append', 'E 40001', '7|7'
    ],
    [
        'a domain that is less strict', 'ALTER DOMAIN digit DROP CONSTRAINT max',
        'MODE append', 'C COPY 3', "7|7\n1|0\n2|\n3|3"
    ],
    [
        'another domain', 'ALTER DOMAIN other ADD CHECK (VALUE > 5)',
        'MODE append', 'C COPY 3', "7|7\n1|0\n2|\n3|3"
    ],
    [
        'another schema of that name',
        'ALTER SCHEMA held RENAME TO gone; ALTER SCHEMA held2 RENAME TO held',
        'MODE append, TRUNCATE true', 'E 40001', '8|8'
    ],
    [
        'another tree of partitions',
        'ALTER TABLE top ATTACH PARTITION middle FOR VALUES FROM (0) TO (9)',
        'MODE append', 'E 40001', '7|7'
    ],
    [
        'a right that is gone', 'REVOKE SELECT ON target FROM writer',
        'MODE merge, MAX_ERRORS 3', 'E 42501', '7|7'
    ],
    [
        'a policy', 'ALTER TABLE target ENABLE ROW LEVEL SECURITY',
        'MODE append', 'E 42501', '7|7'
    ])
{
    my ($name, $change, $options, $end, $rows) = @$case;

    $node->safe_psql(
        'postgres', q{
        SET client_min_messages = warning;
        DROP SCHEMA IF EXISTS held, held2, gone CASCADE;
        CREATE SCHEMA held;
        CREATE SCHEMA held2;
        CREATE TABLE held2.target AS SELECT 8 AS id, 8 AS n;
        SET search_path = held;
        CREATE DOMAIN base AS int;
        CREATE DOMAIN digit AS base CONSTRAINT max CHECK (VALUE < 10);
        CREATE DOMAIN other AS int;
        CREATE TABLE top (id int, n digit) PARTITION BY RANGE (id);
        CREATE TABLE middle (id int, n digit) PARTITION BY RANGE (id);
        CREATE TABLE target PARTITION OF middle FOR VALUES FROM (0) TO (9);
        ALTER TABLE target ADD PRIMARY KEY (id);
        INSERT INTO target VALUES (7, 7);
        GRANT USAGE ON SCHEMA held TO writer;
        GRANT ALL ON target TO writer});
    ($socket, $pid) = open_session();
    transmit($socket, query('SET ROLE writer'));
    receive_until($socket, 'Z');
    transmit($socket,
        query("COPY held.target FROM STDIN (FORMAT ndjson, $options)"),
        data("[1, 0]\n[2, null]\n"));
    wait_for_read($pid);
    $node->safe_psql('postgres',
        "SET search_path = held; SET lock_timeout = '10s'; $change");
    transmit($socket, data("[3, 3]\n"), $done);
    is_deeply([ receive_until($socket, 'Z') ],
        [ 'G', $end, 'Z I' ], "$name while the client is waited for");
    close($socket);
    is($node->safe_psql('postgres', 'SELECT * FROM held.target'),
        $rows, "$name: what is there");
}

$node->stop;
done_testing();
