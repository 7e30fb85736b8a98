# The native endpoint over HTTP, with the program, loaders and curl: uploads in
# each content type, repeats, the status of an operation, partition deletes,
# digests, and each kind of failure with its status and position.

use strict;
use warnings;

use Digest::SHA qw(sha256_base64 sha512_base64);
use FindBin;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use lib "$FindBin::RealBin/../lib";
use IntakeGateway;

my ($node, $base) =
    make_gateway('gateway', "pg_intake.table_lock_timeout = '100ms'");
start_gateway($node, $base, q{
    CREATE SCHEMA shop;
    GRANT USAGE ON SCHEMA shop TO writer;
    CREATE TABLE shop.sales (id int PRIMARY KEY, product text,
        units int CHECK (units < 1000));
    CREATE TABLE shop.days (day date, v int);
    CREATE TABLE shop.closed (id int);
    CREATE TABLE shop.read_only (id int);
    GRANT ALL ON shop.sales, shop.days, shop.closed TO writer;
    GRANT SELECT ON shop.read_only TO writer;
    CREATE SCHEMA hidden;
    CREATE TABLE hidden.t (id int);
    GRANT ALL ON hidden.t TO writer;
    SELECT intake.register_table('shop.sales');
    SELECT intake.register_table('shop.days', partition_key => '{day}');
    SELECT intake.register_table('shop.read_only');
    SELECT intake.register_table('hidden.t')});

my $tables = "$base/v1/tables/shop";
my $scratch = PostgreSQL::Test::Utils::tempdir();

sub file
{
    return write_file("$scratch/$_[0]", $_[1]);
}

sub rows
{
    return $node->safe_psql('postgres', $_[0]);
}

my @csv = (-H => 'Content-Type: text/csv');
my @json = (-H => 'Content-Type: application/json');

# --- what goes in

my $uuid = '4f0c7c4e-3c0b-4c9e-9d57-0d3f2b8f6a11';
my $lines = file('sales.ndjson', "[1, \"pen\", 5]\n{\"id\": 2, \"units\": 6}\n");
my ($status, $headers, $body) =
    curl(@ndjson, -T => $lines, "$tables/sales/operations/$uuid");
is($status, 201, 'PUT creates an operation');
is($headers->{location}, "/v1/tables/shop/sales/operations/$uuid",
    'and says where it is');
is_deeply([ @$body{qw(operation replayed partial rows_received rows_inserted
            rows_affected bytes_received)} ],
    [ $uuid, JSON::PP::false, JSON::PP::false, 2, 2, 2, -s $lines ],
    'and what it did');
is_deeply([ sort keys %$body ],
    [ split /\n/, rows(q{SELECT attname FROM pg_attribute
        WHERE attrelid = 'intake.upload_result'::regclass ORDER BY attname
        COLLATE "C"}) ], 'with the members of intake.upload_result');
is(rows('SELECT * FROM shop.sales ORDER BY id'), "1|pen|5\n2||6",
    'the rows are there');
