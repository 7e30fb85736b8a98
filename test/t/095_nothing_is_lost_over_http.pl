# Clients that die at random points of HTTP/1.1 and HTTP/2, and SIGKILL to the HTTP program, a loader
# and the server during uploads: what was promised is there, whatever else is
# not, and a retry with the same UUID never doubles.

use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use lib "$FindBin::RealBin/../lib";
use IntakeGateway;
use IntakeSocket;

my ($node, $base) = make_gateway('kill', q{
    restart_after_crash = on
    pg_intake.log_requests = 'none'
    pg_intake.max_queue = 1000
    pg_intake.max_loaders = 6});

start_gateway($node, $base, q{
    CREATE TABLE t (client int, line int);
    GRANT ALL ON t TO writer;
    SELECT intake.register_table('t');
    CREATE TABLE slow (line int);
    GRANT ALL ON slow TO writer;
    SELECT intake.register_table('slow')});

my $seed = $ENV{INTAKE_SEED} // time;
note("INTAKE_SEED=$seed");
srand($seed);

# How many clients die: INTAKE_HTTP_DEATHS.  What they send is cut anywhere,
# one of ten times in its head, and where HTTP/2 is spoken some do not leave but
# reset the stream.
my $clients = $ENV{INTAKE_HTTP_DEATHS} // 120;
my $lines = 400;
my $path = '/api/v1/datamarts/public/entities/t/upload';
my @forms = ('HTTP/1.1, length', 'HTTP/1.1, chunked', 'HTTP/2', 'HTTP/2, reset');
my (@payload, @sent, @keeps);

sub uuid
{
    return sprintf('00000000-0000-4000-8000-%012d', $_[0]);
}

sub form_of
{
    my ($client) = @_;

    return $forms[ (0, 1, 2, 0, 1, 3)[ $client % 6 ] ];
}

# The head and the body of a request, of which the body is cut.
sub request_of
{
    my ($client, $cut) = @_;
    my $form = form_of($client);
    my $target = $path . ($keeps[$client] ? '?commitOnDisconnect=true' : '');
    my @fields = ('Content-Type: application/x-ndjson',
        'Idempotency-Key: ' . uuid($client));
    my $sent = substr($payload[$client], 0, $cut);
    my $length = length $payload[$client];

    if ($form =~ m{HTTP/2})
    {
        my $frames = join('', map { http2_frame(0, 0, 1, $_) }
                $sent =~ /(.{1,1500})/gs);

        # the last frame says that there is more of it than comes
        $frames .= substr(http2_frame(0, 0, 1, 'x' x 100), 0, 9)
            if $form !~ /reset/;
        $frames .= http2_frame(3, 0, 1, pack('N', 8)) if $form =~ /reset/;
        return (http2_head('POST', $target, @fields), $frames);
    }
    return (join("\r\n", "POST $target HTTP/1.1", 'Host: localhost', @fields,
            $form =~ /chunked/ ? 'Transfer-Encoding: chunked' :
            "Content-Length: $length", '', ''),
        ($form =~ /chunked/ ? sprintf("%x\r\n", $length) : '') . $sent);
}

sub count_rows
{
    return map { split /\|/ } split /\n/, $node->safe_psql('postgres',
        q{SELECT client, count(*) FROM t GROUP BY client});
}

