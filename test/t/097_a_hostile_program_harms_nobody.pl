# The HTTP program is what the Internet talks to.  Whatever it has become, it
# does not harm the server: loaders answer what is not as it should be with an
# error or close the connection, and the gateway goes on; nobody crashes, and
# the table has the rows of the answers.
#
# Part 1 listens in the program's place for loaders; part 2 puts a script in
# the program's place.  INTAKE_HOSTILE_ROUNDS and INTAKE_HOSTILE_SEED make the
# random part longer, or another one.

use strict;
use warnings;

use Cwd;
use File::Copy;
use FindBin;
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

use lib "$FindBin::RealBin/../lib";
use IntakeGateway;

my $rounds = $ENV{INTAKE_HOSTILE_ROUNDS} // 250;
my $seed = $ENV{INTAKE_HOSTILE_SEED} // 1;
my $most = 15;                  # seconds for an answer
my $server_start = 'SELECT pg_postmaster_start_time()';

# The file that the server has loaded.
sub find_library
{
    my ($node) = @_;
    my $path = $node->safe_psql('postgres', 'SHOW dynamic_library_path');
    my $usual = `pg_config --pkglibdir`;

    chomp($usual);
    foreach my $folder (split /:/, $path =~ s/\$libdir/$usual/r)
    {
        return "$folder/pg_intake.so" if -e "$folder/pg_intake.so";
    }
    die "pg_intake.so is not in $path";
}

# --- a server whose loaders come to us

my ($node, $base) = make_gateway('hostile', q{
    pg_intake.max_loaders = 2
    pg_intake.queue_timeout = '1h'
    pg_intake.loader_idle_timeout = '1h'});

start_gateway($node, $base, q{
    CREATE TABLE t (id int, note text);
    GRANT ALL ON t TO writer;
    SELECT intake.register_table('t')});

my $started = $node->safe_psql('postgres', $server_start);
my $library = find_library($node);
my $folder = getcwd();

# The path may be too long but for those who stand before it.
chdir($node->data_dir) or die;
unlink('pg_stat_tmp/pg_intake.loaders') or die;
my $listener = IO::Socket::UNIX->new(
    Local => 'pg_stat_tmp/pg_intake.loaders', Listen => 64)
    or die "cannot listen: $!";
chdir($folder) or die;

my ($port) = $base =~ /:(\d+)$/;
my $waiting;                    # a request, for which loaders are started
my $loader;
my $input;                      # what has come from it

