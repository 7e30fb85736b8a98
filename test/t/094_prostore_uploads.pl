# Prostore's endpoint: the eight requests of its documentation against tables
# of each kind, intermediate answers over HTTP/2, failures, repeats, and what
# is kept when the connection breaks.

use strict;
use warnings;

use Compress::Zlib qw(compress crc32);
use FindBin;
use JSON::PP;
use MIME::Base64 qw(encode_base64url);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use lib "$FindBin::RealBin/../lib";
use IntakeGateway;
use IntakeSocket;

my ($node, $base) = make_gateway('prostore', '');
my $scratch = PostgreSQL::Test::Utils::tempdir();

start_gateway($node, $base, q{
    CREATE SCHEMA marketing;
    CREATE SCHEMA proxy;
    CREATE SCHEMA standalone;
    GRANT USAGE ON SCHEMA marketing, proxy, standalone TO writer;
    CREATE TABLE marketing.sales (id int PRIMARY KEY, varchar_col varchar);
    CREATE TABLE proxy.sales (id int PRIMARY KEY, varchar_col varchar,
        sys_op int);
    CREATE TABLE standalone.sales (id int, varchar_col varchar, sys_op int);
    GRANT ALL ON ALL TABLES IN SCHEMA marketing, proxy, standalone TO writer;
    SELECT intake.register_table('marketing.sales');
    SELECT intake.register_table('proxy.sales', kind => 'proxy');
    SELECT intake.register_table('standalone.sales', kind => 'standalone')});

sub rows
{
    return $node->safe_psql('postgres', $_[0]);
}

# --- Avro, written by hand from its specification

sub zigzag
{
    my ($n) = @_;
    my ($u, $out) = ($n >= 0 ? 2 * $n : -2 * $n - 1, '');

    while ($u > 127) { $out .= chr(($u & 127) | 128); $u >>= 7; }
    return $out . chr($u);
}

sub avro_string { return zigzag(length $_[0]) . $_[0]; }

my $sync = 'sixteen bytes ok';

sub avro_block
{
    my @records = @_;
    my $data = join('', map { zigzag($_->[0]) . avro_string($_->[1]) } @records);

    return zigzag(scalar @records) . zigzag(length $data) . $data . $sync;
}

# Of codec null, or of the one named.
sub avro_header
{
    my ($codec) = @_;
    my $schema = '{"type": "record", "name": "r", "fields": ['
        . '{"name": "id", "type": "int"}, {"name": "varchar_col", "type": "string"}]}';

    return "Obj\x01" . zigzag(defined $codec ? 2 : 1)
        . avro_string('avro.schema') . avro_string($schema)
        . (defined $codec ?
            avro_string('avro.codec') . avro_string($codec) : '')
        . zigzag(0) . $sync;
}

# What a command makes of bytes.
sub through
{
    my ($command, $bytes) = @_;
    my $file = write_file("$scratch/bytes", $bytes);

    return scalar `$command <$file`;
}

# The codecs, as the specification says what is in a block; Snappy's is one
# literal and the checksum of what it holds.
my %codecs = (
    null => sub { $_[0] },
    deflate => sub { substr(compress($_[0]), 2, -4) },
    snappy => sub {
        chr(length $_[0]) . chr((length($_[0]) - 1) << 2) . $_[0]
            . pack('N', crc32($_[0])) },
    bzip2 => sub { through('bzip2 -c', $_[0]) },
    xz => sub { through('xz -c', $_[0]) },
    zstandard => sub { through('zstd -q -c', $_[0]) });

my $avro = write_file("$scratch/sales.avro",
    avro_header() . avro_block([ 1, 'aaa' ], [ 2, 'bbb' ])
        . avro_block([ 3, 'ccc' ]));

# --- tokens

my $key = "$scratch/key.pem";
system_or_bail('openssl', 'genrsa', '-out', $key, '2048');
my ($modulus) = `openssl rsa -in $key -noout -modulus` =~ /=([0-9A-F]+)/;
my $jwk = encode_json({ kty => 'RSA', alg => 'RS256',
        n => encode_base64url(pack('H*', $modulus)), e => 'AQAB' });