# The clients, of those, of whom there is not what the code says.
sub find_wrong
{
    my ($code, @of) = @_;
    my %rows = count_rows();

    return join(', ', map { "$_ (" . form_of($_) . ", keeps $keeps[$_]): "
                . ($rows{$_} // 0) . ' rows, not ' . $code->($_) }
            grep { ($rows{$_} // 0) != $code->($_) } @of);
}

sub count_lines
{
    return scalar(() = $sent[ $_[0] ] =~ /\n/g);
}

my (@begun, @unheard, @connections);
foreach my $client (0 .. $clients - 1)
{
    $payload[$client] = join('', map { "[$client, $_]\n" } 1 .. $lines);
    $keeps[$client] = int($client / 6) % 2;

    my $cut = 1 + int(rand(length($payload[$client]) - 1));
    my ($head, $body) = request_of($client, $cut);

    $sent[$client] = substr($payload[$client], 0, $cut);
    if (rand() < 0.1)
    {
        $head = substr($head, 0, 1 + int(rand(length($head) - 1)));
        $body = $sent[$client] = '';
    }
    push @{ $body eq '' ? \@unheard : \@begun }, $client;

    my $socket = send_part($base, $head, $body);
    # a client that resets its stream stays connected
    if ($body ne '' && form_of($client) =~ /reset/)
    {
        push @connections, $socket;
    }
    else
    {
        close($socket);
    }
}
my $begun = @begun;
$node->poll_query_until('postgres', qq{SELECT count(*) = $begun
    FROM intake.operations}) or die;
pass("each of $begun that had begun is on record");
note(join(', ', map { my $form = $_;
            "$form: " . grep { form_of($_) eq $form } @begun } @forms)
        . ', in the head: ' . @unheard);
is(find_wrong(sub { $keeps[ $_[0] ] ? count_lines($_[0]) : 0 },
        0 .. $clients - 1), '', 'exactly the rows that were promised are there');
my $kept = grep { $keeps[$_] } @begun;
is($node->safe_psql('postgres', q{SELECT status, partial, count(*)
    FROM intake.operations GROUP BY 1, 2 ORDER BY 1}),
    'failed|f|' . ($begun - $kept) . "\nsucceeded|t|$kept",
    'as failures and parts');
is($node->safe_psql('postgres', q{SELECT DISTINCT error->>'message'
    FROM intake.operations}),
    'the client has gone before the end of the body', 'with the reason');
is($node->safe_psql('postgres', q{SELECT string_agg(format('%s %s', operation,
        bytes_received), ' ' ORDER BY operation)
    FROM intake.operations WHERE partial}),
    join(' ', map { uuid($_) . ' ' . length($sent[$_]) }
            sort { $a <=> $b } grep { $keeps[$_] } @begun),
    'and how much had come');

my $scratch = PostgreSQL::Test::Utils::tempdir();
my @retried = (@unheard, grep { $_ % 10 < 4 } @begun);
close($_) foreach @connections;
foreach my $client (@retried)
{
    my $file = write_file("$scratch/payload", $payload[$client]);

    curl(form_of($client) =~ m{HTTP/2} ? '--http2-prior-knowledge' : '--http1.1',
        -H => 'Content-Type: application/x-ndjson',
        -H => 'Idempotency-Key: ' . uuid($client),
        '--data-binary' => "\@$file", "$base$path") for 1 .. 2;
}
is(find_wrong(sub { my ($client) = @_;
            $keeps[$client] && $sent[$client] ne '' ? count_lines($client) :
                $lines }, @retried), '',
    'a retry writes what had failed, and nothing twice');

# --- curl that is killed

# How much of it has come nobody knows but the record.
my $killed = int($clients / 10);
my @killed = ($clients .. $clients + $killed - 1);
foreach my $client (@killed)
{
    my $target = "$base$path";
    my $protocol = (form_of($client) =~ m{HTTP/2}) ? '--http2-prior-knowledge'
        : '--http1.1';

    $payload[$client] = join('', map { "[$client, $_]\n" } 1 .. 10000);
    $keeps[$client] = int($client / 6) % 2;
    $target .= '?commitOnDisconnect=true' if $keeps[$client];
    my $pid = open(my $pipe, '|-', 'curl', '-s', '-o', '/dev/null', $protocol,
        '-X', 'POST', '-T', '-', '-H', 'Content-Type: application/x-ndjson',
        '-H', 'Idempotency-Key: ' . uuid($client), $target) or die;
    syswrite($pipe, $payload[$client], 1 + int(rand(length $payload[$client])));
    select(undef, undef, undef, rand(0.1));
    kill('KILL', $pid);
    close($pipe);
}
wait_for('all has been dealt with', sub {
        my (undef, undef, $metrics) = curl("$base/metrics");
        return $metrics =~ /^pg_intake_http_queue 0$/m
            && $metrics =~ /^pg_intake_loaders_busy 0$/m
            && $metrics =~ /^pg_intake_http_connections 1$/m });
my %came = map { split /\|/ } split /\n/, $node->safe_psql('postgres',
    q{SELECT right(operation::text, 12)::int, bytes_received
    FROM intake.operations});
$sent[$_] = substr($payload[$_], 0, $came{$_} // 0) foreach @killed;
note(scalar(@killed) . ' killed, '
    . (grep { defined $came{$_} } @killed) . ' of them on record');
is(find_wrong(sub { $keeps[ $_[0] ] ? count_lines($_[0]) : 0 }, @killed), '',
    'of a client that is killed there is what was promised');
foreach my $client (@killed)
{
    my $file = write_file("$scratch/payload", $payload[$client]);

    curl(-H => 'Content-Type: application/x-ndjson',
        -H => 'Idempotency-Key: ' . uuid($client),
        '--data-binary' => "\@$file", "$base$path") for 1 .. 2;
}
is(find_wrong(sub { my ($client) = @_;
            $keeps[$client] && defined $came{$client} ? count_lines($client) :
                10000 }, @killed), '', 'and a retry does not double it');

# --- SIGKILL during an upload

my $started = 'SELECT pg_postmaster_start_time()';
my $loading = q{SELECT pid FROM pg_stat_activity
    WHERE backend_type = 'pg_intake loader' AND state = 'active'};
my $url = "$base/v1/tables/public/slow/operations";
my $whole = join('', map { "[$_]\n" } 1 .. 60000);

# Sends most of an upload, kills what the code kills, and sends it again.
sub kill_and_retry
{
    my ($what, $n, $code) = @_;
    my $operation = uuid($n);
    my $socket = send_part($base,
        "PUT /v1/tables/public/slow/operations/$operation HTTP/1.1\r\n"
        . "Host: localhost\r\nContent-Type: application/x-ndjson\r\n"
        . 'Content-Length: ' . length($whole) . "\r\n\r\n"
        . substr($whole, 0, 200000));
    my $loader;

    wait_for('a loader is at work',
        sub { $loader = $node->safe_psql('postgres', $loading) });
    $code->($loader);
    close($socket);
    wait_for_gateway($base);
    is($node->safe_psql('postgres', 'SELECT count(*) FROM slow'),
        60000 * ($n - 1000), "$what: nothing of it is there");
    my $file = write_file("$scratch/whole", $whole);
    my $status;
    wait_for('the retry', sub {
            ($status) = curl(-H => 'Content-Type: application/x-ndjson',
                -T => $file, "$url/$operation");
            return $status == 201 });
    ($status) = curl(-H => 'Content-Type: application/x-ndjson',
        -T => $file, "$url/$operation");
    is("$status " . $node->safe_psql('postgres', 'SELECT count(*) FROM slow'),
        '200 ' . 60000 * ($n - 999), "$what: a retry writes it once");
    return;
}

my $before = $node->safe_psql('postgres', $started);
kill_and_retry('SIGKILL to the program', 1000,
    sub {
        kill('KILL', program_pid($node));
    });
is($node->safe_psql('postgres', $started), $before,
    'the server has not restarted');
kill_and_retry('SIGKILL to a loader', 1001,
    sub {
        my ($loader) = @_;
        my $log = -s $node->logfile;

        # Nothing may connect before the server is back: a client that is
        # refused closes its pipe under the query.
        kill('KILL', $loader);
        $node->wait_for_log(
            qr/reinitializing.*database system is ready to accept connections/s,
            $log);
    });
kill_and_retry('SIGKILL to the server', 1002,
    sub {
        my ($loader) = @_;

        kill('KILL', $node->{_pid});
        $node->{_pid} = undef;
        wait_for('its processes are gone', sub { !kill(0, $loader) });
        wait_for('a start', sub { $node->start(fail_ok => 1) });
    });

$node->stop;
done_testing();