is(rows("SELECT role, door, status, mode FROM intake.operations
    WHERE operation = '$uuid'"), 'writer|http|succeeded|merge',
    'and so is the record');

($status, $headers, my $again) =
    curl(@ndjson, -T => $lines, "$tables/sales/operations/$uuid");
is("$status $headers->{'idempotent-replayed'}", '200 true',
    'the same again is a replay');
is($again->{finished_at}, $body->{finished_at}, 'with the stored answer');

($status, $headers, $body) =
    curl(@ndjson, '--data-binary' => '[3,"x",1]',
    '-X' => 'PUT', "$tables/sales/operations/$uuid");
is("$status $body->{sqlstate}", '422 IN422', 'other content is refused');

($status, $headers, $body) = curl("$tables/sales/operations/$uuid");
is("$status $body->{status} $body->{rows_inserted}", '200 succeeded 2',
    'GET tells the status and the result');
ok($body->{expires_at}, 'and when it is forgotten');
($status) = curl("$tables/days/operations/$uuid");
is($status, 404, 'but not below another table');
($status) = curl("$tables/sales/operations/00000000-0000-4000-8000-000000000000");
is($status, 404, 'an operation that was never made is unknown');

my $key = '5e0c7c4e-3c0b-4c9e-9d57-0d3f2b8f6a12';
foreach my $form ("\"$key\"", $key)
{
    ($status, $headers, $body) = curl(@csv, -H => "Idempotency-Key: $form",
        '--data-binary' => "id;product;units\n 10;ink;7\n",
        "$tables/sales/operations");
    is("$status $body->{operation}",
        ($form eq $key ? 200 : 201) . " $key", "Idempotency-Key $form");
    is($headers->{location}, "/v1/tables/shop/sales/operations/$key",
        'the operation is at its place');
}
($status, $headers, $body) = curl(@csv,
    '--data-binary' => "id;product;units\n11;nib;8\n",
    "$tables/sales/operations");
is($status, 201, 'without a key the server makes one');
like($headers->{location}, qr{/operations/$body->{operation}$},
    'and tells it');

($status) = curl(-H => 'Content-Type: text/csv; charset="windows-1251"',
    '--data-binary' => '@' . file('cp.csv', "id,product\n12,\xCF\xE5\xF0\xEE\n"),
    "$tables/sales/operations");
is($status, 201, 'CSV in another encoding');
is(rows('SELECT convert_to(product, \'UTF8\') FROM shop.sales WHERE id = 12'),
    '\xd09fd0b5d180d0be', 'is converted');
($status) = curl(@csv, '--data-binary' => "13|cap\n",
    "$tables/sales/operations?header=false&delimiter=%7C&columns=id,product");
is($status, 201, 'options are parameters, names a comma list');
($status) = curl(@csv, '--data-binary' => "14|cup\n",
    "$tables/sales/operations?header=0&delimiter=|&columns=%5B%22id%22%2C%22product%22%5D");
is($status, 201, 'or a JSON array');
is(rows('SELECT product FROM shop.sales WHERE id IN (13, 14) ORDER BY id'),
    "cap\ncup", 'and count');
($status, $headers, $body) = curl(@json,
    '--data-binary' => "[\n[20, \"a\", 1],\n{\"id\": 21,\n\"units\": 2}]",
    "$tables/sales/operations");
is("$status $body->{rows_inserted}", '201 2', 'one JSON array');
($status, $headers, $body) = curl(@ndjson, '--data-binary' => "{\"id\": 20}\n",
    "$tables/sales/operations?sys_op=1");
is("$status $body->{rows_deleted}", '201 1', 'sys_op deletes');
($status, $headers, $body) = curl(@ndjson, '--data-binary' => "[21, \"b\", 3]\n",
    "$tables/sales/operations?mode=merge&existing=keep");
is("$status $body->{rows_skipped}", '201 1', 'mode and existing');
($status, $headers, $body) = curl(@ndjson, '--data-binary' => "[30, \"b\", 3]\n",
    "$tables/sales/operations?dry_run=true");
is("$status $body->{rows_inserted} " . rows(
        'SELECT count(*) FROM shop.sales WHERE id = 30'),
    '200 1 0', 'a dry run keeps nothing');
($status, $headers, $body) =
    curl(@ndjson, '-X' => 'POST', "$tables/sales/operations");
is("$status $body->{rows_received}", '201 0', 'zero bytes are zero records');

$node->safe_psql('postgres', q{
    CREATE TABLE shop.covid ("Date" date, "Confirmed" int);
    GRANT ALL ON shop.covid TO writer;
    SELECT intake.register_table('shop.covid')});
($status, $headers, $body) = curl(-H => 'Content-Type: application/avro',
    -T => 'test/data/covid_days.avro',
    "$tables/covid/operations/dd0c7c4e-3c0b-4c9e-9d57-0d3f2b8f6a12?unknown=ignore");
is($status, 201, 'Avro') or diag(explain($body));

# --- how clients write it

($status, $headers, $body) = curl(@csv, '--data-binary' => '@'
        . file('bom.csv', "\xEF\xBB\xBFid,product\r\n15,cow\r\n"),
    "$tables/sales/operations");
is($status, 201, 'CSV of a spreadsheet: byte order mark and CRLF');
my $upper = 'EE0C7C4E-3C0B-4C9E-9D57-0D3F2B8F6A12';
foreach my $name ($upper, lc($upper))
{
    ($status, $headers, $body) = curl(@ndjson, -T => $lines,
        -H => "Idempotency-Key: $name", "$tables/sales/operations/$name");
    is("$status $body->{operation}",
        ($name eq $upper ? 201 : 200) . ' ' . lc($upper),
        "UUID $name, and the same as a key");
}
$node->safe_psql('postgres', q{
    SET client_encoding = 'UTF8';
    CREATE TABLE shop."Заказы 24/1 +%" (id int PRIMARY KEY);
    GRANT ALL ON shop."Заказы 24/1 +%" TO writer;
    SELECT intake.register_table('shop."Заказы 24/1 +%"')});
foreach my $plus ('+', '%2B')
{
    my $path = '/v1/tables/shop/%D0%97%D0%B0%D0%BA%D0%B0%D0%B7%D1%8B%2024%2F1%20'
        . "$plus%25/operations";

    ($status, $headers, $body) = curl(@ndjson,
        '--data-binary' => "[1]\n", "$base$path");
    is($status, 201, "a table's name in percents, $plus");
    is($headers->{location}, "$path/$body->{operation}",
        'and where its operation is');
    is((curl("$base$headers->{location}"))[2]->{status}, 'succeeded',
        'as it can be asked for');
}

$node->safe_psql('postgres', q{
    CREATE TABLE shop.log (id int);
    GRANT ALL ON shop.log TO writer;
    SELECT intake.register_table('shop.log', kind => 'proxy')});
foreach my $sys_op (0, 1)
{
    ($status, $headers, $body) = curl(@ndjson, '--data-binary' => "[1]\n",
        "$tables/log/operations?sys_op=$sys_op");
    is_deeply([ $status, $body->{rows_inserted}, $body->{warnings} ],
        [ 201, 1, $sys_op == 0 ? undef :
                [ 'sys_op is ignored because the target is a proxy table' ] ],
        "sys_op=$sys_op on a proxy table");
}

# --- partitions

curl(@csv, '--data-binary' => "day,v\n2026-01-01,1\n2026-01-01,2\n2026-01-02,3\n",
    "$tables/days/operations");
($status, $headers, $body) = curl(@json, -H => "Idempotency-Key: $uuid",
    '--data-binary' => '[["2026-01-01"]]', "$tables/days/delete-partitions");
is($body->{sqlstate}, 'IN422', 'the UUID of another operation is refused');
my $delete = 'aa0c7c4e-3c0b-4c9e-9d57-0d3f2b8f6a12';
($status, $headers, $body) = curl(@json, -H => "Idempotency-Key: $delete",
    '--data-binary' => '[["2026-01-01"]]', "$tables/days/delete-partitions");
is("$status $body->{rows_deleted}", '201 2', 'partitions are deleted');
is($headers->{location}, "/v1/tables/shop/days/operations/$delete",
    'as an operation');
is(rows('SELECT * FROM shop.days'), '2026-01-02|3', 'others stay');
($status) = curl(@ndjson, '--data-binary' => '["2026-01-02"]',
    "$tables/days/delete-partitions");
is($status, 415, 'they come as one JSON array');

# --- digests

my $record = "[40,\"d\",1]\n";
my $sha256 = sha256_base64($record);
my $sha512 = sha512_base64($record);
$_ .= '=' x (-length($_) % 4) foreach ($sha256, $sha512);
foreach my $digest ("Content-Digest: sha-256=:$sha256:",
    "Repr-Digest: sha-512=:$sha512:, sha-256=:$sha256:",
    "Content-Digest: sha-256=:$sha256:;from=job, sha-512=:$sha512:",
    "Content-Digest: md5=:AAAA:, sha-256=:$sha256:")
{
    ($status) = curl(@ndjson, -H => $digest, '--data-binary' => $record,
        "$tables/sales/operations");
    is($status, 201, $digest);
}
($status) = curl(@ndjson, -H => "Content-Digest: sha-256=:$sha256:",
    -H => "Content-Digest: sha-512=:$sha512:", '--data-binary' => $record,
    "$tables/sales/operations");
is($status, 201, 'two digests in two lines');
($status) = curl(@ndjson, -H => "Content-Digest: sha-256=:$sha256:",
    -H => "Content-Digest: sha-512=:$sha256:", '--data-binary' => $record,
    "$tables/sales/operations");
is($status, 400, 'of which the second is wrong');
$record = "[41,\"d\",1]\n";
foreach my $digest ("Content-Digest: sha-256=:$sha256:",
    "Repr-Digest: sha-512=:$sha512:", 'Content-Digest: md5=:AAAA:',
    'Content-Digest: nonsense')
{
    ($status) = curl(@ndjson, -H => $digest, '--data-binary' => $record,
        "$tables/sales/operations");
    is($status, 400, "refused: $digest");
}
is(rows('SELECT count(*) FROM shop.sales WHERE id = 41'), '0',
    'nothing is written then');
my $packed = file('packed.gz', '');
system("printf '[42,\"z\",1]\\n' | gzip -c >$packed");
my $packed_sha = sha256_base64(slurp_file($packed));
$packed_sha .= '=' x (-length($packed_sha) % 4);
($status, $headers, $body) = curl(@ndjson, -H => "Content-Encoding: gzip",
    -H => "Content-Digest: sha-256=:$packed_sha:",
    '--data-binary' => "\@$packed", "$tables/sales/operations");
is($status, 201, "the digest is of the bytes that were sent")
    or diag(explain($body), $packed_sha);
($status, $headers, $body) = curl(@ndjson, -H => "Content-Encoding: gzip",
    -H => "Content-Digest: sha-256=:$sha256:",
    '--data-binary' => "\@$packed", "$tables/sales/operations");
is($status, 400, 'not of those that were packed');

# --- failures

# What, status, SQLSTATE, curl's arguments
my @failures = (
    [ 'no such table', 404, 'IN404', @ndjson, '--data-binary' => '[1]',
        "$tables/nothing/operations" ],
    [ 'a table that is not registered', 404, 'IN404', @ndjson,
        '--data-binary' => '[1]', "$tables/closed/operations" ],
    [ 'a schema that may not be used', 404, 'IN404', @ndjson,
        '--data-binary' => '[1]', "$base/v1/tables/hidden/t/operations" ],
    [ 'a table that may not be written', 403, '42501', @ndjson,
        '--data-binary' => '[1]', "$tables/read_only/operations" ],
    [ 'no such path', 404, 'IN404', "$base/v2/tables" ],
    [ 'another method', 405, 'IN405', '-X' => 'DELETE',
        "$tables/sales/operations/$uuid" ],
    [ 'no content type', 415, 'IN415', -T => $lines,
        "$tables/sales/operations/$uuid" ],
    [ "curl's own content type", 415, 'IN415', -d => '[1]',
        "$tables/sales/operations" ],
    [ 'no UUID', 400, '22023', @ndjson, -T => $lines,
        "$tables/sales/operations/1234" ],
    [ 'path and key differ', 400, '22023', @ndjson, -T => $lines,
        -H => "Idempotency-Key: $key", "$tables/sales/operations/$uuid" ],
    [ 'a part of a file', 400, '22023', @ndjson, -T => $lines,
        -H => 'Content-Range: bytes 0-5/24', "$tables/sales/operations/$uuid" ],
    [ 'a charset that JSON has not', 415, 'IN415',
        -H => 'Content-Type: application/json; charset=latin1', -d => '[]',
        "$tables/sales/operations" ],
    [ 'the same for partitions', 415, 'IN415',
        -H => 'Content-Type: application/json; charset=latin1', -d => '[]',
        "$tables/days/delete-partitions" ],
    [ 'two charsets', 415, 'IN415', -d => 'id',
        -H => 'Content-Type: text/csv; charset=utf-8; charset=latin1',
        "$tables/sales/operations" ],
    [ 'a charset without a value', 415, 'IN415', -d => 'id',
        -H => 'Content-Type: text/csv; charset', "$tables/sales/operations" ],
    [ 'a charset that is not the encoding', 400, '22023', -d => 'id',
        -H => 'Content-Type: text/csv; charset=utf-8',
        "$tables/sales/operations?encoding=LATIN1" ],
    [ 'names that are no JSON', 400, '22023', @ndjson,
        '--data-binary' => '[1]', '-g', "$tables/sales/operations?columns=[" ],
    [ 'a table without the key', 409, '55000', @ndjson,
        '--data-binary' => '[1]', "$tables/sales/operations?mode=replace" ],
    [ 'JSON that is no array', 422, '22P02', @json, -d => '{"id": 1}',
        "$tables/sales/operations" ],
    [ 'no UUID for a key', 400, '22023', @ndjson, -H => 'Idempotency-Key: "1"',
        '--data-binary' => '[1]', "$tables/sales/operations" ],
    [ 'an unknown parameter', 400, '22023', @ndjson, '--data-binary' => '[1]',
        "$tables/sales/operations?what=1" ],
    [ 'a parameter twice', 400, '22023', @ndjson, '--data-binary' => '[1]',
        "$tables/sales/operations?mode=merge&mode=append" ],
    [ 'a bad mode', 400, '22023', @ndjson, '--data-binary' => '[1]',
        "$tables/sales/operations?mode=upsert" ],
    [ 'a bad sys_op', 400, '22023', @ndjson, '--data-binary' => '[1]',
        "$tables/sales/operations?sys_op=2" ],
    [ 'a sys_op that is no number', 400, '22023', @ndjson,
        '--data-binary' => '[1]', "$tables/sales/operations?sys_op=x" ],
    [ 'a path that is not UTF-8', 400, '22023', "$base/v1/tables/%ff/x/operations/$uuid" ],
    [ 'a column that is not there', 400, '42703', @csv,
        '--data-binary' => "id,colour\n1,red\n", "$tables/sales/operations" ],
    [ 'a constraint', 422, '23514', @ndjson,
        '--data-binary' => "[50,\"much\",1000]\n", "$tables/sales/operations" ],
    [ 'JSON that ends early', 422, '22P02', @json, '--data-binary' => '[[1]',
        "$tables/sales/operations" ]);

foreach my $failure (@failures)
{
    my ($what, $expected, $sqlstate, @arguments) = @$failure;

    ($status, $headers, $body) = curl(@arguments);
    is("$status $body->{sqlstate}", "$expected $sqlstate", $what)
        or diag(explain($body));
    is("$headers->{'content-type'} $body->{status}",
        "application/problem+json $expected", 'is a problem');
}
($status, $headers) = curl('-X' => 'PATCH', "$tables/sales/operations/$uuid");
is($headers->{allow}, 'PUT, GET, HEAD', '405 tells the methods');
foreach my $path ('/metrics', '/actuator/health', '/openapi.json')
{
    ($status, $headers, $body) = curl('-X' => 'OPTIONS', "$base$path");
    is("$status $headers->{allow}", '405 GET, HEAD',
        "$path tells them, too");
    is($body->{request_id}, $headers->{'x-request-id'},
        'the request is named in the problem');
}
foreach my $path ("/v1/tables/shop/sales/operations/$uuid", '/openapi.json',
    '/metrics')
{
    ($status, $headers, $body) = curl('-I', "$base$path");
    ok($status == 200 && $headers->{'content-length'} > 100
            && ($body // '') eq '', "HEAD $path has no body");
}

# --- what helps

# What, curl's arguments, hint
my @helped = (
    [ 'an unknown parameter', [ @ndjson, '--data-binary' => '[1]',
            "$tables/sales/operations?sysOp=1" ],
        qr/^Valid parameters are "mode", "sys_op", "allow_empty", / ],
    [ 'one of a delete', [ @json, -d => '[]',
            "$tables/days/delete-partitions?mode=append" ],
        qr/^Valid parameters are "dry_run", "fast", / ],
    [ 'lines as application/json', [ @json, '--data-binary' => "[1]\n[2]\n",
            "$tables/sales/operations" ], qr{application/x-ndjson} ],
    [ 'an object as application/json', [ @json, -d => '{}',
            "$tables/sales/operations" ], qr{one JSON array} ],
    [ 'partitions that are no array', [ @json, -d => '{}',
            "$tables/days/delete-partitions" ], qr{array of partitions} ],
    (map { [ "a gzip file as @$_", [ @$_, '--data-binary' => "\@$packed",
            "$tables/sales/operations" ], qr/Content-Encoding/ ] }
        \@ndjson, \@csv, \@json));

foreach my $help (@helped)
{
    my ($what, $arguments, $hint) = @$help;

    (undef, undef, $body) = curl(@$arguments);
    like($body->{hint}, $hint, "$what: the hint");
}
(undef, undef, $body) = curl(@ndjson, -T => $lines,
    "$tables/sales/operations/1234");
ok(!exists $body->{operation}, 'what is no UUID is no operation');
(undef, undef, $body) = curl(@csv, '--data-binary' => "[", '-g',
    "$tables/sales/operations?columns=[");
ok($body->{operation}, 'what is one is told');
(undef, undef, $body) = curl("$tables/sales/operations/$uuid?mode=%zz");
like($body->{detail}, qr/percent-encoded/, 'a percent sign in a URL');

my $failed = 'bb0c7c4e-3c0b-4c9e-9d57-0d3f2b8f6a12';
my $bad = file('bad.ndjson', "[60, \"a\", 1]\n\n[61, \"b\", \"many\"]\n");
($status, $headers, $body) = curl(@ndjson, -H => 'X-Request-Id: job 7',
    -T => $bad, "$tables/sales/operations/$failed");
is_deeply([ $status,
        @$body{qw(sqlstate record line column value operation request_id)} ],
    [ 422, '22P02', 2, 3, 'units', 'many', $failed, 'job 7' ],
    'a bad value: its position in members');
is(rows('SELECT count(*) FROM shop.sales WHERE id IN (60, 61)'), '0',
    'nothing of it stays');
is(rows("SELECT status, error->>'value', request_id, bytes_received
    FROM intake.operations WHERE operation = '$failed'"),
    'failed|many|job 7|' . -s $bad, 'the failure is on record');
my $late = 'bb0c7c4e-3c0b-4c9e-9d57-0d3f2b8f6a13';
my $long = file('late.ndjson',
    join('', map { "[$_, \"a\", 1]\n" } 1000 .. 20000) . "[\"x\"]\n");
curl(@ndjson, -T => $long, "$tables/sales/operations/$late");
is(rows("SELECT bytes_received FROM intake.operations
    WHERE operation = '$late'"), -s $long, 'with all the bytes that came');
($status, $headers, $body) = curl("$tables/sales/operations/$failed");
is_deeply([ $status, $body->{status}, $body->{error}{record} ],
    [ 200, 'failed', 2 ], 'GET tells it');
($status) = curl(@ndjson, -T => $lines, "$tables/sales/operations/$failed");
is($status, 201, 'and its UUID may run again');
(undef, undef, $body) = curl(@ndjson, '--data-binary' => "[50,\"much\",1000]\n",
    "$tables/sales/operations");
is($body->{constraint}, 'sales_units_check', 'a constraint is named');

(undef, undef, $body) = curl(@ndjson, -d => '@' . $lines,
    "$tables/sales/operations");
like($body->{hint}, qr/curl -T/, 'lost line ends are told of: NDJSON');
(undef, undef, $body) = curl(@csv,
    -d => '@' . file('two.csv', "id,product\n70,a\n71,b\n"),
    "$tables/sales/operations");
like($body->{hint}, qr/curl -T/, 'and CSV');
(undef, undef, $body) = curl(@ndjson, '--data-binary' => '[70, "a", "x"]',
    "$tables/sales/operations");
unlike($body->{hint} // '', qr/curl -T/, 'but not of one bad record');

# --- locks

my $holder = $node->background_psql('postgres', on_error_stop => 0);
$holder->query_until(qr/begun/,
    "\\echo begun\nBEGIN; LOCK TABLE shop.sales IN ACCESS EXCLUSIVE MODE;\n");
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_locks
    WHERE relation = 'shop.sales'::regclass AND granted
        AND mode = 'AccessExclusiveLock'});
($status, $headers, $body) = curl(@ndjson, -T => $lines,
    "$tables/sales/operations/$key?mode=append");
is("$status $body->{sqlstate} $headers->{'retry-after'}", '423 55P03 1',
    'a busy table is 423 after pg_intake.table_lock_timeout');
$holder->query('ROLLBACK');
$holder->query_until(qr/taken/, "BEGIN; SET ROLE writer; "
        . "SELECT * FROM intake.upload("
        . "'shop.sales', '{\"id\": 80}'::text, operation => 'cc0c7c4e-3c0b-4c9e-9d57-0d3f2b8f6a12');"
        . "\n\\echo taken\n");
($status, $headers, $body) = curl(@ndjson, -T => $lines,
    "$tables/sales/operations/cc0c7c4e-3c0b-4c9e-9d57-0d3f2b8f6a12");
is("$status $body->{sqlstate} $headers->{'retry-after'}", '409 IN423 1',
    'an operation that is running is 409');
(undef, undef, $body) =
    curl("$tables/sales/operations/cc0c7c4e-3c0b-4c9e-9d57-0d3f2b8f6a12");
is($body->{status}, 'running', 'and GET says so');
$holder->quit;

# --- without tokens, what a browser may have been told by any page is not done

($status, $headers, $body) = curl('--data-binary' => '[1]',
    -H => 'Content-Type: application/x-ndjson',
    -H => 'Origin: http://rebound.example:9090',
    "$tables/sales/operations");
is($status, 403, 'a web page has no rights without a token');
like($body->{detail}, qr/"Origin"/, 'and is told so');

# --- the description

($status, $headers, $body) = curl("$base/openapi.json");
is("$status $body->{openapi}", '200 3.1.0', '/openapi.json');
my %described = map {
    my $path = $_;
    map { (uc($_) . " $path" => 1) } keys %{ $body->{paths}{$path} }
} keys %{ $body->{paths} };
foreach my $route (sort keys %described)
{
    my ($method, $path) = split / /, $route;

    $path =~ s/\{operation\}/$uuid/;
    $path =~ s/\{\w+\}/x/g;
    ($status, $headers) = curl('-X' => $method, "$base$path");
    isnt($status, 405, "$route is served");
}
is_deeply([ map { $_->{name} }
        @{ $body->{paths}{'/v1/tables/{schema}/{table}/operations'}{post}{parameters} } ],
    [ qw(schema table mode sys_op), split(/\n/, rows(q{
        SELECT name FROM intake.options() WHERE 'upload' = ANY (calls)
        ORDER BY name COLLATE "C"})), 'Idempotency-Key', 'Content-Digest' ],
    'the parameters are the options');

# What OpenAPI 3.1 wants of each operation.
my %members = map { $_ => 1 } qw(summary parameters requestBody responses
    security);
foreach my $route (sort keys %described)
{
    my ($method, $path) = split / /, $route;
    my $operation = $body->{paths}{$path}{ lc $method };
    my %seen;
    my @faults = grep { !$members{$_} } keys %$operation;

    foreach my $parameter (@{ $operation->{parameters} })
    {
        push @faults, "$parameter->{name} twice"
            if $seen{"$parameter->{in} $parameter->{name}"}++;
        push @faults, "$parameter->{name}: place"
            if $parameter->{in} !~ /^(path|query|header)$/;
        push @faults, "$parameter->{name}: not required"
            if $parameter->{in} eq 'path' && !$parameter->{required};
        push @faults, "$parameter->{name}: no schema"
            if ref $parameter->{schema} ne 'HASH';
    }
    push @faults, map { "$_ is not described" }
        grep { !delete $seen{"path $_"} } $path =~ /\{(\w+)\}/g;
    push @faults, map { "$_ is not in the path" } grep { /^path / } keys %seen;
    push @faults, 'no content' if $operation->{requestBody}
        && !%{ $operation->{requestBody}{content} };
    push @faults, map { "status $_" } grep { !/^([2-5]\d\d|default)$/
        || !$operation->{responses}{$_}{description} }
        keys %{ $operation->{responses} };
    push @faults, 'no responses' if !%{ $operation->{responses} };
    is("@faults", '', "$route is described as OpenAPI wants it");
}
my $paths = $body->{paths};
is_deeply([ map { join(' ', sort keys %{ $_->{responses} }) }
        $paths->{'/v1/tables/{schema}/{table}/operations'}{post},
        $paths->{'/v1/tables/{schema}/{table}/operations/{operation}'}{get},
        $paths->{'/api/v1/datamarts/{datamart}/entities/{entity}/upload'}{post},
        $paths->{'/provider/v1/connection/{connection_id}/client-id'}{delete},
        $paths->{'/actuator/health/readiness'}{get},
        $paths->{'/actuator/health/liveness'}{get},
        $paths->{'/metrics'}{get} ],
    [ '200 201 default', '200 default', '200 default', '204 default',
        '200 503', '200', '200' ], 'the statuses are those that they answer');

$node->stop;
done_testing();