$node->safe_psql('postgres', "SELECT intake.trust_key('test', '$jwk');"
        . "SELECT intake.map_principal('1234567890', 'writer')");

sub token
{
    my %claims = @_;
    my $signed = join('.', map { encode_base64url(encode_json($_)) }
            { alg => 'RS256', typ => 'JWT', kid => 'test' }, \%claims);

    write_file("$scratch/signed", $signed);
    return "$signed."
        . encode_base64url(scalar(
            `openssl dgst -sha256 -sign $key $scratch/signed`));
}

my $token = token(sub => '1234567890', name => 'John Doe', iat => 1516239022,
    exp => time() + 600);

# --- the documentation's requests: options, headers, body

my $with_sys_op = "id;varchar_col;sys_op\n     1;aaa;0\n     2;bbb;1\n     3;ccc;0";
my $without = "id;varchar_col\n     1;aaa\n     2;bbb\n     3;ccc";
my @authorization = (-H => "Authorization: Bearer $token");
my @examples = (
    [ '', 'text/csv', [ -d => $with_sys_op ],
        'f65ae2b4-7ee0-4e8b-aab4-fa856d32c723' ],
    [ '', 'text/csv', [ @authorization, -d => $with_sys_op ],
        'f5cd0be6-7047-46e2-a7f3-2d7dcc79b53f' ],
    [ '?sysOp=0&queryId=12345&commitOnDisconnect=true', 'text/csv',
        [ -d => $without ], '8600581d-adde-44ea-b691-a992027f928c' ],
    [ '?sysOp=1&queryId=43345&commitOnDisconnect=false', 'text/csv',
        [ -d => $without ], '4b6c9d58-d0e0-4911-96d4-838bf95319a5' ],
    [ '', 'application/avro', [ '--data-binary' => "\@$avro" ],
        '5db80212-db9d-437a-8e64-4815795b77a5' ],
    [ '', 'application/avro', [ @authorization, '--data-binary' => "\@$avro" ],
        '91118e07-03d5-4d76-8f73-3bb2ad4ba449' ],
    [ '?sysOp=0&queryId=76765&commitOnDisconnect=true', 'application/avro',
        [ '--data-binary' => "\@$avro" ],
        'f1f7a335-e008-4665-9535-e5471305d131' ],
    [ '?sysOp=1&queryId=265384&commitOnDisconnect=false', 'application/avro',
        [ '--data-binary' => "\@$avro" ],
        '2204bc82-714d-4f97-9e3e-fc7909547666' ]);

# What is there after each of them, on an empty table with the row 2;old:
# rows affected, and the rows.
my %expected = (
    marketing => [
        [ 3, '1,aaa 3,ccc' ], [ 3, '1,aaa 3,ccc' ],
        [ 3, '1,aaa 2,bbb 3,ccc' ], [ 1, '' ],
        ([ 3, '1,aaa 2,bbb 3,ccc' ]) x 3, [ 1, '' ] ],
    proxy => [
        ([ 3, '1,aaa,0 2,bbb,1 3,ccc,0' ]) x 2,
        ([ 3, '1,aaa, 2,bbb, 3,ccc,' ]) x 6 ],
    standalone => [
        ([ 3, '1,aaa,0 2,bbb,1 2,old, 3,ccc,0' ]) x 2,
        ([ 3, '1,aaa, 2,bbb, 2,old, 3,ccc,' ]) x 6 ]);