# A loader that has said hello.
sub next_loader
{
    my $answered = !defined($waiting)
        || IO::Select->new($waiting)->can_read(0);

    if ($answered)
    {
        $waiting = IO::Socket::INET->new(
            PeerAddr => '127.0.0.1', PeerPort => $port) or die;
        $waiting->syswrite("GET /v1/nothing HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    IO::Select->new($listener)->can_read(60) or die 'no loader comes';
    $loader = $listener->accept;
    $input = '';
    my ($type) = read_frames(1);
    return $type->[0] eq 'H';
}

# --- frames

sub frame
{
    my ($type, $payload) = @_;

    $payload = encode_json($payload) if ref $payload;
    return pack('N a1 a*', 1 + length $payload, $type, $payload);
}

# The frames that have come, [type, payload] each; waits for so many, or for
# one that the code likes, or for the end.
sub read_frames
{
    my ($n, $code) = @_;
    my $select = IO::Select->new($loader);
    my $end = time() + $most;
    my @frames;

    for (;;)
    {
        while (length($input) >= 4
            && length($input) >= 4 + (my $len = unpack('N', $input)))
        {
            push @frames,
                [ substr($input, 4, 1), substr($input, 5, $len - 1) ];
            substr($input, 0, 4 + $len) = '';
            return @frames if defined $code && $code->($frames[-1]);
        }
        return @frames if !defined $code && @frames >= $n;
        last if time() > $end;
        next unless $select->can_read(1);
        last unless $loader->sysread($input, 65536, length $input);
    }
    push @frames, [ time() > $end ? 'late' : 'end', '' ];
    return @frames;
}

my $probes = 0;
my $inserted = 0;
my %answered;

# Sends bytes, and a good request behind them that must be answered, unless
# the loader closes the connection, or the bytes end inside a frame: then we
# do.  Returns the statuses of the answers, the last one 'closed' or 404.
sub converse
{
    my ($bytes, $is_cut) = @_;
    my $probe = 'probe ' . ++$probes;
    my $answer = 0;
    my @statuses;

    next_loader() if !defined $loader;
    $bytes .= frame('X', { reason => 'a test', status => 400 })
        . frame('Q', { method => 'GET', path => '/v1/nothing',
            version => '1.1', request_id => $probe })
        unless $is_cut;
    local $SIG{PIPE} = 'IGNORE';
    send_all($bytes);
    $loader->shutdown(1) if $is_cut;
    foreach my $frame (read_frames(0, sub { $_[0][1] =~ /"$probe"/ }))
    {
        my ($type, $payload) = @$frame;

        $answer = decode_json($payload)->{status} if $type eq 'R';
        push @statuses, $answer if $type eq 'R';
        $inserted += $1
            if $type eq 'B' && $answer == 201
            && $payload =~ /"rows_inserted": *(\d+)/;
        push @statuses, $type eq 'late' ? 'late' : 'closed'
            if $type =~ /^(late|end)$/;
    }
    if ($statuses[-1] !~ /^\d/)
    {
        $loader->close;
        undef $loader;
    }
    else
    {
        read_frames(1);         # the probe's T
    }
    return @statuses;
}

# What a loader does not take any more, since it has closed, is of no matter.
sub send_all
{
    my ($bytes) = @_;

    while (length $bytes)
    {
        my $n = $loader->syswrite($bytes, 65536) or return;
        substr($bytes, 0, $n) = '';
    }
    return;
}

# --- part 1: what is wrong in one way

my $uuids = 0;

sub request
{
    return {
        method => 'PUT',
        path => sprintf(
            '/v1/tables/public/t/operations/%08d-0000-4000-8000-000000000000',
            ++$uuids),
        query => '', version => '1.1', tls => JSON::PP::false,
        peer => '127.0.0.1:1', request_id => 'r',
        headers => [ [ 'content-type', 'application/x-ndjson' ],
            [ 'host', 'x' ] ],
        preflight => JSON::PP::false, body => 'stream', content_length => 9,
        @_
    };
}

sub is_answered
{
    my ($what, $bytes, $expected, $is_cut) = @_;
    my @statuses = converse($bytes, $is_cut);

    is("@statuses", $expected, $what)
        or diag(substr($bytes, 0, 300) =~ s/[^ -~]/./gr);
    return;
}

my $good = frame('D', "[1, \"a\"]\n") . frame('E', { raw_bytes => 9 });
my $q = request();
my $json = encode_json($q);

is_answered('a good request', frame('Q', request()) . $good, '201 404');
is_answered('a preflight',
    frame('Q', request(preflight => JSON::PP::true)), '404');
is_answered('a good request in two halves of frames',
    frame('Q', request()) . $good, '201 404');

# no object, or none that is a request
foreach my $text ('', ' ', 'x', 'null', '1', '"a"', '[]', '[1,2,3]', '{}', '{',
    "[$json]", "$json$json", "$json]", "\0$json", "$json\0",
    '[' x 100_000, '{"a":' x 100_000, '"' . 'a' x 100_000,
    '{"x": ' . ('[' x 5000) . (']' x 5000) . ", " . substr($json, 1),
    '{"method": "GET", ' . substr($json, 1), "\xff" x 1000,
    $json =~ s/PUT/P\xffT/r, $json =~ s/PUT/P\\u0000T/r,
    $json =~ s/PUT/P\\ud800T/r, $json =~ s/PUT/P\0T/r,
    substr($json, 0, length($json) / 2))
{
    is_answered('a request that is none: '
            . (substr($text, 0, 20) =~ s/[^ -~]/./gr),
        frame('Q', $text) . $good, '400 404');
}
foreach my $member (sort keys %$q)
{
    my $is_needed = $member =~ /^(method|path|version|headers)$/;
    my %less = %$q;
    my $value = ref $q->{$member} eq 'ARRAY' ? { a => 'b' } : [ 1, 2, 3 ];

    delete $less{$member};
    like(join(' ', converse(frame('Q', \%less) . $good)),
        $is_needed ? qr/^4\d\d 404$/ : qr/^(\d+ )?404$/,
        "a request without $member");
    like(join(' ', converse(
                frame('Q', request($member => $value)) . $good)),
        $member =~ /^(tls|content_length)$/ ? qr/^201 404$/ : qr/^400 404$/,
        "a request with $member of another type");
}
foreach my $headers ({}, { a => 'b' }, [1], [ [] ], [ ['a'] ], [ [ 'a', 1 ] ],
    [ { a => 'b' } ], [ [ 'a', 'b', 'c' ] ], [ [ [], [] ] ], [ [ {}, 'b' ] ],
    'a', [ 'a', 'b' ], [ [ undef, undef ] ])
{
    is_answered('headers that are none: ' . encode_json([$headers]),
        frame('Q', request(headers => $headers)) . $good, '400 404');
}
is_answered('very many headers',
    frame('Q', request(headers => [ @{ $q->{headers} },
            map { [ "x$_", 'y' ] } 1 .. 50_000 ])) . $good, '201 404');
is_answered('a very long path',
    frame('Q', request(path => '/' . 'a/' x 450_000)), '404 404');
is_answered('a very long query',
    frame('Q', request(query => 'a=b&' x 200_000)) . $good, '400 404');
foreach my $path ('', '%', '/%', '/%4', '/%zz', '/%00', '/%ff', '/v1/%c0%af',
    '//', '/v1/tables/public/t/operations/%', '*')
{
    like(join(' ', converse(frame('Q', request(path => $path)) . $good)),
        qr/^40[04] 404$/, "path \"$path\"");
}
is_answered('a query that is not well encoded',
    frame('Q', request(query => 'a=%')) . $good, '400 404');
is_answered('a method with a line end and a percent sign',
    frame('Q', request(method => "P\nUT %s%n")) . $good, '405 404');
is_answered('an Authorization header of a megabyte',
    frame('Q', request(headers => [ [ 'authorization',
                'Bearer ' . 'a' x 1_000_000 ] ])) . $good, '415 404');

# frames that stand where they do not belong
my $request = sub { return frame('Q', request(@_)) };

is_answered('a body without a request', $good . $good, '404');
is_answered('a request inside a body',
    $request->() . frame('D', "[1, \"a\"]\n") . $request->() . $good,
    '400 404');
is_answered('two requests', $request->() . $request->() . $good, '400 404');
is_answered('pieces behind the end', $request->() . $good . $good, '201 404');
is_answered('an end inside the body, then more',
    $request->() . frame('E', {}) . $good, '201 404');
is_answered('a body for a request that has none',
    $request->(body => 'none') . $good, '201 404');
is_answered('a body of unknown kind', $request->(body => 'x') . $good,
    '201 404');
is_answered("a frame of type $_ in a body", $request->() . frame($_, {}),
    '400 404')
    foreach 'H', 'R', 'B', 'T', 'C', 'G', 'F', 'Z', '!', "\0", "\xff";
is_answered("a frame of type $_ before a request",
    frame($_, 'x') . $request->() . $good, '201 404')
    foreach 'H', 'R', 'T', 'F', '!', "\0", "\xff";

# ends that are none
foreach my $end ('', '[]', '[1, 2]', '1', '{', '"x"', "{\"a\": \"\xff\"}",
    '[' x 100_000)
{
    is_answered("an end that is none: "
            . (substr($end, 0, 20) =~ s/[^ -~]/./gr),
        $request->() . frame('D', "[1, \"a\"]\n") . frame($_, $end),
        '400 404')
        foreach 'E', 'X';
}
foreach my $end ({ status => 1e300 }, { status => -1 }, { status => 'x' },
    { status => 404.5 }, { reason => [ 1, 2 ] }, { reason => 'a' x 500_000 },
    { disconnect => 'yes' }, { disconnect => [1] }, {})
{
    like(join(' ', converse($request->() . frame('X', $end))),
        qr/^4\d\d 404$/, 'a break of ' . substr(encode_json($end), 0, 40));
}
my @digest = ([ 'content-type', 'application/x-ndjson' ],
    [ 'content-encoding', 'gzip' ],
    [ 'repr-digest', 'sha-256=:' . 'A' x 43 . '=:' ]);
foreach my $digests ([], [ 1, 2, 3 ], {}, { 'sha-256' => [] }, 1, 'x',
    [ 'sha-256', 'x' ], { 'sha-256' => 'a' x 100_000 })
{
    is_answered('digests of ' . substr(encode_json([$digests]), 0, 40),
        $request->(headers => \@digest) . frame('D', "[1, \"a\"]\n")
            . frame('E', { digests => $digests }),
        '400 404');
}

# what is no frame, or half of one
is_answered("length @{[unpack('N', $_)]}", $_ . 'Q{}', 'closed')
    foreach pack('N', 0), pack('N', 0xffffffff), pack('N', 0x80000000),
    pack('N', 2 + (1 << 20));
is_answered('half a frame', substr($request->(), 0, 50), 'closed', 1);
is_answered('half of a body',
    $request->() . frame('D', "[1, \"a\"]\n"), 'closed', 1);
is_answered('a frame whose end never comes',
    $request->() . pack('N a1', 1 << 20, 'D') . 'x' x 5000, 'closed', 1);
is_answered('the largest frame there is',
    frame('Q', ' ' x (1 << 20)) . $request->() . $good, '400 201 404');

# --- part 1: what is wrong at random

srand($seed);

sub any
{
    return $_[ int(rand(@_)) ];
}

# Some bytes of a text become others, go, or come.
sub garble
{
    my ($text) = @_;

    for (0 .. int(rand(3)))
    {
        my $at = int(rand(1 + length $text));
        my $how = int(rand(5));

        if ($how == 0)
        {
            substr($text, $at, int(rand(4))) = '';
        }
        elsif ($how == 1)
        {
            substr($text, $at, 0) = any('{', '}', '[', ']', '"', ':', ',',
                "\0", "\\u0000", "\xff", "\n", '-1', '1e999', 'null', '\\');
        }
        elsif ($at < length $text)
        {
            substr($text, $at, 1) = chr(int(rand(256)));
        }
    }
    return $text;
}

# Frames in an order that may be good; returns them, and whether the last
# bytes may be those of half a frame.
sub some_frames
{
    my @frames;

    for (0 .. int(rand(2)))
    {
        push @frames, [ 'Q', encode_json(request(
                body => any('stream', 'all'))) ];
        push @frames, [ 'D', any("[1, \"a\"]\n", "[2]\n", '[', 'x' x 70_000,
                "{\"id\": 3}\n" x 1000) ]
            for 0 .. int(rand(3));
        push @frames, [ any('E', 'E', 'X'),
            any('{"raw_bytes": 9}', '{}', '{"disconnect": true}') ];
    }
    for (0 .. int(rand(3)))
    {
        my $at = int(rand(@frames));
        my $how = int(rand(6));

        if ($how == 0 && @frames > 1)
        {
            splice(@frames, $at, 1);
        }
        elsif ($how == 1)
        {
            splice(@frames, int(rand(@frames)), 0, [ @{ $frames[$at] } ]);
        }
        elsif ($how == 2)
        {
            $frames[$at][0] = any('Q', 'D', 'E', 'X', chr(int(rand(256))));
        }
        elsif ($how == 3 && rand() < 0.1)
        {
            $frames[$at][2] = any(0, 1, 5, length($frames[$at][1]),
                length($frames[$at][1]) + 9, 1 << 20, 0xffffffff);
        }
        else
        {
            $frames[$at][1] = garble($frames[$at][1]);
        }
    }
    return (join('', map { defined $_->[2]
                ? pack('N a1 a*', @$_[ 2, 0, 1 ])
                : frame($_->[0], $_->[1]) } @frames),
        scalar grep { defined $_->[2] } @frames);
}

my $late = 0;

for my $round (1 .. $rounds)
{
    my ($bytes, $is_cut) = some_frames();
    my @statuses = converse($bytes, $is_cut);

    $answered{$_}++ foreach @statuses;
    next if $statuses[-1] =~ /^(404|closed)$/ && ($is_cut
        || $statuses[-1] eq '404');
    $late++;
    diag("round $round: @statuses: ",
        substr($bytes, 0, 1000) =~ s/[^ -~]/./gr);
}
note(join(', ', map { "$_: $answered{$_}" } sort keys %answered));
is($late, 0, "$rounds random conversations, seed $seed, end as they should");

# --- part 1: what is left

is_answered('a good request after all that', $request->() . $good,
    '201 404');
is($node->safe_psql('postgres', 'SELECT count(*) FROM t'), $inserted,
    "the $inserted rows that were answered are there, and no others");
$loader->close;
$node->poll_query_until('postgres', q{SELECT count(*) = 0
    FROM pg_locks WHERE relation = 't'::regclass}) or die;
is($node->safe_psql('postgres', $server_start), $started,
    'the server has not restarted');
my $log = slurp_file($node->logfile);
unlike($log, qr/PANIC|was terminated by signal|server process.*exited with/,
    'nothing has crashed');
unlike($log, qr/ERROR:  XX000|stack smashing|invalid memory alloc/,
    'nothing was found out by chance');
close($listener);
$node->stop('fast');

# --- part 2: a program that is hostile to its gateway

my $other = PostgreSQL::Test::Cluster->new('hostile_program');
my $progress = $other->basedir . '/progress';
my $libraries = $other->basedir . '/lib';

mkdir($libraries) or die;
copy($library, "$libraries/pg_intake.so") or die;
chmod(0755, "$libraries/pg_intake.so") or die;
write_file("$libraries/pg_intake_http", "#!$^X\n" . <<'EOF' =~ s/PROGRESS/$progress/r =~ s/SEED/$seed/r);
# Does one bad thing each time it is started.
use strict;
use warnings;
use Socket;

open(my $control, '+<&=', 3) or die;
open(my $progress, '+>>', 'PROGRESS') or die;
seek($progress, 0, 0);
my $turn = () = <$progress>;

srand(SEED + $turn);

sub say_frame
{
    my ($type, $payload) = @_;

    say_bytes(pack('N a1 a*', 1 + length $payload, $type, $payload));
    return;
}

sub say_bytes
{
    my ($bytes) = @_;

    while (length $bytes)
    {
        my $n = syswrite($control, $bytes) or exit(1);
        substr($bytes, 0, $n) = '';
    }
    return;
}

sub each_type
{
    my @payloads = @_;

    foreach my $payload (@payloads)
    {
        say_frame($_, $payload)
            foreach 'K', 'N', 'L', 'S', 'Q', 'R', 'F', '!', "\0";
    }
    return;
}

my $deep = '{"requests": ' . '[' x 100_000 . ']' x 100_000 . '}';
my @numbers = ('1e300', '-1e300', '-1', '1e999', '"1"', 'null', '[1]',
    '{"a": 1}', '9223372036854775808', '-0', 'true');
my @turns = (
    sub { },
    sub { say_bytes("\0\0\0\0") },
    sub { say_bytes("\xff\xff\xff\xff" x 100) },
    sub { say_bytes("\0\0\0\x64L{") },
    sub { each_type('', '{', '[]', '1', 'null', '"a"', "\0", "\xff",
        '{"a": 1, "a": 2}', '{"a": "\u0000"}', $deep, '[' x 1_000_000,
        '"' . 'a' x 1_000_000 . '"', "{}\0") },
    sub { each_type(map { "{\"wanted\": $_, \"level\": $_, \"message\": $_,"
        . " \"detail\": $_, \"listening\": $_, \"failed\": $_,"
        . " \"requests\": $_, \"rejected\": $_, \"bytes_in\": $_,"
        . " \"loaders\": $_, \"certificate_expires\": $_}" } @numbers) },
    sub { each_type(map { "{\"requests\": [{\"route\": \"a\", \"status\": $_,"
        . " \"count\": $_, \"seconds\": $_}, {\"route\": $_}, $_],"
        . " \"rejected\": {\"a\": $_}, \"listening\": [$_]}" } @numbers) },
    sub { say_frame('S', '{"requests": [' . join(', ',
        map { "{\"route\": \"r$_\", \"status\": 200, \"count\": 1}" }
        1 .. 10_000) . '], "rejected": {'
        . join(', ', map { "\"r$_\": 1" } 1 .. 10_000) . '}}') },
    sub { say_frame('L', '{"level": "log", "message": "' . 'm' x 900_000
        . '", "detail": "%s%n\n\nPANIC: a lie"}') },
    sub { say_bytes(join '', map { chr(int(rand(256))) } 1 .. 100_000) },
    sub { say_frame(substr('KNLS', int(rand(4)), 1),
        join '', map { substr('{}[]":,\\ 019aenrtlu' . "\0\xff",
            int(rand(21)), 1) } 0 .. rand(200)) for 1 .. 3000 },
    sub { close($control); sleep(1000) },
    sub { sleep(2) },
    sub { kill('SEGV', $$) },
    sub { kill('STOP', $$) if 0; print $progress "flooding\n";
        close($progress); say_frame('L', '{"level": "debug", "message": "'
            . 'm' x 1000 . '"}') while 1 },
);

# the next start need not wait
say_frame('K', '{"listening": []}') if $turn > 0;
print $progress "$turn\n" if $turn < $#turns;
close($progress) if $turn < $#turns;
$turns[$turn]->();
EOF
chmod(0755, "$libraries/pg_intake_http") or die;

$other->init;
$other->append_conf('postgresql.conf', qq{
    dynamic_library_path = '$libraries'
    shared_preload_libraries = 'pg_intake'
    pg_intake.port = 1
    pg_intake.shutdown_grace = '1s'
    pg_intake.max_loaders = 2});
$other->start;
$started = $other->safe_psql('postgres', $server_start);
wait_for('the program has done all that it can',
    sub { -e $progress && slurp_file($progress) =~ /flooding/ });
pass('the program was started again after each bad end');
is($other->safe_psql('postgres', $server_start), $started,
    'the server has not restarted');
unlike(slurp_file($other->logfile),
    qr/"pg_intake gateway" \(PID \d+\) (exited|was terminated)/,
    'nor has the gateway');
my $begun = time();
$other->stop('fast');
cmp_ok(time() - $begun, '<', 30, 'a program that floods keeps nobody');
$log = slurp_file($other->logfile);
unlike($log, qr/PANIC(?!: a lie)|was terminated by signal(?! (9|11)\D)/,
    'nothing else has crashed');
unlike($log, qr/background worker.*exited with exit code (?!1\D)/,
    'neither have loaders and gateways');
unlike($log, qr/terminating any other active server processes/,
    'no crash of the server');
unlike($log, qr/m{3000}/, 'long messages are cut');

done_testing();
