# What clients of the partner API send, as their languages and libraries make
# it: values in headers, content types, rows, definitions; and that the answer
# to one client has nothing of another's request.

use strict;
use warnings;

use FindBin;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use lib "$FindBin::RealBin/../lib";
use IntakeGateway;
use IntakePartner;

my ($node, $base) = make_gateway('clients', q{
    pg_intake.max_loaders = 1});
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pg_intake');
wait_for_gateway($base);

my $partner = make_partner($node, $base, 'Partner');
my $path = "/provider/v1/connection/$partner->{connection_id}";
my $definition = { schema => [ { name => 'a', type => 'integer' } ],
    partition_key => ['a'], title => 'T' };
call($partner, 'update_table', body => $definition);

# Status and code of a write, and what the table has then.
sub write_rows
{
    my ($body, %headers) = @_;
    my ($status, $answer) = call($partner, 'write_data', body => $body,
        headers => { 'X-DL-Force-Truncate' => 'true', %headers });

    return join ' ', $status, $answer->{code} // $answer->{row_count};
}

# --- of another's request

my ($status, $body) = call($partner, 'write_data', body => '["a secret"]');
is($body->{details}{value}, 'a secret', 'who sent a bad value is told it');
for my $url ("$base$path/info", "$base/v1/tables/a/b", "$base/iam/v1/nothing")
{
    my (undef, undef, $answer) = curl($url);

    unlike(encode_json($answer), qr/secret|"record"|"line"|"column"/,
        "the next one, by the same loader, is not: $url");
}
($status, $body) = call($partner, 'write_data', body => '[1]',
    headers => { 'X-DL-Data-Format' => undef });
is_deeply([ sort keys %{ $body->{details} } ], ['hint'],
    'an error before there is an operation names none');

# --- rows

is(write_rows($_->[0]), $_->[1], "rows: $_->[2]")
    for [ '{"a": 1}', '400 22032', 'an object' ],
    [ "[1]\n{\"a\": 1}", '400 22032', 'an object behind an array' ],
    [ '[[1], [2]]', '400 22032', 'all rows in one array' ],
    [ '[]', '400 22032', 'no value' ], [ '[1, 2]', '400 22032', 'two values' ],
    [ '', '200 0', 'none' ], [ "\n\n", '200 0', 'blank lines' ],
    [ "\n[1]\n\n[2]\n", '200 2', 'blank lines between them' ],
    [ "[1]\r\n[2]\r\n", '200 2', 'CR LF' ], [ "[1]\n[2]", '200 2', 'no last line end' ],
    [ "\xef\xbb\xbf[1]\n", '200 1', 'a byte order mark' ],
    [ '[1.0]', '200 1', 'an integer with a point' ],
    [ '[1e3]', '200 1', 'an integer with an exponent' ];
is($node->safe_psql('postgres', qq{SELECT a FROM "$partner->{schema}".t}), 1000,
    'the value of the last one');

# --- headers

is(write_rows('[1]', 'X-DL-Force-Truncate' => $_), '200 1', "a flag that is $_")
    for qw(true false True False TRUE FALSE);
is(write_rows('[1]', 'X-DL-Force-Truncate' => $_), '400 22023', "no flag: $_")
    for qw(1 yes t);
is(write_rows('[1]', 'X-DL-Data-Format' => 'Array'), '400 22023',
    'the only format is array');
is(write_rows('[1]', 'Content-Type' => $_), '200 1', "content type $_")
    for 'application/x-ndjson; charset=utf-8', 'application/x-ndjson;charset=UTF-8',
    'application/x-ndjson;charset=utf8', 'application/x-ndjson; charset="UTF-8"',
    'Application/X-NDJSON', 'application/x-ndjson;', 'application/x-ndjson ; ;',
    'application/x-ndjson; profile="a;b\"; c"; charset=utf-8';
is(write_rows('[1]', 'Content-Type' => $_), '415 IN415', "content type $_")
    for 'application/x-ndjson; charset=latin1', 'application/json', 'text/plain',
    'application/x-ndjson, application/x-ndjson', 'application/x-ndjson; utf-8';
for my $type ('application/json;charset=UTF-8', 'application/json;', undef)
{
    my %headers = (headers => { 'Content-Type' => $type },
        curl => defined $type ? [] : [ -H => 'Content-Type:' ]);

    is((call($partner, 'update_table', body => $definition, %headers))[0], 200,
        'a definition of type ' . ($type // 'none'));
    is((call($partner, 'delete_data', body => { partitions => [] },
            %headers))[0], 200, 'partitions of that type');
}
($status, $body) = call($partner, 'update_table', body => $definition,
    headers => { 'Content-Type' => 'application/json; charset=latin1' });
is($status, 415, 'JSON is UTF-8');
is((call($partner, 'link', headers => { 'Content-Type' => 'application/json' },
        body => $_))[0], 200, "linking with body '$_'") for '', '{}';
is((call($partner, 'delete_data', body => { partitions => [] },
        headers => { 'Transfer-Encoding' => 'chunked' }))[0], 200,
    'DELETE with a chunked body');
($status, undef, $body) = curl("$base/iam/v1/tokens",
    -H => 'Content-Type: text/csv', -d => '{}');
is($status, 415, 'a token for no JSON');
unlike($body->{details}{hint}, qr/csv|avro/, 'is told of JSON only');

# --- the token's end, for parsers that know one form

(undef, undef, $body) = curl("$base/iam/v1/tokens",
    -H => 'Content-Type: application/json; charset=utf-8', -d => encode_json(
        { yandexPassportOauthToken => $partner->{oauth_token} }));
like($body->{expiresAt}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, 'a Z, no fraction');
is($node->safe_psql('postgres', "SELECT '$body->{expiresAt}'::timestamptz - now()
    BETWEEN '11:59' AND '12:00'"), 't', 'is 12 hours ahead');

# --- definitions as they are shown

(undef, $body) = call($partner, 'info');
my $shown = $body->{tables}[0];
is($shown->{name}, 't', 'a definition as info shows it');
($status, $body) = call($partner, 'update_table', body => $shown);
is($status, 200, 'can be sent back');
ok(!$body->{old_data_was_dropped}, 'and changes nothing');
is_deeply($body->{new_table_definition}, $shown, 'at all');
is(write_rows('[1]', 'X-DL-Table-Definition' => encode_json($shown)), '200 1',
    'in the header, too');
($status, $body) = call($partner, 'update_table', body => $shown, table => 'other');
is("$status $body->{code}", '400 22023', 'not for another table');
like($body->{details}{detail}, qr/"t", the path's "other"/, 'which is said');
is((call($partner, 'write_data', body => '[1]', table => 'other', headers =>
            { 'X-DL-Table-Definition' => encode_json($shown) }))[0], 400,
    'nor by the header');
($status, $body) = call($partner, 'update_table',
    body => '{"schema": ' . '[' x 100_000);
is("$status $body->{code}", '400 54001', 'JSON that is nested too deeply is bad JSON');

# --- triggers of the users

$node->safe_psql('postgres', qq{
    CREATE FUNCTION public.commits() RETURNS trigger LANGUAGE plpgsql
        AS 'BEGIN COMMIT; RETURN new; END';
    CREATE TRIGGER commits BEFORE INSERT ON "$partner->{schema}".t
        FOR EACH ROW EXECUTE FUNCTION public.commits()});
is(write_rows('[1]'), '422 2D000', 'a trigger that commits is no failure of ours');

$node->stop;
done_testing();
