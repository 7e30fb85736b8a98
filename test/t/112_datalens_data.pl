# DataLens' data methods over HTTP: writes with all their headers, answers and
# repeats, changes of the table within a write, deletes of partitions, and
# every refusal.  Expected values are those of shared/spec/datalens.md.

use strict;
use warnings;

use FindBin;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use lib "$FindBin::RealBin/../lib";
use IntakeGateway;
use IntakeSocket;

my ($node, $base) = make_gateway('datalens_data', qq{
    pg_intake.table_lock_timeout = '700ms'
    pg_intake.max_loaders = 6
    pg_intake.max_record_size = '64kB'
});
my $scratch = PostgreSQL::Test::Utils::tempdir();
my $serial = 0;
my $database = 'postgres';

$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pg_intake');
wait_for_gateway($base);

sub rows
{
    return $node->safe_psql($database, $_[0]);
}

sub uuid
{
    return sprintf('00000000-0000-4000-8000-%012x', ++$serial);
}

# A connection whose partner has linked itself.
sub make_partner
{
    my ($title) = @_;
    my ($id, $oauth) = split /\|/, rows("SELECT connection_id, oauth_token
        FROM intake.create_connection('$title', with_oauth => true)");
    my ($status, undef, $body) = curl("$base/iam/v1/tokens",
        -H => 'Content-Type: application/json',
        -d => encode_json({ yandexPassportOauthToken => $oauth }));
    my %partner = (id => $id, token => $body->{iamToken});

    is($status, 200, "$title: token");
    ($status, undef, $body) = curl(-X => 'POST',
        -H => "Authorization: Bearer $partner{token}",
        "$base/provider/v1/connection/$id/client-id");
    is($status, 200, "$title: linked");
    $partner{client} = $body->{client_id};
    $partner{schema} = "intake_$id";
    return \%partner;
}

our $partner = make_partner('first');
my $schema = $partner->{schema};
my $other = make_partner('second');

# What a relation holds, in order.
sub table
{
    my ($name, $columns) = @_;

    $columns //= '*';
    $name =~ s/"/""/g;
    return rows(qq{SELECT $columns FROM "$schema"."$name" ORDER BY 1, 2});
}

sub escape_segment
{
    my ($text) = @_;

    $text =~ s/([^A-Za-z0-9_.~-])/sprintf('%%%02X', ord $1)/ge;
    return $text;
}

sub data_url
{
    my ($table, $connection) = @_;

    return "$base/provider/v1/connection/"
        . ($connection // $partner->{id})
        . '/table/' . escape_segment($table) . '/data';
}

# The headers of a write; undef takes one away.
sub write_headers
{
    my %headers = (
        'Authorization' => "Bearer $partner->{token}",
        'X-DL-Client-Id' => $partner->{client},
        'X-DL-Operation-UUID' => uuid(),
        'X-DL-Data-Format' => 'array',
        'Content-Type' => 'application/x-ndjson',
        @_);

    return map { "$_: $headers{$_}" }
        grep { defined $headers{$_} } sort keys %headers;
}

# A definition as the header wants it.
sub definition
{
    my ($schema, %keys) = @_;

    return JSON::PP->new->ascii->canonical->encode({ schema => $schema, %keys });
}

sub field
{
    my ($name, $type, @more) = @_;

    return { name => $name, type => $type, @more };
}

# POST of rows; returns what curl() does.
sub post
{
    my ($table, $body, $headers, @options) = @_;

    return curl((map { (-H => $_) } write_headers(%{ $headers // {} })),
        -X => 'POST', '--data-binary' => $body, @options, data_url($table));
}

sub remove
{
    my ($table, $body, $headers) = @_;
    my %headers = ('Authorization' => "Bearer $partner->{token}",
        'Content-Type' => 'application/json', %{ $headers // {} });

    return curl((map { (-H => "$_: $headers{$_}") }
            grep { defined $headers{$_} } sort keys %headers),
        -X => 'DELETE', -d => ref $body ? encode_json($body) : $body,
        data_url($table));
}

# The start of a raw request whose body the test sends piece by piece.
sub open_write
{
    my ($table, $length, %headers) = @_;
    my ($path) = data_url($table) =~ m{^http://[^/]+(/.*)$};

    return send_part($base, join("\r\n", "POST $path HTTP/1.1",
        'Host: localhost', 'Connection: close', "Content-Length: $length",
        write_headers(%headers), '', ''));
}

sub is_error
{
    my ($answer, $status, $code, $like, $what) = @_;
    my ($got, undef, $body) = @$answer;

    is($got, $status, "$what: status") or diag(explain($answer));
    is(ref $body ? $body->{code} : $body, $code, "$what: code");
    like(ref $body ? encode_json($body) : '', $like, "$what: text");
    ok(ref $body && $body->{request_id}, "$what: request_id");
    return;
}

# --- the documentation's example of a replacing key

my $goods = definition([ field('Country', 'string'), field('City', 'string'),
        field('Goods quantity', 'float') ],
    replacing_key => [ 'Country', 'City' ]);
my ($status, $headers, $body) = post('goods',
    qq{["Russia","Moscow",1]\n["Russia","Kazan",2.1]\n["Russia","Kazan",2.2]\n},
    { 'X-DL-Table-Definition' => $goods });
is($status, 200, 'first load');
is_deeply($body, { old_data_was_dropped => JSON::PP::false, row_count => 3 },
    'first load: answer');
is(table('goods'), "Russia|Kazan|2.1\nRussia|Kazan|2.2\nRussia|Moscow|1",
    'first load: rows');
($status, undef, $body) = post('goods', qq{["Russia","Kazan",10]});
is($status, 200, 'second load');
is_deeply($body, { old_data_was_dropped => JSON::PP::false, row_count => 1 },
    'second load: answer');
is(table('goods'), "Russia|Kazan|10\nRussia|Moscow|1", 'second load: rows');
isnt(rows("SELECT uploaded_at FROM intake.connection_table WHERE table_name = 'goods'"),
    '', 'time of the last upload');

# --- repeats

my %first = ('X-DL-Operation-UUID' => uuid(), 'X-DL-Table-Definition' =>
    definition([ field('a', 'integer'), field('b', 'string', nullable => JSON::PP::true) ]));
my $payload = qq{[1,"one"]\n[2,null]\n};
my $plain_answer = { old_data_was_dropped => JSON::PP::false, row_count => 2 };
($status, $headers, $body) = post('plain', $payload, \%first);
is_deeply([ $status, $body, $headers->{'idempotent-replayed'} ],
    [ 200, $plain_answer, undef ], 'made and written');
($status, $headers, $body) = post('plain', $payload, \%first);
is_deeply([ $status, $body, $headers->{'idempotent-replayed'} ],
    [ 200, $plain_answer, 'true' ], 'repeat');
is(table('plain'), "1|one\n2|", 'repeat: written once');
is_error([ post('plain', qq{[1,"one"]\n}, \%first) ], 422, 'IN422',
    qr/other content/, 'repeat with another body');
is_error([ post('plain', $payload, { %first, 'X-DL-Force-Truncate' => 'true' }) ],
    422, 'IN422', qr/other content/, 'repeat with another header');
is_error([ post('plain', $payload, { %first, 'X-DL-Table-Definition' => undef }) ],
    422, 'IN422', qr/other content/, 'repeat without the definition');
is_error([ post('goods', $payload, \%first) ], 422, 'IN422', qr/went into/,
    'repeat into another table');
($status) = post('plain', $payload, { %first, 'Content-Type' =>
            'application/x-ndjson; charset=UTF-8', 'X-DL-Force-Truncate' => 'false' });
is($status, 200, 'repeat that says the same in other words');

# alteration, and what its repeat is told
my %altering = ('X-DL-Operation-UUID' => uuid(),
    'X-DL-Allow-Alter-Table' => 'true', 'X-DL-Table-Definition' =>
    definition([ field('b', 'integer'), field('c', 'date') ]));
my $altered = [ 200, { old_data_was_dropped => JSON::PP::true, row_count => 1 } ];
($status, undef, $body) = post('plain', qq{[5,"2024-02-29"]}, \%altering);
is_deeply([ $status, $body ], $altered, 'altered');
is(table('plain', 'b, c'), '5|2024-02-29', 'altered: rows');
($status, $headers, $body) = post('plain', qq{[5,"2024-02-29"]}, \%altering);
is_deeply([ $status, $body ], $altered, 'altered: repeat');
($status, $headers, $body) = post('plain', $payload, \%first);
is_deeply([ $status, $body ], [ 200, $plain_answer ],
    'repeat after the table was altered');

# --- a definition that is not the table's

my @mismatches = (
    [ [ field('b', 'string'), field('c', 'date') ], qr/\\?"b\\?"/ ],
    [ [ field('b', 'integer') ], qr/\\?"c\\?"/ ],
    [ [ field('b', 'integer'), field('c', 'date', nullable => JSON::PP::true) ],
        qr/\\?"c\\?"/ ],
    [ [ field('c', 'date'), field('b', 'integer') ], qr/\\?"c\\?"/ ],
    [ [ field('b', 'integer'), field('c', 'date'), field('d', 'float') ],
        qr/\\?"d\\?"/ ]);
for my $mismatch (@mismatches)
{
    my ($schema, $like) = @$mismatch;
    my @answer = post('plain', '[1,"2024-01-01"]',
        { 'X-DL-Table-Definition' => definition($schema) });

    is($answer[0], 400, 'another definition: status');
    like(encode_json($answer[2]), $like, 'another definition: the difference');
}
is(table('plain', 'b, c'), '5|2024-02-29', 'another definition: nothing happened');
($status) = post('plain', '[6,"2024-03-01"]', { 'X-DL-Table-Definition' =>
            definition([ field('b', 'integer', title => 'B'), field('c', 'date') ]) });
is($status, 200, 'titles do not count');
is_error([ post('plain', '[7,"2024-03-02"]', { 'X-DL-Table-Definition' =>
            definition([ field('b', 'integer'), field('c', 'date') ],
                replacing_key => ['b']) }) ],
    400, '22023', qr/key/, 'another key');
($status, undef, $body) = post('plain', '[6,"2024-03-03"]', {
    'X-DL-Allow-Alter-Table' => 'true', 'X-DL-Table-Definition' =>
        definition([ field('b', 'integer'), field('c', 'date') ],
            replacing_key => ['b']) });
is_deeply([ $status, $body ],
    [ 200, { old_data_was_dropped => JSON::PP::false, row_count => 1 } ],
    'another key, allowed: data is kept');
is(table('plain', 'b, c'), "5|2024-02-29\n6|2024-03-03",
    'another key, allowed: it counts');

# --- truncation

($status, undef, $body) = post('plain', qq{[8,"2024-03-04"]\n[9,"2024-03-05"]},
    { 'X-DL-Force-Truncate' => 'true' });
is_deeply([ $status, $body ],
    [ 200, { old_data_was_dropped => JSON::PP::true, row_count => 2 } ], 'truncated');
is(table('plain', 'b, c'), "8|2024-03-04\n9|2024-03-05", 'truncated: rows');
is_error([ post('plain', qq{[1,"2024-03-04"]\n[1,"no date"]},
        { 'X-DL-Force-Truncate' => 'true' }) ],
    400, '22007', qr/"record":2/, 'truncated with a bad row');
is(table('plain', 'b, c'), "8|2024-03-04\n9|2024-03-05",
    'truncated with a bad row: nothing happened');
($status, undef, $body) = post('plain', '', { 'X-DL-Force-Truncate' => 'true' });
is_deeply([ $status, $body ],
    [ 200, { old_data_was_dropped => JSON::PP::true, row_count => 0 } ],
    'truncated without rows');
is(table('plain'), '', 'truncated without rows: empty');
($status, undef, $body) = post('plain', '');
is_deeply([ $status, $body ],
    [ 200, { old_data_was_dropped => JSON::PP::false, row_count => 0 } ], 'no rows');
($status, undef, $body) = post('fresh', '[1]', { 'X-DL-Force-Truncate' => 'true',
        'X-DL-Table-Definition' => definition([ field('n', 'integer') ]) });
is_deeply([ $status, $body ],
    [ 200, { old_data_was_dropped => JSON::PP::false, row_count => 1 } ],
    'truncated what was not there');

# --- truncation, alteration and rows are one transaction

post('whole', qq{[1]\n[2]}, { 'X-DL-Table-Definition' =>
            definition([ field('n', 'integer') ]) });
my %whole = ('X-DL-Operation-UUID' => uuid(), 'X-DL-Allow-Alter-Table' => 'true',
    'X-DL-Force-Truncate' => 'true', 'X-DL-Table-Definition' =>
    definition([ field('s', 'string'), field('n', 'float') ]));
is_error([ post('whole', qq{["a",1]\n["b","x"]}, \%whole) ], 400, '22P02',
    qr/"column":"n"/, 'altered with a bad row');
is(table('whole', 'n, 1'), "1|1\n2|1", 'altered with a bad row: nothing happened');
like(rows("SELECT status || ' ' || (error->>'sqlstate') || ' ' || (error->>'record')
    FROM intake.operations WHERE operation = '$whole{'X-DL-Operation-UUID'}'"),
    qr/^failed 22P02 2$/, 'altered with a bad row: on record');
($status, undef, $body) = post('whole', qq{["a",1]\n["b",2]}, \%whole);
is($status, 200, 'a failed operation may run again, corrected');
is(table('whole', 's, n'), "a|1\nb|2", 'a failed operation may run again: rows');

# --- early refusals: before a body is asked for

my %refusals = (
    'no token' => [ 401, { 'Authorization' => undef } ],
    'another token' => [ 401, { 'Authorization' => 'Bearer abc' } ],
    'no client' => [ 400, { 'X-DL-Client-Id' => undef } ],
    'another client' => [ 403, { 'X-DL-Client-Id' => $other->{client} } ],
    'another connection' => [ 403, { 'Authorization' => "Bearer $other->{token}" } ],
    'no UUID' => [ 400, { 'X-DL-Operation-UUID' => undef } ],
    'no good UUID' => [ 400, { 'X-DL-Operation-UUID' => '123' } ],
    'no data format' => [ 400, { 'X-DL-Data-Format' => undef } ],
    'another data format' => [ 400, { 'X-DL-Data-Format' => 'object' } ],
    'no content type' => [ 415, { 'Content-Type' => undef } ],
    'another content type' => [ 415, { 'Content-Type' => 'application/json' } ],
    'unknown content type' => [ 415, { 'Content-Type' => 'text/plain' } ],
    'almost the content type' => [ 415, { 'Content-Type' => 'application/x-ndjsonx' } ],
    'another charset' => [ 415,
        { 'Content-Type' => 'application/x-ndjson; charset=koi8-r' } ],
    'no good flag' => [ 400, { 'X-DL-Force-Truncate' => 'yes' } ],
    'no good other flag' => [ 400, { 'X-DL-Allow-Alter-Table' => '1' } ],
    'empty flag' => [ 400, { 'X-DL-Allow-Alter-Table' => '' } ],
    'a definition that is no JSON' => [ 400, { 'X-DL-Table-Definition' => '{' } ],
    'a definition without schema' => [ 400, { 'X-DL-Table-Definition' => '{}' } ],
    'a definition with a member twice' => [ 400, { 'X-DL-Table-Definition' =>
            '{"schema":[{"name":"b","type":"integer"}],"schema":[]}' } ],
    'a key that is SQL' => [ 400, { 'X-DL-Table-Definition' =>
            definition([ field('b', 'integer') ], partition_key => ['b+1']) } ],
    'another definition' => [ 400, { 'X-DL-Table-Definition' =>
            definition([ field('b', 'integer') ]) } ],
    'a digest of no kind' => [ 400, { 'Content-Digest' => 'x' } ],
);
for my $what (sort keys %refusals)
{
    my ($expected, $changes) = @{ $refusals{$what} };
    my $socket = open_write('plain', 1000000, Expect => '100-continue', %$changes);
    my ($got, undef, $answer) = read_answer($socket);

    is($got, $expected, "$what: refused before the body");
    ok(ref $answer && $answer->{code} && $answer->{message}, "$what: text");
}
my @answer = read_answer(open_write('missing', 1000000, Expect => '100-continue'));
is_error(\@answer, 404, 'IN404', qr/missing/, 'no table: refused before the body');
@answer = read_answer(open_write('x' x 64, 1000000, Expect => '100-continue'));
is_error(\@answer, 400, '22023', qr/63/, 'long name: refused before the body');
is_error([ post('missing', '[1]') ], 404, 'IN404', qr/missing/, 'no table');
is_error([ curl((map { (-H => $_) } write_headers()), -X => 'POST', -d => '[1]',
        data_url('goods', 'nosuchconnection')) ],
    403, '42501', qr/connection/, 'no connection');
{
    local $partner = $other;

    is_error([ post('goods', '["a","b",1]') ], 404, 'IN404', qr/goods/,
        'a table of another connection');
}
# nor does another write under the UUID of one that is done
@answer = read_answer(open_write('plain', 1000000, Expect => '100-continue',
    %first, 'X-DL-Force-Truncate' => 'true'));
is_error(\@answer, 422, 'IN422', qr/other content/,
    'a UUID that was used: refused before the body');
# a repeat needs no table
my $repeat = open_write('plain', length $payload, Expect => '100-continue', %first);
like(scalar(<$repeat>), qr/^HTTP\S+ 100 /, 'a repeat may send its body');
is(scalar(<$repeat>), "\r\n", 'a repeat may send its body: end of line');
print $repeat $payload;
$repeat->flush;
is((read_answer($repeat))[0], 200, 'a repeat is answered');

# --- one operation at a time

for my $table ('plain2', 'keyed')
{
    my @key = $table eq 'keyed' ? (replacing_key => ['n']) :
        (partition_key => ['n']);

    post($table, '', { 'X-DL-Table-Definition' =>
                definition([ field('n', 'integer') ], @key) });
}
my $slow_uuid = uuid();
my $slow = open_write('plain2', 12, 'X-DL-Operation-UUID' => $slow_uuid);
print $slow "[1]\n";
$slow->flush;
wait_for('the slow write has begun',
    sub { rows("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
        AND objsubid = x'4902'::int AND mode = 'ExclusiveLock' AND granted") == 1; });
is_error([ post('plain2', '[9]') ], 423, '55P03', qr/plain2.*under way/,
    'another write is under way');
($status, $headers) = post('plain2', '[9]');
ok($headers->{'retry-after'}, 'another write is under way: it can be tried again');
is_error([ remove('plain2', { partitions => [ { n => 1 } ] }) ], 423, '55P03',
    qr/plain2.*under way/, 'a delete meanwhile');
is_error([ remove('keyed', { partitions => [] }) ], 400, '42P10',
    qr/no partition key/, 'no partition key');
is_error([ post('plain2', "[1]\n[2]\n[3]\n", { 'X-DL-Operation-UUID' => $slow_uuid }) ],
    423, 'IN423', qr/in progress/, 'the same write is under way');
@answer = read_answer(open_write('plain2', 12, Expect => '100-continue',
    'X-DL-Operation-UUID' => $slow_uuid));
is_error(\@answer, 423, 'IN423', qr/in progress/,
    'the same write is under way: refused before the body');
is_error([ post('plain2', '[9]', { 'X-DL-Allow-Alter-Table' => 'true',
        'X-DL-Table-Definition' => definition([ field('s', 'string') ]) }) ],
    423, '55P03', qr/plain2.*under way/, 'an alteration meanwhile');
print $slow "[2]\n[3]\n";
$slow->flush;
is((read_answer($slow))[0], 200, 'the slow write ends well');
is(table('plain2', 'n, 1'), "1|1\n2|1\n3|1", 'the slow write: rows');
($status) = post('plain2', "[1]\n[2]\n[3]\n", { 'X-DL-Operation-UUID' => $slow_uuid });
is($status, 200, 'the slow write: repeat');

# one that stages its rows locks nobody out before it has them all; then the
# table has to be what it was
my %staged = ('X-DL-Operation-UUID' => uuid());
$slow = open_write('keyed', 12, %staged);
print $slow "[1]\n";
$slow->flush;
wait_for('the slow write has begun',
    sub { rows("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
        AND objsubid = x'4901'::int AND granted") == 1; });
is((post('keyed', '[5]'))[0], 200, 'a write while another one sends its rows');
print $slow "[2]\n[3]\n";
$slow->flush;
is((read_answer($slow))[0], 200, 'a write that stages its rows');
is(table('keyed', 'n, 1'), "1|1\n2|1\n3|1\n5|1", 'a write that stages its rows: rows');
$staged{'X-DL-Operation-UUID'} = uuid();
$slow = open_write('keyed', 12, %staged);
print $slow "[1]\n";
$slow->flush;
wait_for('the slow write has begun',
    sub { rows("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
        AND objsubid = x'4901'::int AND granted") == 1; });
is((post('keyed', '["a",1]', { 'X-DL-Allow-Alter-Table' => 'true',
        'X-DL-Table-Definition' => definition(
            [ field('s', 'string'), field('n', 'integer') ], replacing_key => ['s']) }))[0],
    200, 'an alteration while another one sends its rows');
print $slow "[2]\n[3]\n";
$slow->flush;
@answer = read_answer($slow);
is_error(\@answer, 503, '40001', qr/keyed/, 'a table that was altered meanwhile');
ok($answer[1]{'retry-after'}, 'a table that was altered meanwhile: try again');
is(table('keyed', 's, n'), 'a|1', 'a table that was altered meanwhile: nothing happened');
post('keyed', '', { 'X-DL-Allow-Alter-Table' => 'true', 'X-DL-Table-Definition' =>
            definition([ field('n', 'integer') ], replacing_key => ['n']) });

# and it has to be there: a repeat is told that it is not, or makes it
for my $drop (
    [ 'by its user', sub { rows(qq{DROP TABLE "$schema".keyed}) } ],
    [ 'by its partner', sub { curl(-X => 'DELETE', -H =>
            "Authorization: Bearer $partner->{token}",
            data_url('keyed') =~ s/data$/definition/r) } ])
{
    my ($how, $code) = @$drop;

    $staged{'X-DL-Operation-UUID'} = uuid();
    $slow = open_write('keyed', 12, %staged);
    print $slow "[1]\n";
    $slow->flush;
    wait_for('the slow write has begun',
        sub { rows("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
            AND objsubid = x'4901'::int AND granted") == 1; });
    $code->();
    print $slow "[2]\n[3]\n";
    $slow->flush;
    @answer = read_answer($slow);
    is_error(\@answer, 503, '40001', qr/keyed.*dropped/,
        "a table that was dropped $how meanwhile");
    ok($answer[1]{'retry-after'}, "a table that was dropped $how meanwhile: try again");
    is_error([ post('keyed', "[1]\n[2]\n[3]\n", \%staged) ], 404, 'IN404', qr/keyed/,
        "a table that was dropped $how meanwhile: repeat");
    is((post('keyed', '', { 'X-DL-Table-Definition' =>
                definition([ field('n', 'integer') ], replacing_key => ['n']) }))[0],
        200, 'made anew');
}

# one that is going to make or alter its table holds nothing while its body
# comes
sub begin_slow
{
    my ($table, %headers) = @_;
    my $socket = open_write($table, 12, %headers);

    print $socket "[1]\n";
    $socket->flush;
    wait_for('the slow write has begun',
        sub { rows("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
            AND objsubid = x'4901'::int AND granted") == 1; });
    return $socket;
}
my $numbers = definition([ field('n', 'integer') ]);
for my $case ([ 'same', $numbers, 200, "1|1\n2|1\n3|1\n5|1" ],
    [ 'other', definition([ field('n', 'float') ]), 400, '5|1' ])
{
    my ($name, $definition, $expected, $rows) = @$case;

    $slow = begin_slow("made_$name", 'X-DL-Table-Definition' => $definition);
    is(rows("SELECT count(*) FROM pg_stat_activity WHERE backend_xmin IS NOT NULL
        AND pid <> pg_backend_pid()"), '0', 'a slow body holds no snapshot');
    is((post("made_$name", '[5]', { 'X-DL-Table-Definition' => $numbers }))[0], 200,
        'a table that another write is going to make');
    print $slow "[2]\n[3]\n";
    $slow->flush;
    is((read_answer($slow))[0], $expected, "who comes late finds the $name definition");
    is(table("made_$name", 'n, 1'), $rows, "who comes late finds the $name definition: rows");
}
$slow = begin_slow('made_same', 'X-DL-Allow-Alter-Table' => 'true',
    'X-DL-Table-Definition' => definition([ field('n', 'float') ]));
is((post('made_same', '[6]'))[0], 200, 'a write while an alteration sends its rows');
print $slow "[2]\n[xx\n";
$slow->flush;
@answer = read_answer($slow);
is_error(\@answer, 400, '22032', qr/"record":3/, 'an alteration that comes late with a bad row');
is($answer[2]{details}{line}, 3, 'an alteration that comes late with a bad row: line');
is(table('made_same', 'count(*), sum(n)'), '5|17',
    'an alteration that comes late with a bad row: nothing happened');

# --- a client that goes

for my $table ('plain2', 'keyed')
{
    my %same = ('X-DL-Operation-UUID' => uuid());
    my $before = table($table, 'n, 1');
    my $cut = open_write($table, 12, %same);

    print $cut "[7]\n[8]\n";
    $cut->flush;
    close $cut;
    wait_for('the cut write is over',
        sub {
            rows("SELECT count(*) FROM intake.operations
                WHERE operation = '$same{'X-DL-Operation-UUID'}'") == 1;
        });
    is(table($table, 'n, 1'), $before, "$table: a cut write has written nothing");
    ($status, undef, $body) = post($table, "[7]\n[8]\n[9]\n", \%same);
    is_deeply([ $status, $body->{row_count} ], [ 200, 3 ], "$table: its retry");
    is(table($table, 'count(*), sum(n)'), $table eq 'plain2' ? '6|30' : '3|24',
        "$table: its retry, once");
}

# --- altering while a reader reads

post('read', qq{[1,"a"]}, { 'X-DL-Table-Definition' =>
            definition([ field('n', 'integer'), field('s', 'string') ]) });
rows(qq{CREATE ROLE bi; GRANT USAGE ON SCHEMA "$schema" TO bi;
    GRANT SELECT ON "$schema".read TO bi;
    CREATE VIEW public.counted AS SELECT n FROM "$schema".read});
my $reader = $node->background_psql('postgres', on_error_stop => 0);
$reader->query_safe(qq{BEGIN; SELECT * FROM "$schema".read});
my %wider = ('X-DL-Operation-UUID' => uuid(), 'X-DL-Allow-Alter-Table' => 'true',
    'X-DL-Table-Definition' => definition(
        [ field('n', 'integer'), field('s', 'string'), field('d', 'date') ]));
is_error([ post('read', '[2,"b","2024-01-01"]', \%wider) ], 423, '55P03',
    qr/read.*under way/, 'altering while a reader reads');
is($reader->query_safe(qq{SELECT n, s FROM "$schema".read}), '1|a',
    'the reader is undisturbed');
$reader->query_safe('COMMIT');
$reader->quit;
is((post('read', '[2,"b","2024-01-01"]', \%wider))[0], 200, 'altered after the reader');
is(table('read', 'n, s, d'), '2|b|2024-01-01', 'altered after the reader: rows');
is(rows(qq{SET ROLE bi; SELECT n, s, d FROM "$schema".read}), '2|b|2024-01-01',
    'altered: grants are there');
is(rows('SELECT n FROM public.counted'), '2', 'altered: a view is there');
is_error([ post('read', '["c"]', { 'X-DL-Allow-Alter-Table' => 'true',
        'X-DL-Table-Definition' => definition([ field('s', 'string') ]) }) ],
    400, '2BP01', qr/counted/, 'a view in the way');
is(table('read', 'n, s, d'), '2|b|2024-01-01', 'a view in the way: nothing happened');

# --- partitions

post('events', join("\n",
        '["2024-07-01","2024-07-01T10:00:00Z","view",1]',
        '["2024-07-31","2024-07-31T23:59:59Z","view",2]',
        '["2024-08-01","2024-08-01T00:00:00Z","click",3]',
        '["2024-08-02","2024-08-01T23:00:00-02:00","click",4]',
        '["2024-08-02","2024-08-02T01:00:00",null,5]'),
    { 'X-DL-Table-Definition' => definition(
        [ field('day', 'date'), field('at', 'datetime'),
            field('event type', 'string', nullable => JSON::PP::true),
            field('n', 'integer') ],
        partition_key => ["date_trunc('month', day)"]) });

# Gives the table another partition key; data is kept.
sub set_key
{
    my ($table, @items) = @_;
    my $definition = rows("SELECT definition FROM intake.connection_table
        WHERE table_name = '$table'");
    my $json = decode_json($definition);

    $json->{partition_key} = \@items;
    delete $json->{replacing_key};
    my ($status, undef, $body) = post($table, '', { 'X-DL-Allow-Alter-Table' => 'true',
            'X-DL-Table-Definition' =>
                JSON::PP->new->ascii->canonical->encode($json) });
    is_deeply([ $status, $body->{old_data_was_dropped} ], [ 200, JSON::PP::false ],
        "key @items");
    return;
}

my $request_id = 'my-request';
my %named = ('X-DL-Operation-UUID' => uuid(), 'X-Request-Id' => $request_id);
my $july = { partitions => [ { "date_trunc('month', day)" => '2024-07-01' } ] };
($status, undef, $body) = remove('events', $july, \%named);
is($status, 200, 'delete by month');
is_deeply($body, { deleted_partition_keys => [ ['2024-07-01'] ],
        success => JSON::PP::true, request_id => $request_id,
        partition_key_columns => ["date_trunc('month', day)"],
        message => $body->{message} }, 'delete by month: answer');
like($body->{message}, qr/\b2 rows\b/, 'delete by month: message');
is(table('events', 'n, 1'), "3|1\n4|1\n5|1", 'delete by month: rows');
my $told = $body->{message};
post('events', '["2024-07-05","2024-07-05T00:00:00Z","view",6]');
($status, $headers, $body) = remove('events', $july, \%named);
is_deeply([ $status, $headers->{'idempotent-replayed'}, $body->{message},
        $body->{deleted_partition_keys} ],
    [ 200, 'true', $told, [ ['2024-07-01'] ] ], 'delete by month: repeat');
is(table('events', 'n, 1'), "3|1\n4|1\n5|1\n6|1", 'delete by month: once');
is_error([ remove('events', { partitions => [] }, \%named) ], 422, 'IN422',
    qr/other content/, 'delete: repeat with another body');
is_error([ post('events', '', { 'X-DL-Operation-UUID' =>
            $named{'X-DL-Operation-UUID'} }) ], 422, 'IN422', qr/other content/,
    'a write as a repeat of a delete');

# what is wrong with a value is told under the name that the client knows
set_key('events', "DATE_TRUNC( 'Month' ,day)");
@answer = remove('events',
    { partitions => [ { "DATE_TRUNC( 'Month' ,day)" => 'July' } ] });
is_error(\@answer, 400, '22007', qr/July/, 'delete by no month');
is($answer[2]{details}{column}, "DATE_TRUNC( 'Month' ,day)",
    'delete by no month: called as the definition does');

set_key('events', 'day');
($status, undef, $body) = remove('events',
    { partitions => [ { day => '2024-08-01' }, { day => '2024-07-05' } ] });
is_deeply([ $status, $body->{deleted_partition_keys}, $body->{partition_key_columns} ],
    [ 200, [ ['2024-08-01'], ['2024-07-05'] ], ['day'] ], 'delete by day');
is(table('events', 'n, 1'), "4|1\n5|1", 'delete by day: rows');
for my $again (1, 2)
{
    ($status, undef, $body) = remove('events', { partitions => [ { day => '2024-08-02' } ] },
        $again == 1 ? { 'X-DL-Client-Id' => $partner->{client} } : {});
    is($status, 200, 'delete without a UUID');
    like($body->{message}, $again == 1 ? qr/\b2 rows\b/ : qr/\b0 rows\b/,
        'delete without a UUID: each does its work');
    ok($body->{request_id}, 'delete: a request_id of the server');
}

set_key('events', 'event type', "date_trunc('day', at)");
post('events', join("\n",
        '["2024-08-01","2024-08-01T00:00:00Z","click",3]',
        '["2024-08-02","2024-08-01T23:00:00-02:00","click",4]',
        '["2024-08-02","2024-08-02T01:00:00",null,5]'));
($status, undef, $body) = remove('events', { partitions => [
        { "date_trunc('day', at)" => '2024-08-02T00:00:00Z', 'event type' => undef },
        { 'event type' => 'click', "date_trunc('day', at)" => '2024-08-02' } ] });
is_deeply([ $status, $body->{deleted_partition_keys} ],
    [ 200, [ [ undef, '2024-08-02T00:00:00Z' ], [ 'click', '2024-08-02' ] ] ],
    'delete by event type and day');
is(table('events', 'n, 1'), '3|1', 'delete by event type and day: rows');
set_key('events', 'event type');
($status, undef, $body) = remove('events', { partitions => [ { 'event type' => 'click' } ] });
is_deeply([ $status, $body->{deleted_partition_keys} ], [ 200, [ ['click'] ] ],
    'delete by event type');
is(table('events'), '', 'delete by event type: rows');
set_key('events', 'n', 'day');
($status, undef, $body) = remove('events', { partitions => [ { n => 7, day => '2024-01-01' } ] });
is_deeply($body->{deleted_partition_keys}, [ [ '7', '2024-01-01' ] ],
    'values are told as strings');

# --- what users do to the table beside its definition

my $fits = definition([ field('day', 'date'), field('other', 'date'),
        field('n', 'integer') ], replacing_key => ['n'],
    partition_key => ["date_trunc('year', day)", 'other']);
my $year = { partitions => [
        { "date_trunc('year', day)" => '2024-01-01', other => '2025-01-01' } ] };
post('fits', '["2024-07-01","2025-01-01",1]', { 'X-DL-Table-Definition' => $fits });
rows(qq{SELECT intake.register_table('"$schema".fits', replacing_key => '{other}',
    partition_key => ARRAY['other', 'day'])});
my $unfit = qr/registered with other keys/;
is_error([ remove('fits', $year) ], 503, '55000', $unfit, 'other keys: delete');
is_error([ post('fits', '["2023-01-01","2025-01-01",2]') ], 503, '55000', $unfit,
    'other keys: write');
is_error([ post('fits', '["2023-01-01","2025-01-01",2]',
        { 'X-DL-Table-Definition' => $fits }) ], 503, '55000', $unfit,
    'other keys: write with the definition');
is((post('fits', '["2023-01-01","2025-01-01",2]', { 'X-DL-Table-Definition' => $fits,
            'X-DL-Allow-Alter-Table' => 'true' }))[0], 200,
    'other keys: write that may alter');
is(table('fits', 'n, 1'), "1|1\n2|1", 'other keys: what was there stays');
is(rows(qq{SELECT replacing_key FROM intake.entities
        WHERE target = '"$schema".fits'::regclass}), '{n}', 'other keys give way');
rows(qq{SELECT intake.register_table('"$schema".fits', replacing_key => '{n}',
    partition_key => ARRAY[\$\$date_trunc('year', day::timestamp)\$\$, 'other'])});
is((remove('fits', $year))[0], 200, 'the same keys in other words');
is(table('fits', 'n, 1'), '2|1', 'the same keys in other words: rows');

for my $column ('day', 'n')
{
    rows(qq{ALTER TABLE "$schema".fits RENAME COLUMN $column TO "Its owner's"});
    $unfit = qr/Column .{1,2}$column\W+was dropped/;
    is_error([ remove('fits', $year) ], 503, '55000', $unfit, "$column renamed: delete");
    is_error([ post('fits', '["2022-01-01","2025-01-01",3]') ], 503, '55000', $unfit,
        "$column renamed: write");
    is_error([ post('fits', '["2022-01-01","2025-01-01",3]',
            { 'X-DL-Table-Definition' => $fits, 'X-DL-Allow-Alter-Table' => 'true' }) ],
        503, '55000', $unfit, "$column renamed: write that may alter");
    is((curl(-H => "Authorization: Bearer $partner->{token}", -d => $fits,
            -H => 'Content-Type: application/json',
            data_url('fits') =~ s/data$/definition/r))[0], 503,
        "$column renamed: its definition again");
    is(table('fits', 'count(*), 1'), '1|1', "$column renamed: data is kept");
    rows(qq{ALTER TABLE "$schema".fits RENAME COLUMN "Its owner's" TO $column});
    is((remove('fits', $year))[0], 200, "$column called as before: delete");
}
is((post('fits', '["2022-01-01","2025-01-01",3]'))[0], 200, 'and write');
rows(qq{ALTER TABLE "$schema".fits ADD COLUMN filled int NOT NULL DEFAULT 1;
    ALTER TABLE "$schema".fits ALTER COLUMN filled DROP DEFAULT});
is_error([ post('fits', '["2022-01-01","2025-01-01",4]') ], 422, '23000', qr/filled/,
    'a column that he wants to be filled');
is_error([ post('fits', '["2022-01-01",null,4]') ], 400, '23502', qr/other/,
    'null where the definition has none');
rows(qq{ALTER TABLE "$schema".fits DROP COLUMN filled});
rows(qq{CREATE ROLE heir; ALTER TABLE "$schema".fits OWNER TO heir});
is_error([ post('fits', '["2022-01-01","2025-01-01",4]') ], 404, 'IN404', qr/fits/,
    'a table that he has given away');
is((curl(-X => 'DELETE', -H => "Authorization: Bearer $partner->{token}",
        data_url('fits') =~ s/data$/definition/r))[0], 204,
    'a table that he has given away: its definition goes');
is_error([ post('fits', '["2024-01-01","2025-01-01",4]',
        { 'X-DL-Table-Definition' => $fits }) ], 400, '42P07', qr/taken/,
    'a table that he has given away: its name is not free');
is(rows(qq{SELECT count(*) FROM "$schema".fits}), 2,
    'a table that he has given away: it is there');
rows(qq{DROP TABLE "$schema".fits});
is((post('fits', '["2022-01-01","2025-01-01",3]', { 'X-DL-Table-Definition' => $fits }))[0],
    200, 'made anew');
rows(qq{ALTER TABLE "$schema".fits ADD COLUMN more text, DROP COLUMN other,
    ALTER COLUMN day TYPE timestamp, ADD CHECK (n < 100)});
is_error([ post('fits', '["2022-01-01","2025-01-01",4]') ], 503, '55000', qr/other/,
    'a column that was dropped');
is((post('fits', '["2022-01-01",4]', { 'X-DL-Allow-Alter-Table' => 'true',
            'X-DL-Table-Definition' => definition([ field('day', 'date'),
                    field('n', 'integer') ]) }))[0], 200,
    'a column that was dropped: a definition without it');
is(table('fits', 'n, more'), '4|', 'a column that was dropped: rows');

my @bad_deletes = (
    [ '{', '22023', qr/JSON/, 'no JSON' ],
    [ '[]', '22023', qr/object/, 'no object' ],
    [ '{}', '22023', qr/partitions/, 'no list' ],
    [ '', '22023', qr/object/, 'no body' ],
    [ '{"partitions":{}}', '22023', qr/array/, 'a list that is none' ],
    [ '{"partitions":[],"more":1}', '22023', qr/no other member/, 'another member' ],
    [ '{"partitions":[1]}', '22023', qr/Partition 1/, 'a partition that is none' ],
    [ '{"partitions":[{"n":1,"day":"2024-01-01"},{"n":1}]}', '22023',
        qr/partition 2 does not give .{1,2}day/, 'a missing column' ],
    [ '{"partitions":[{"n":1,"day":"2024-01-01","s":1}]}', '22023',
        qr/partition 1 .*s/, 'an unknown column' ],
    [ '{"partitions":[{"n":1,"n":2,"day":"2024-01-01"}]}', '22023',
        qr/twice/, 'a member twice' ],
    [ '{"partitions":[{"n":"1","day":"2024-01-01"}]}', '22P02',
        qr/"record":1/, 'a string for a number' ],
    [ '{"partitions":[{"n":1,"day":20240101}]}', '22P02', qr/number/,
        'a number for a date' ],
    [ '{"partitions":[{"n":1,"day":"1 January"}]}', '22007', qr/1 January/,
        'no date' ]);
for my $bad (@bad_deletes)
{
    my ($text, $code, $like, $what) = @$bad;

    is_error([ remove('events', $text) ], 400, $code, $like, "delete: $what");
}
is_error([ remove('events', '{}', { 'Content-Type' => 'text/csv' }) ], 415, 'IN415',
    qr/application\/json/, 'delete: another content type');
is_error([ remove('missing', { partitions => [] }) ], 404, 'IN404', qr/missing/,
    'delete: no table');
is_error([ remove('events', '{}', { 'X-DL-Client-Id' => 'x' }) ], 403, '42501',
    qr/client/, 'delete: another client');
is_error([ remove('events', '{}', { 'X-DL-Operation-UUID' => 'x' }) ], 400, '22023',
    qr/UUID/, 'delete: no good UUID');

# --- the seven types; shared with test/sql/strict_types.sql is the matrix

my @types = qw(string integer float date datetime boolean geopoint);
my $nullable = [ map { field($_, $_, nullable => JSON::PP::true) } @types ];
post('types', '', { 'X-DL-Table-Definition' => definition($nullable) });
($status) = post('types', join("\n",
        '["a",1,1.5,"2024-02-29","2024-02-29T10:00:00+03:00",true,"[55.75,37.62]"]',
        '["b",-1,2,"2024-02-29","2024-02-29T10:00:00",false,[55.75,37.62]]',
        '["c",null,null,null,null,null,null]'));
is($status, 200, 'types');
is(rows(qq{SET timezone = 'UTC'; SELECT * FROM "$schema".types ORDER BY 1}),
    "a|1|1.5|2024-02-29|2024-02-29 07:00:00+00|t|(55.75,37.62)\n"
        . "b|-1|2|2024-02-29|2024-02-29 10:00:00+00|f|(55.75,37.62)\nc||||||",
    'types: values');
my %wrong = (string => '1', integer => '"1"', float => 'true', date => '"29.02.2024"',
    datetime => '1709200000', boolean => '0', geopoint => '"(1,2)"');
for my $i (0 .. $#types)
{
    my @values = ('null') x @types;

    $values[$i] = $wrong{ $types[$i] };
    @answer = post('types', '[' . join(',', @values) . ']');
    is($answer[0], 400, "$types[$i]: refused");
    is_deeply([ @{ $answer[2]{details} }{qw(record line column)} ],
        [ 1, 1, $types[$i] ], "$types[$i]: place");
    ok(exists $answer[2]{details}{value}, "$types[$i]: value");
}
post('strictly', '', { 'X-DL-Table-Definition' => definition([ field('n', 'integer') ]) });
is_error([ post('strictly', "[1]\n[null]") ], 400, '23502', qr/"n"/,
    'null where the column is not nullable');
for my $bad ([ '[1,2]', qr/2/ ], [ '[]', qr/0/ ], [ '{"n":1}x', qr/record/ ],
    [ '[1', qr/./ ], [ '1', qr/./ ], [ qq{[1]\n[2]\n\xff}, qr/./ ])
{
    @answer = post('strictly', $bad->[0]);
    is($answer[0], 400, "no row: $bad->[0]");
    like(encode_json($answer[2]), $bad->[1], "no row: $bad->[0]: text");
}
is(table('strictly', 'count(*), 1'), '0|1', 'nothing of it is there');

is_error([ post('types', '["' . 'x' x 70000 . '",null,null,null,null,null,null]') ],
    413, '54000', qr/max_record_size/, 'a long record');
write_file("$scratch/long", ' ' x (4 * 1024 * 1024) . '{}');
is_error([ remove('types', "\@$scratch/long") ], 413, 'IN413', qr/longer/,
    'a long list of partitions');

# what the table's owner has added
rows(qq{ALTER TABLE "$schema".strictly ADD CHECK (n <> 13);
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \$\$
    BEGIN
        IF NEW.n = 14 THEN RAISE EXCEPTION 'not 14'; END IF;
        IF NEW.n = 15 THEN RAISE EXCEPTION 'not now' USING ERRCODE = '40001'; END IF;
        RETURN NEW;
    END \$\$;
    CREATE TRIGGER refuse BEFORE INSERT ON "$schema".strictly
        FOR EACH ROW EXECUTE FUNCTION refuse()});
is_error([ post('strictly', "[1]\n[13]") ], 422, '23514', qr/"constraint"/,
    'a constraint of the owner');
is_error([ post('strictly', "[1]\n[14]") ], 422, 'P0001', qr/not 14/,
    'a trigger of the owner');
@answer = post('strictly', "[1]\n[15]");
is_error(\@answer, 503, '40001', qr/not now/, 'what may go well later');
ok($answer[1]{'retry-after'}, 'what may go well later: try again');

# any UUID, however it is written
for my $uuid ('00000000-0000-0000-0000-000000000000',
    'C232AB00-9414-11EC-B3C8-9F6BDECED846', '017f22e2-79b0-7cc3-98c4-dc0c0c07398f',
    'ffffffff-ffff-ffff-ffff-ffffffffffff')
{
    is((post('strictly', '[1]', { 'X-DL-Operation-UUID' => $uuid }))[0], 200, $uuid);
    ($status, $headers) = post('strictly', '[1]', { 'X-DL-Operation-UUID' => lc $uuid });
    is_deeply([ $status, $headers->{'idempotent-replayed'} ], [ 200, 'true' ],
        "$uuid: repeat");
}
is(table('strictly', 'n, count(*) OVER ()'), join("\n", ('1|4') x 4), 'each of them once');
is((curl((map { (-H => $_) } write_headers()), -H => 'X-DL-Operation-UUID: ' . uuid(),
        -X => 'POST', -d => '[1]', data_url('strictly')))[0], 400, 'two UUIDs');

# --- names and values that are SQL

my $bobby = q{Robert'); DROP TABLE "goods"; --};
my @names = ($bobby, 'a"b', "a'b", "\x{442}\x{430}\x{431}\x{43b}\x{438}\x{446}\x{430}",
    'x' x 63, ' ', '%s', '\\', "\x{1f600}");
for my $name (@names)
{
    my $utf8 = $name;
    my @row = ($name, 'value');

    utf8::encode($utf8);
    ($status, undef, $body) = post($utf8, JSON::PP->new->utf8->encode(\@row),
        { 'X-DL-Table-Definition' => definition(
            [ field($name, 'string', title => $name), field('other', 'string') ],
            title => $name, replacing_key => [$name], partition_key => [$name]) });
    is_deeply([ $status, $body->{row_count} ], [ 200, 1 ], "$utf8: written")
        or diag(explain($body));
    ($status) = post($utf8, JSON::PP->new->utf8->encode(\@row));
    is(table($utf8), "$utf8|value", "$utf8: replaced");
    ($status, undef, $body) = remove($utf8,
        JSON::PP->new->utf8->encode({ partitions => [ { $name => $name } ] }));
    is_deeply([ $status, $body->{deleted_partition_keys} ], [ 200, [ [$name] ] ],
        "$utf8: deleted");
    is(table($utf8), '', "$utf8: gone");
}
is(table('goods'), "Russia|Kazan|10\nRussia|Moscow|1", 'the goods are still there');

# the header in UTF-8, as it is
($status) = post('utf8', '["a"]', { 'X-DL-Table-Definition' =>
            qq({"schema":[{"name":"\xd1\x84","type":"string"}]}) });
is($status, 200, 'a definition in UTF-8');
is(rows(qq{SELECT "\xd1\x84" FROM "$schema".utf8}), 'a', 'a definition in UTF-8: column');
is((post('utf8', '["a"]', { 'X-DL-Table-Definition' => qq({"schema":"\xff"}) }))[0], 400,
    'a header that is not UTF-8');

# --- how bodies come

my $gzip = "$scratch/rows.gz";
post('bodies', '', { 'X-DL-Table-Definition' => definition([ field('n', 'integer') ]) });
write_file("$scratch/rows", join('', map { "[$_]\n" } 1 .. 50000));
system_or_bail('sh', '-c', "gzip -c '$scratch/rows' > '$gzip'");
my %zipped = ('X-DL-Operation-UUID' => uuid(), 'Content-Encoding' => 'gzip');
($status, undef, $body) = post('bodies', "\@$gzip", \%zipped);
is_deeply([ $status, $body->{row_count} ], [ 200, 50000 ], 'gzip');
delete $zipped{'Content-Encoding'};
($status, undef, $body) = post('bodies', "\@$scratch/rows", \%zipped);
is_deeply([ $status, $body->{row_count} ], [ 200, 50000 ], 'a repeat that is not compressed');
my $digest = `openssl dgst -sha256 -binary '$scratch/rows' | openssl base64 -A`;
my %digested = ('X-DL-Force-Truncate' => 'true', 'Content-Digest' => "sha-256=:$digest:");
is((post('bodies', "\@$scratch/rows", \%digested))[0], 200, 'Content-Digest');
is_error([ post('bodies', '[1]', \%digested) ], 400, 'IN400', qr/digest/,
    'another Content-Digest');
($status, undef, $body) = post('bodies', "\@$scratch/rows",
    { 'X-DL-Allow-Alter-Table' => 'true', 'X-DL-Table-Definition' =>
            definition([ field('n', 'float') ]) });
is_deeply([ $status, $body ],
    [ 200, { old_data_was_dropped => JSON::PP::true, row_count => 50000 } ],
    'a spooled body');
is(table('bodies', 'count(*), sum(n)'), '50000|1250025000', 'a spooled body: rows');
my %cut = ('X-DL-Operation-UUID' => uuid(), 'X-DL-Allow-Alter-Table' => 'true',
    'X-DL-Table-Definition' => definition([ field('n', 'integer') ]));
my $broken = open_write('bodies', 1000000, %cut);
print $broken join('', map { "[$_]\n" } 1 .. 1000);
$broken->flush;
close $broken;
wait_for('the cut alteration is over',
    sub {
        rows("SELECT count(*) FROM intake.operations
            WHERE operation = '$cut{'X-DL-Operation-UUID'}'") == 1;
    });
is(table('bodies', 'count(*), sum(n)'), '50000|1250025000',
    'a cut alteration has done nothing');
SKIP:
{
    skip 'curl has no HTTP/2', 2 if `curl --version` !~ /HTTP2/;
    ($status, undef, $body) = post('bodies', "\@$scratch/rows",
        { 'X-DL-Force-Truncate' => 'true' }, '--http2-prior-knowledge');
    is_deeply([ $status, $body->{row_count} ], [ 200, 50000 ], 'HTTP/2');
    ($status) = post('bodies', "\@$scratch/rows", { 'X-DL-Data-Format' => undef },
        '--http2-prior-knowledge');
    is($status, 400, 'HTTP/2: refused');
}

# --- the description

($status, undef, $body) = curl("$base/openapi.json");
my $methods = $body->{paths}{'/provider/v1/connection/{connection_id}/table/{table_name}/data'};
is_deeply([ map { "$_->{name} $_->{in} " . ($_->{required} ? 'required' : 'optional') }
        @{ $methods->{post}{parameters} } ],
    [ 'connection_id path required', 'table_name path required',
        'X-DL-Client-Id header required', 'X-DL-Operation-UUID header required',
        'X-DL-Data-Format header required', 'X-DL-Table-Definition header optional',
        'X-DL-Allow-Alter-Table header optional', 'X-DL-Force-Truncate header optional' ],
    'headers of a write');
is_deeply([ keys %{ $methods->{post}{requestBody}{content} } ],
    ['application/x-ndjson'], 'body of a write');
is_deeply([ keys %{ $methods->{delete}{requestBody}{content} } ],
    ['application/json'], 'body of a delete');

# --- a table that is gone

curl(-X => 'DELETE', -H => "Authorization: Bearer $partner->{token}",
    data_url('plain') =~ s/data$/definition/r);
is_error([ post('plain', '[1,"2024-01-01"]') ], 404, 'IN404', qr/plain/,
    'a table that was deleted');
($status, undef, $body) = post('plain', $payload, \%first);
is_deeply([ $status, $body ], [ 200, $plain_answer ],
    'repeat after the table was deleted');

$node->stop;

# --- a database that is not in UTF-8

($node, $base) = make_gateway('datalens_latin', "pg_intake.database = 'latin'");
$node->start;
$node->safe_psql('postgres', "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
$database = 'latin';
rows('CREATE EXTENSION pg_intake');
wait_for_gateway($base);
$partner = make_partner('latin');
$schema = $partner->{schema};
my $word = "\x{e9}t\x{e9}";
my $utf8_word = $word;
utf8::encode($utf8_word);
for my $how ('ASCII', 'UTF-8')
{
    my $json = JSON::PP->new->canonical;
    my $text = ($how eq 'ASCII' ? $json->ascii : $json->utf8)->encode(
        { schema => [ field($word, 'string') ], partition_key => [$word] });

    ($status, undef, $body) = post($utf8_word, qq{["$utf8_word"]},
        { 'X-DL-Table-Definition' => $text });
    is_deeply([ $status, $body ], [ 200, { old_data_was_dropped => JSON::PP::false,
                row_count => 1 } ], "LATIN1: written, definition in $how");
}
is(rows(qq{SET client_encoding = 'UTF8'; SELECT "$utf8_word" FROM "$schema"."$utf8_word"}),
    "$utf8_word\n$utf8_word", 'LATIN1: rows');
($status, undef, $body) = remove($utf8_word,
    JSON::PP->new->utf8->encode({ partitions => [ { $word => $word } ] }));
is_deeply([ $status, $body->{deleted_partition_keys}, $body->{message} ],
    [ 200, [ [$word] ], '2 rows of 1 partition deleted' ], 'LATIN1: deleted');
is((post($utf8_word, qq{["\xd1\x84"]}))[0], 400, 'LATIN1: a value that it cannot hold');
is((remove($utf8_word, qq({"partitions":[{"$utf8_word":"\xd1\x84"}]})))[0], 400,
    'LATIN1: a partition that it cannot hold');
is((post("\xd1\x84", '[1]'))[0], 400, 'LATIN1: a name that it cannot hold');
$node->stop;
done_testing();