foreach my $kind (sort keys %expected)
{
    foreach my $i (0 .. $#examples)
    {
        my ($options, $type, $arguments, $request_id) = @{ $examples[$i] };
        my ($affected, $rows) = @{ $expected{$kind}[$i] };
        my $columns = $kind eq 'marketing' ? 'id, varchar_col' :
            'id, varchar_col, sys_op';
        my $what = "$kind, example " . ($i + 1);

        $node->safe_psql('postgres', "TRUNCATE $kind.sales;
            INSERT INTO $kind.sales VALUES (2, 'old')");
        my ($status, $headers, $body) = curl('-X' => 'POST',
            "$base/api/v1/datamarts/$kind/entities/sales/upload$options",
            -H => 'accept: application/json',
            -H => "x-request-id: $request_id",
            -H => "Content-Type: $type", @$arguments);
        is($status, 200, $what) or diag(explain($body));
        is($headers->{'x-request-id'}, $request_id, "$what: x-request-id");
        is($body->{result}[0]{rowsAffected}, $affected, "$what: rowsAffected");
        is(rows("SELECT coalesce(string_agg(concat_ws(',', id, varchar_col"
                    . ($kind eq 'marketing' ? '' : ", coalesce(sys_op::text, '')")
                    . "), ' ' ORDER BY id, varchar_col), '') FROM $kind.sales"),
            $rows, "$what: rows");
        is_deeply($body->{warnings}, $kind ne 'marketing'
                && $options =~ /sysOp=1/ ?
                [ "sysOp is ignored because the target is a $kind table" ] :
                undef, "$what: warnings");

        my ($query_id) = $options =~ /queryId=(\d+)/;
        $query_id //= $request_id;
        is($body->{queryId}, $query_id, "$what: queryId");
        is(rows("SELECT query_id, request_id, role FROM intake.operations
            WHERE sys_cn = $body->{result}[0]{sysCn}"),
            "$query_id|$request_id|writer", "$what: record");
    }
}

# --- the answer, member by member

my $url = "$base/api/v1/datamarts/marketing/entities/sales/upload";
my @csv = (-H => 'Content-Type: text/csv');
my $uuid = '4f0c7c4e-3c0b-4c9e-9d57-0d3f2b8f6a11';
my ($status, $headers, $body) = curl(@csv, -H => "Idempotency-Key: \"$uuid\"",
    '--data-binary' => "id;varchar_col\n1;aaa\n", $url);
is_deeply([ sort keys %$body ],
    [ sort qw(queryId result metadata rows statistics) ], 'members');
is_deeply($body->{metadata}, decode_json(q{[
    {"name": "sysCn", "type": "BIGINT", "size": null, "nullable": false},
    {"name": "ts", "type": "TIMESTAMP", "size": 6, "nullable": false},
    {"name": "rowsAffected", "type": "BIGINT", "size": null, "nullable": false}
    ]}), 'metadata');
is($body->{rows}, 1, 'rows');
is($body->{result}[0]{ts}, rows("SELECT to_char(date_trunc('milliseconds',
    finished_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.MS')
    FROM intake.operations WHERE operation = '$uuid'"), 'ts');
like("$body->{statistics}{elapsedTotalMs} $body->{statistics}{elapsedDbMs}",
    qr/^\d+ \d+$/, 'statistics');
my $sys_cn = $body->{result}[0]{sysCn};

($status, $headers, $body) = curl(@csv, -H => "X-DL-Operation-UUID: $uuid",
    '--data-binary' => "id;varchar_col\n1;aaa\n", $url);
is("$status $headers->{'idempotent-replayed'} $body->{result}[0]{sysCn}",
    "200 true $sys_cn", 'a repeat gets the stored answer');
($status, $headers, $body) = curl(@csv, -H => "X-DL-Operation-UUID: $uuid",
    '--data-binary' => "id;varchar_col\n1;bbb\n", $url);
is($status, 422, 'other content does not');

my $holder = $node->background_psql('postgres');
my $running = '4f0c7c4e-3c0b-4c9e-9d57-0d3f2b8f6a12';
$holder->query("BEGIN; SET ROLE writer; SELECT operation FROM intake.upload("
        . "'marketing.sales', '[9, \"x\"]'::text, operation => '$running')");
($status, $headers, $body) = curl(@csv, -H => "Idempotency-Key: $running",
    '--data-binary' => "id;varchar_col\n1;aaa\n", $url);
is("$status $headers->{'retry-after'}", '423 1',
    'an operation that is running is 423');
like($body->{exceptionMessage}, qr/\Q$running\E is in progress/, 'and named');
$holder->query('ROLLBACK');
$holder->quit;

# --- failures

my $columns = qr/The columns are "id", "varchar_col", "sys_op"\.$/;
my @failures = (
    [ 'an unknown option', 400, qr/unrecognized option "sysop"/, @csv,
        -d => 'id', "$url?sysop=1" ],
    [ 'a bad sysOp', 400, qr/sysOp/, @csv, -d => 'id', "$url?sysOp=2" ],
    [ 'a bad flag', 400, qr/commitOnDisconnect/, @csv, -d => 'id',
        "$url?commitOnDisconnect=1" ],
    [ 'no such entity', 404, qr/no table/, @csv, -d => 'id',
        "$base/api/v1/datamarts/marketing/entities/nothing/upload" ],
    [ 'another path', 404, qr/nothing at/, @csv, -d => 'id',
        "$base/api/v1/datamarts/marketing" ],
    [ 'another method', 405, qr/method PUT/, '-X' => 'PUT', $url ],
    [ 'another type', 415, qr/content type/, -d => 'id', $url ],
    [ 'one JSON array', 415, qr/content type/,
        -H => 'Content-Type: application/json', -d => '[]', $url ],
    [ 'lines by another name', 415, qr/content type/,
        -H => 'Content-Type: application/jsonl', -d => '[1, "a"]', $url ],
    [ 'an unknown column', 400, qr/colour.*$columns/, @csv, -d => "id;colour\n1;red",
        $url ],
    [ 'a column twice', 400, qr/more than once.*$columns/, @csv, -d => "id;id\n1;1", $url ],
    [ 'no key', 400, qr/key column "id".*$columns/, @csv, -d => "varchar_col\na", $url ],
    [ 'NULL in the key', 422, qr/null value in key column/, @csv,
        -d => "id;varchar_col\n;a", $url ],
    (map { [ "sys_op $_", 400, qr/invalid value for "sys_op"/, @csv,
            -d => "id;sys_op\n1;$_", $url ] } qw(2 -1 x 0.5 99999999999)),
    (map { [ "sys_op $_", 400, qr/invalid value for "sys_op"/,
            -H => 'Content-Type: application/x-ndjson',
            -d => "{\"id\": 1, \"sys_op\": $_}", $url ] }
        qw(2 "x" true 1.5 70000 [1])),
    [ 'two names', 400, qr/different operations/, @csv,
        -H => "Idempotency-Key: $uuid",
        -H => 'X-DL-Operation-UUID: 00000000-0000-4000-8000-000000000000',
        -d => "id\n1", $url ]);

foreach my $failure (@failures)
{
    my ($what, $expected, $message, @arguments) = @$failure;

    ($status, $headers, $body) = curl(@arguments);
    is($status, $expected, $what) or diag(explain($body));
    like($body->{exceptionMessage}, $message, "$what: exceptionMessage");
}
($status, $headers, $body) = curl(@csv,
    '--data-binary' => "id;varchar_col\n1;a\nx;b\n", $url);
is_deeply([ $status, @$body{qw(sqlState row line column value)} ],
    [ 422, '22P02', 2, 3, 'id', 'x' ], 'a bad value has its position');

(undef, undef, $body) = curl(-d => 'id', $url);
like($body->{hint}, qr{: application/x-ndjson, text/csv, application/avro\.$},
    'the hint lists what Prostore\'s upload takes');

$node->safe_psql('postgres', "TRUNCATE marketing.sales;
    INSERT INTO marketing.sales VALUES (1, 'old'), (2, 'old'), (5, 'old')");
($status) = curl(@csv, '--data-binary' => "id;varchar_col;sys_op\n1;a;\n2;b;\"\"\n"
        . "3;c; 0\n5;d; 1\n6;e;1\n", $url);
is("$status " . rows('SELECT string_agg(id || varchar_col, \' \' ORDER BY id)
    FROM marketing.sales'), '200 1a 2b 3c', 'a sys_op that is empty is 0');

# --- CSV's settings, and what a request says instead

my @forms = (
    [ 'a TAB is found', '', "id\tvarchar_col\n1\ta;b\n", '1a;b' ],
    [ 'so is a bar', '', "varchar_col|id\na,b|1\n", '1a,b' ],
    [ 'delimiter', '?delimiter=,', "id,varchar_col\n1,a;b\n", '1a;b' ],
    [ 'quote', "?quote='", "id;varchar_col\n1;'a;''b'\n", "1a;'b" ],
    [ 'escape', '?escape=%5C', "id;varchar_col\n1;\"a\\\"b\"\n", '1a"b' ],
    [ 'null', '?null=%5CN', "id;varchar_col\n1;\\N\n2;\n3;\"\\N\"\n",
        '1NULL 2 3\\N' ],
    [ 'no null', '', "id;varchar_col\n1;\n2;\"\"\n", '1NULL 2' ],
    [ 'blanks', '', " id ; varchar_col \n 1 ; a \n", '1 a ' ]);

foreach my $form (@forms)
{
    my ($what, $options, $bytes, $rows) = @$form;

    $node->safe_psql('postgres', 'TRUNCATE marketing.sales');
    ($status, $headers, $body) =
        curl(@csv, '--data-binary' => $bytes, "$url$options");
    is("$status " . rows(q{SELECT string_agg(id
        || coalesce(varchar_col, 'NULL'), ' ' ORDER BY id)
        FROM marketing.sales}), "200 $rows", "CSV: $what")
        or diag(explain($body));
}
foreach my $coding ([ 'gzip', 'gzip -c' ], [ 'zstd', 'zstd -q -c' ])
{
    my ($name, $command) = @$coding;
    my $packed = through($command, "id;varchar_col\n1;$name\n");

SKIP:
    {
        skip "$name is not there", 1 if $packed eq '';
        write_file("$scratch/packed", $packed);
        curl(@csv, -H => "Content-Encoding: $name",
            '--data-binary' => "\@$scratch/packed", $url);
        is(rows('SELECT varchar_col FROM marketing.sales WHERE id = 1'),
            $name, "Content-Encoding $name");
    }
}

# --- Avro's codecs

my $records = join('', map { zigzag($_->[0]) . avro_string($_->[1]) }
        [ 7, 'seven' ], [ -8, 'eight' ]);
foreach my $codec (sort keys %codecs)
{
    my $packed = $codecs{$codec}->($records);
    my $file = write_file("$scratch/$codec.avro", avro_header($codec)
            . zigzag(2) . zigzag(length $packed) . $packed . $sync);

SKIP:
    {
        skip "$codec cannot be written here", 1 if $packed eq '';
        $node->safe_psql('postgres', 'TRUNCATE marketing.sales');
        ($status, $headers, $body) =
            curl(-H => 'Content-Type: application/avro',
            '--data-binary' => "\@$file", $url);
        is("$status " . rows(q{SELECT string_agg(id || varchar_col, ' '
            ORDER BY id) FROM marketing.sales}), '200 -8eight 7seven',
            "codec $codec") or diag(explain($body));
    }
}

# --- names of requests

my $log = -s $node->logfile;
curl(@csv, -H => 'x-request-id: its "name"', -d => 'colour',
    "$url?queryId=two%0Alines%1B");
curl(@csv, -H => 'x-request-id: second', -H => 'Content-Encoding: br',
    -d => 'colour', "$url?sysOp=0&queryId=a%20b");
wait_for('the log has both', sub {
        slurp_file($node->logfile, $log) =~ /request id second/ });
my $logged = slurp_file($node->logfile, $log);
like($logged, qr/request "its \\"name\\"", query "two\\nlines\\u001b"/,
    'names in the log are escaped');
like($logged, qr/gzip.*\(request id second, query id a%20b\)/,
    'and in the lines of the HTTP program, too');
is(rows(q{SELECT count(*) FROM pg_stat_activity WHERE query ~
    '^POST /api/v1/.*/upload \(".*", ".*"\)$'}) > 0, 1,
    'and stand in pg_stat_activity');

# --- HTTP/2: answers while the upload goes on

# An upload that is fed a row every tenth of a second until some answer has
# come, and then the rest; returns the answer and how many rows were fed.
# curl looks for answers between two reads of its input.
sub upload_slowly
{
    my ($rest) = @_;
    my $answer = "$scratch/answer";

    write_file("$scratch/rest", $rest);
    unlink("$scratch/stop", $answer);
    my $pid = fork() // die;
    exec('sh', '-c', "(echo 'id;varchar_col'; i=0; while [ ! -e $scratch/stop ];"
            . " do i=\$((i + 1)); echo \"\$i;a\"; sleep 0.1; done;"
            . " cat $scratch/rest) | tee $scratch/fed |"
            . " curl -s -i -N --max-time 60 --http2-prior-knowledge -X POST"
            . " -T - -H 'Content-Type: text/csv' $url >$answer 2>&1")
        if !$pid;
    wait_for('an answer while the upload goes on', sub {
            return -e $answer
                && (() = slurp_file($answer) =~ /rowsReceivedTotal/g) >= 2 });
    write_file("$scratch/stop", '');
    waitpid($pid, 0);
    return (slurp_file($answer),
        scalar(split(/\n/, slurp_file("$scratch/fed"))) - 1);
}

SKIP:
{
    skip 'curl has no HTTP/2', 4 if `curl --version` !~ /HTTP2/;

    my ($out, $fed) = upload_slowly(join('', map { "$_;b\n" } 10001 .. 40000));
    my @totals = $out =~ /^\{"rowsReceivedTotal": (\d+)\}\r?$/mg;

    cmp_ok(scalar @totals, '>=', 2, 'intermediate answers');
    is_deeply(\@totals, [ sort { $a <=> $b } @totals ], 'that rise');
    like($out, qr/"rowsAffected": $fed\}/, 'and the final one');

    ($status, $headers, $body) = curl('--http2-prior-knowledge', @csv,
        '--data-binary' => "id;varchar_col\nx;a\n", $url);
    is($status, 422, 'a small one has its true status');
}

# curl 7.88 may leave a trailer unread that comes together with the end of the
# answer, and wait for it.
SKIP:
{
    my $late = write_file("$scratch/late",
        join('', "id;varchar_col\n", (map { "$_;b\n" } 1 .. 40000), "x;c\n"));

    skip 'nghttp is not installed', 2 if system('which nghttp >/dev/null') != 0;
    my $request = "-H ':method: POST' -H 'content-type: text/csv' -d $late";
    my $out = `nghttp -v --no-dep --timeout=60 $request $url 2>&1`;

    like($out, qr/\{"rowsReceivedTotal": \d+\}\n.*^\{"exceptionMessage": "invalid input/ms,
        'a failure after the beginning ends the stream');
    like($out, qr/recv \(stream_id=\d+\) x-intake-status: 422$/m,
        'with its status in a trailer');
}

# --- what breaks

# Sends a request that is longer than what comes of it, and breaks off; with
# $reads, half-closes and returns the answer.
sub break_off
{
    my ($options, $type, $sent, $operation, $reads, $datamart) = @_;

    $datamart //= 'marketing';
    my $socket = send_part($base,
        "POST /api/v1/datamarts/$datamart/entities/sales/upload$options HTTP/1.1\r\n"
        . "Host: localhost\r\nContent-Type: $type\r\n"
        . "Idempotency-Key: $operation\r\n"
        . "Content-Length: 100000\r\n\r\n$sent");

    if ($reads)
    {
        shutdown($socket, 1);
        return read_answer($socket);
    }
    close($socket);
    return;
}

sub operation
{
    my ($n) = @_;

    return sprintf('00000000-0000-4000-8000-%012d', $n);
}

sub record_of
{
    my ($operation) = @_;
    my $record;

    wait_for('the record of the operation', sub {
            $record = rows("SELECT status, partial, rows_received, bytes_received,
                error->>'message' FROM intake.operations
                WHERE operation = '$operation'") });
    return $record;
}

my $rows = q{SELECT coalesce(string_agg(id || varchar_col, ' ' ORDER BY id), '')
    FROM marketing.sales};
my $sent = "id;varchar_col\n1;a\n2;b\n3;cu";
my $avro_sent = avro_header() . avro_block([ 1, 'a' ], [ 2, 'b' ])
    . substr(avro_block([ 3, 'c' ]), 0, 7);
my $ndjson_sent = "[1,\"a\"]\n{\"id\": 2, \"varchar_col\": \"b\"}\n[3,\"c\"";
my $n = 0;

foreach my $reads (0, 1)
{
    foreach my $form ([ 'text/csv', $sent ], [ 'application/avro', $avro_sent ],
        [ 'application/x-ndjson', $ndjson_sent ])
    {
        my ($type, $bytes) = @$form;
        my $len = length $bytes;
        my $operation = operation($n++);

        $node->safe_psql('postgres', 'TRUNCATE marketing.sales');
        ($status, $headers, $body) =
            break_off('', $type, $bytes, $operation, $reads);
        like(record_of($operation), qr/^failed\|f\|.*the client has gone/,
            "$type: a break is a failure on record");
        is(rows($rows), '', "$type: nothing is kept");
        ok($body->{exceptionMessage}, "$type: the failure is answered")
            if $reads;

        $operation = operation($n++);
        ($status, $headers, $body) = break_off('?commitOnDisconnect=true',
            $type, $bytes, $operation, $reads);
        is(record_of($operation), "succeeded|t|2|$len|the client has gone before the end of the body",
            "$type: with commitOnDisconnect it is a part");
        is(rows($rows), '1a 2b', "$type: whole records are kept");
        is($reads ? $body->{result}[0]{rowsAffected} : 2, 2,
            "$type: the final answer");
    }
}

# The rest of the last form's operation.
my $partial = operation($n - 1);
my $whole = write_file("$scratch/whole", "$ndjson_sent]\n[4,\"d\"]\n");
($status, $headers, $body) = curl(-H => 'Content-Type: application/x-ndjson',
    -H => "Idempotency-Key: $partial", '--data-binary' => "\@$whole", $url);
is("$status $headers->{'idempotent-replayed'}", '200 true',
    'a repeat that begins as the part did gets its answer');
is(rows($rows), '1a 2b', 'and writes nothing');
($status) = curl(-H => 'Content-Type: application/x-ndjson',
    -H => "Idempotency-Key: $partial",
    '--data-binary' => "[1,\"a\"]\n", $url);
is($status, 422, 'a shorter one does not');
my $failed = operation($n - 2);
($status) = curl(-H => 'Content-Type: application/x-ndjson',
    -H => "Idempotency-Key: $failed", '--data-binary' => "\@$whole", $url);
is("$status " . rows($rows), '200 1a 2b 3c 4d', 'a failed one runs again');

# What broke off before its first record, and the other kinds of tables.
foreach my $form ([ 'text/csv', '' ], [ 'text/csv', 'id;varc' ],
    [ 'text/csv', "id;varchar_col\n" ], [ 'text/csv', "id;varchar_col\n3;\"c\n" ],
    [ 'application/avro', substr(avro_header(), 0, 9) ],
    [ 'application/x-ndjson', '' ])
{
    my ($type, $bytes) = @$form;
    my $operation = operation($n++);

    ($status, $headers, $body) = break_off('?commitOnDisconnect=true', $type,
        $bytes, $operation, 1);
    is("$status $body->{result}[0]{rowsAffected} " . record_of($operation),
        '200 0 succeeded|t|0|' . length($bytes)
            . '|the client has gone before the end of the body',
        "$type: a part without records, " . length($bytes) . ' bytes');
}
foreach my $kind (qw(proxy standalone))
{
    my $count = "SELECT count(*) FROM $kind.sales WHERE id > 10";
    my $operation = operation($n++);

    ($status) = break_off('', 'text/csv', "id;varchar_col\n11;a\n12;b\n13;c",
        $operation, 1, $kind);
    like(record_of($operation), qr/^failed/, "$kind: a break is a failure");
    is("$status " . rows($count), '408 0', 'and nothing is kept');
    $operation = operation($n++);
    ($status, $headers, $body) = break_off('?commitOnDisconnect=true',
        'text/csv', "id;varchar_col\n11;a\n12;b\n13;c", $operation, 1, $kind);
    like(record_of($operation), qr/^succeeded\|t\|2\|/,
        "$kind: with commitOnDisconnect it is a part");
    is("$status $body->{result}[0]{rowsAffected} " . rows($count), '200 2 2',
        'and whole records are kept');
}

# --- tokens

$node->safe_psql('postgres', q{ALTER SYSTEM SET pg_intake.authentication = 'jwt'});
$node->reload;
wait_for('tokens are asked for', sub { (curl(@csv, -d => "id\n1", $url))[0] == 401 });
($status, $headers, $body) = curl(@csv, -d => "id\n1", $url);
is("$status $headers->{'www-authenticate'}", '401 Bearer', 'no token');
($status) = curl(@csv, @authorization, -d => "id\n1", $url);
is($status, 200, 'a good one');
my $who = q{SELECT role, "session_user" IS NULL, subject, status
    FROM intake.operations ORDER BY started_at DESC LIMIT 1};
is(rows($who), 'writer|t|1234567890|succeeded',
    'and the record says whose it was');
curl(@csv, @authorization, -d => "id\nx", $url);
is(rows($who), 'writer|t|1234567890|failed', 'that of a failure too');
($status) = curl(@csv, -H => 'Authorization: Bearer '
        . token(sub => 'nobody', exp => time() + 600), -d => "id\n1", $url);
is($status, 403, 'one of somebody who is not mapped');
($status) = curl(@csv, -H => 'Authorization: Bearer '
        . token(sub => '1234567890', exp => time() - 600), -d => "id\n1", $url);
is($status, 401, 'one of yesterday');
is((curl("$base/openapi.json"))[0], 200, 'the description needs none');
my $secret = (split /\./, $token)[2];

# How often a text is in the memory of a process that may be looked into.
sub count_in_memory
{
    my ($pid, $text) = @_;
    my $count = 0;

    open(my $maps, '<', "/proc/$pid/maps") or return -1;
    open(my $memory, '<:raw', "/proc/$pid/mem") or return -1;
    foreach my $line (<$maps>)
    {
        my ($from, $to) = $line =~ /^(\w+)-(\w+) rw.. \S+ 00:00 0\b/ or next;
        my $bytes;

        sysseek($memory, hex($from), 0) or next;
        next if !sysread($memory, $bytes, hex($to) - hex($from));
        $count += () = $bytes =~ /\Q$text\E/g;
    }
    return $count;
}

# What is taken out of the header that a token is in, unlike other headers.
my $seen = join('', map { chr(97 + rand(26)) } 1 .. 30);
curl(@csv, @authorization, -H => "X-Seen: $seen", -d => "id\n1", $url) for 1 .. 9;
my @loaders = split /\n/, rows(q{SELECT pid FROM pg_stat_activity
    WHERE backend_type = 'pg_intake loader'});
SKIP:
{
    my @counts = map { count_in_memory($_, $seen) } @loaders;

    skip 'loaders\' memory cannot be read', 2 if grep { $_ < 0 } @counts;
    ok((grep { $_ > 0 } @counts), 'a header stays in a loader\'s memory');
    is_deeply([ map { count_in_memory($_, $secret) } @loaders ],
        [ map { 0 } @loaders ], 'but no token does');
}
unlike(slurp_file($node->logfile), qr/\Q$secret\E/, 'no token is in the log');

$node->stop;
done_testing();
