# Each method of the DataLens Partner API with each status that it can have:
# 200 and 204, 400, 401, 403, 404, 413, 415, 422, 423, 503, and the form of the
# errors (shared/spec/datalens.md, sections 3 and 7).

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

my ($node, $base) = make_gateway('statuses', q{
    pg_intake.table_lock_timeout = '300ms'
    pg_intake.max_loaders = 2
    pg_intake.max_body_size = '6MB'
    pg_intake.max_record_size = '64kB'
    log_statement = 'none'});
my $dir = PostgreSQL::Test::Utils::tempdir();
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pg_intake');
wait_for_gateway($base);

my $partner = make_partner($node, $base, 'Partner');
my $other = make_partner($node, $base, 'Other');
my $definition = { schema => [ { name => 'a', type => 'integer' } ],
    partition_key => ['a'] };
my %bodies = (update_table => $definition, write_data => '[1]',
    delete_data => { partitions => [ { a => 1 } ] });
my %seen;

# POST /iam/v1/tokens as if it were one of the methods.
sub exchange
{
    my (%options) = @_;
    my %headers = ('Content-Type' => 'application/json',
        %{ $options{headers} // {} });
    my ($status, $headers, $body) = curl((map { (-H => "$_: $headers{$_}") }
            keys %headers), '--data-binary' => $options{body},
        "$base/iam/v1/tokens");

    return ($status, $body, $headers);
}

# Calls a method and checks the status and, of an error, code and form.
sub is_status
{
    my ($method, $expected, $code, $what, %options) = @_;
    my ($status, $body, $headers) = $method eq 'exchange' ?
        exchange(%options) :
        call($options{partner} // $partner, $method,
        body => $bodies{$method}, %options);
    my @form = (ref $body, ref $body ? ($body->{code}, ref $body->{details},
            length($body->{message} // '') > 0,
            join(' ', sort keys %$body)) : ());

    is($status, $expected, "$method $expected: $what") or diag(explain($body));
    $seen{$method}{$status} = 1;
    return if $status < 300;
    is_deeply(\@form, [ 'HASH', $code, 'HASH', 1, 'code details message request_id' ],
        'the form of errors');
    is($headers->{'content-type'}, 'application/json', 'its type');
    is($body->{request_id}, $headers->{'x-request-id'}, 'its request');
    is(defined $headers->{'retry-after'}, $status == 423
            || $status == 503 && $code ne '55000', 'whether to try again');
    return;
}

# The same of several methods.
sub are_status
{
    my ($methods, @more) = @_;

    is_status($_, @more) for split / /, $methods;
    return;
}

my $oauth = encode_json({ yandexPassportOauthToken => $partner->{oauth_token} });
my $data = 'update_table write_data delete_data';
my $all = join ' ', @methods;

# --- success

is_status('exchange', 200, undef, 'a token', body => $oauth);
is_status('link', 200, undef, 'linked');
is_status('update_table', 200, undef, 'defined');
is_status('write_data', 200, undef, 'written');
is_status('delete_data', 200, undef, 'deleted');
is_status('info', 200, undef, 'told');
is_status('delete_table', 204, undef, 'dropped');
is_status('unlink', 204, undef, 'unlinked');

# --- 400

is_status('exchange', 400, '22023', 'no object', body => '[]');
is_status('unlink', 400, 'IN400', 'unlinked already',
    headers => { 'X-DL-Client-Id' => undef });
is_status('link', 400, 'IN400', 'tied to another client',
    headers => { 'X-DL-Client-Id' => $other->{client_id} });
call($partner, 'link');
is_status('info', 400, '22023', 'no client',
    headers => { 'X-DL-Client-Id' => undef });
is_status('write_data', 400, '22023', 'no client',
    headers => { 'X-DL-Client-Id' => undef });
is_status('write_data', 400, '22023', "no $_", headers => { $_ => undef })
    for 'X-DL-Operation-UUID', 'X-DL-Data-Format';
is_status('write_data', 400, '22023', "$_->[0] $_->[1]",
    headers => { $_->[0] => $_->[1] })
    for [ 'X-DL-Operation-UUID', '1' ], [ 'X-DL-Data-Format', 'object' ],
    [ 'X-DL-Force-Truncate', 'yes' ], [ 'X-DL-Allow-Alter-Table', '' ],
    [ 'X-DL-Table-Definition', '[]' ];
are_status($data, 400, '22023', 'a name of 64 bytes', table => 'x' x 64);
is_status('delete_table', 400, '22023', 'a name of 64 bytes', table => 'x' x 64);
is_status('update_table', 400, '22023', 'no schema', body => '{}');
call($partner, 'update_table', body => $definition);
is_status('write_data', 400, $_->[1], "data $_->[0]", body => $_->[0])
    for [ '["x"]', '22P02' ], [ '[null]', '23502' ], [ '[1.5]', '22P02' ],
    [ '[9223372036854775808]', '22003' ];
is_status('write_data', 400, '22023', 'a mismatch without leave to alter',
    headers => { 'X-DL-Table-Definition' =>
            '{"schema": [{"name": "b", "type": "date"}]}' });
is_status('delete_data', 400, '22023', 'no partitions', body => '{}');
is_status('delete_data', 400, '22023', 'a partition without its column',
    body => { partitions => [ {} ] });
is_status('delete_data', 400, '22023', 'no UUID',
    headers => { 'X-DL-Operation-UUID' => 'x' });
$node->safe_psql('postgres', qq{CREATE VIEW public.v AS
    SELECT a FROM "$partner->{schema}".t});
is_status('update_table', 400, '2BP01', 'a view in the way',
    body => { schema => [ { name => 'b', type => 'date' } ] });
is_status('delete_table', 400, '2BP01', 'a view in the way');
$node->safe_psql('postgres', 'DROP VIEW public.v');

# --- 401, 403, 404

is_status('exchange', 401, '28000', 'an unknown OAuth token',
    body => '{"yandexPassportOauthToken": "x"}');
is_status('exchange', 401, '28000', 'no good JWT', body => '{"jwt": "x"}');
are_status($all, 401, '28000', 'no token', headers => { 'Authorization' => undef });
are_status($all, 403, '42501', 'another connection', partner =>
        { %$partner, connection_id => $other->{connection_id} });
are_status(join(' ', @methods[ 1 .. 6 ]), 403, '42501', 'another client',
    headers => { 'X-DL-Client-Id' => $other->{client_id} });
are_status('write_data delete_data delete_table', 404, 'IN404', 'no table',
    table => 'none');

configure($node, 'pg_intake.max_partner_tables' => 1);
wait_for('loaders know the limit', sub {
    my ($status) = call($partner, 'update_table', table => 'more',
        body => $bodies{update_table});

    call($partner, 'delete_table', table => 'more') if $status == 200;
    return $status == 403;
});
is_status('update_table', 403, '42501', 'too many tables', table => 'more');
is_status('write_data', 403, '42501', 'too many tables', table => 'more', headers =>
        { 'X-DL-Table-Definition' => '{"schema": [{"name": "n", "type": "integer"}]}' });
is_status('update_table', 200, undef, 'the one that is there');
configure($node, 'pg_intake.max_partner_tables' => 0);
wait_for('loaders know that there is none', sub {
    (call($partner, 'update_table', table => 'more',
            body => $bodies{update_table}))[0] == 200; });
is_status('delete_table', 204, undef, 'the second one', table => 'more');

# --- 413, 415

sub make_file
{
    my ($name, $size) = @_;

    write_file("$dir/$name", '{"a": "' . 'x' x $size . '"}');
    return "\@$dir/$name";
}

my $is_large = make_file('large', 5 * 1024 * 1024);
my $is_huge = make_file('huge', 7 * 1024 * 1024);
is_status('exchange', 413, 'IN413', 'a long body', body => $is_large);
is_status('update_table', 413, 'IN413', 'a long definition', body => $is_large);
is_status('write_data', 413, '54000', 'a long record', body => $is_large);
are_status("exchange $data", 413, 'IN413', 'a body of any kind', body => $is_huge);
are_status($data, 415, 'IN415', 'another type',
    headers => { 'Content-Type' => 'text/csv' });
is_status('exchange', 415, 'IN415', 'another type', body => $oauth,
    headers => { 'Content-Type' => 'text/csv' });
is_status('write_data', 415, 'IN415', 'no type',
    headers => { 'Content-Type' => undef }, curl => [ -H => 'Content-Type:' ]);
are_status($data, 415, 'IN415', 'another coding',
    headers => { 'Content-Encoding' => 'compress' });

# --- 422

my %same = (headers => { 'X-DL-Operation-UUID' => uuid() });
is_status('write_data', 200, undef, 'written', %same);
is_status('write_data', 422, 'IN422', 'another body', %same, body => '[2]');
is_status('delete_data', 422, 'IN422', 'another method', %same);
%same = (headers => { 'X-DL-Operation-UUID' => uuid() });
is_status('delete_data', 200, undef, 'deleted', %same);
is_status('delete_data', 422, 'IN422', 'another body', %same,
    body => { partitions => [] });
call($partner, 'write_data', body => '[1]');
$node->safe_psql('postgres', qq{
    ALTER TABLE "$partner->{schema}".t ADD CHECK (a <> 13),
        ADD CONSTRAINT one UNIQUE (a);
    CREATE TABLE public.referring (a bigint REFERENCES "$partner->{schema}".t (a));
    INSERT INTO public.referring VALUES (1)});
is_status('write_data', 422, '23514', 'a constraint of the users', body => '[13]');
is_status('delete_data', 422, '23503', 'a reference of the users');
$node->safe_psql('postgres', qq{DROP TABLE public.referring;
    ALTER TABLE "$partner->{schema}".t DROP CONSTRAINT one});

# --- 423

my $session = $node->background_psql('postgres', on_error_stop => 0);
my $id = $partner->{connection_id};
$session->query_safe("SET client_min_messages = 'error'");
$session->query_safe("BEGIN; SELECT FROM intake.rotate_key('$id')");
are_status('link unlink', 423, '55P03', 'its key is being changed');
$session->query_safe("ROLLBACK; BEGIN; SELECT intake.drop_connection('$id')");
are_status($all, 423, '55P03', 'it is being dropped');
$session->query_safe(qq{ROLLBACK; BEGIN; SELECT FROM "$partner->{schema}".t});
is_status('update_table', 423, '55P03', 'somebody reads',
    body => { schema => [ { name => 'b', type => 'date' } ] });
is_status('delete_table', 423, '55P03', 'somebody reads');
$session->query_safe(qq{ROLLBACK; BEGIN; LOCK TABLE "$partner->{schema}".t});
are_status('write_data delete_data', 423, '55P03', 'somebody has locked the table');

# Starts a request that waits for the locked table, in the background.
sub start_waiting
{
    my ($method, $uuid) = @_;
    my ($verb, $path) = request_of($method, 't');
    my $out = '';
    my $handle = IPC::Run::start([ 'curl', '-s', '-m', '60', '-o', '/dev/null',
            '-w', '%{http_code}', -X => $verb,
            -H => "Authorization: Bearer $partner->{token}",
            -H => "X-DL-Client-Id: $partner->{client_id}",
            -H => "X-DL-Operation-UUID: $uuid", -H => 'X-DL-Data-Format: array',
            -H => 'Content-Type: ' . ($method eq 'write_data' ?
                    'application/x-ndjson' : 'application/json'),
            '--data-binary' => $method eq 'write_data' ? '[5]' :
                encode_json($bodies{delete_data}),
            "$base/provider/v1/connection/$id/$path" ], '>', \$out);

    wait_for('it waits', sub { $node->safe_psql('postgres', q{
        SELECT count(*) FROM pg_stat_activity
        WHERE backend_type = 'pg_intake loader' AND wait_event_type = 'Lock'}) });
    return sub {
        $handle->finish;
        return $out;
    };
}

configure($node, 'pg_intake.table_lock_timeout' => '60s');
wait_for('loaders have read it', sub { $node->safe_psql('postgres',
    q{SELECT setting = '60000' FROM pg_settings WHERE name = 'pg_intake.table_lock_timeout'}) eq 't' });
for my $method (qw(write_data delete_data))
{
    my $uuid = uuid();
    my $finish = start_waiting($method, $uuid);

    is_status($method, 423, 'IN423', 'its UUID is in progress',
        $method eq 'write_data' ? (body => '[5]') : (),
        headers => { 'X-DL-Operation-UUID' => $uuid });
    $session->query_safe('ROLLBACK');
    is($finish->(), 200, 'it is done');
    is_status($method, 200, undef, 'and its repeat answered',
        $method eq 'write_data' ? (body => '[5]') : (),
        headers => { 'X-DL-Operation-UUID' => $uuid });
    $session->query_safe(qq{BEGIN; LOCK TABLE "$partner->{schema}".t});
}

# --- 503

configure($node, 'pg_intake.queue_timeout' => '200ms');
my @finish = map { start_waiting('write_data', uuid()) } 1;
# the second one waits for the first one's lock of ours
push @finish, start_waiting('delete_data', uuid());
wait_for('both loaders are at work', sub { $node->safe_psql('postgres', q{
    SELECT count(*) FROM pg_stat_activity
    WHERE backend_type = 'pg_intake loader' AND wait_event_type = 'Lock'}) == 2 });
are_status($all, 503, 'IN503', 'no loader');
is_status('exchange', 503, 'IN503', 'no loader', body => $oauth);
$session->query_safe('ROLLBACK');
$session->quit;
is($_->(), 200, 'who waited is served') for @finish;
configure($node, 'pg_intake.queue_timeout' => '10s');

$node->safe_psql('postgres',
    qq{ALTER SCHEMA "$partner->{schema}" RENAME TO elsewhere});
are_status($all, 503, '55000', 'the connection is out of order');
$node->safe_psql('postgres',
    qq{ALTER SCHEMA elsewhere RENAME TO "$partner->{schema}"});

configure($node, 'default_transaction_read_only' => 'on');
wait_for('loaders have read it', sub { (call($partner, 'link'))[0] == 503 });
are_status(join(' ', grep { $_ ne 'info' } @methods), 503, '25006',
    'the server is read-only');
is_status('exchange', 503, '25006', 'the server is read-only', body => $oauth);
is_status('info', 200, undef, 'which is no matter to it');

# --- the whole of it

my %promised = (exchange => '200 400 401 413 415 503',
    link => '200 400 401 403 423 503', unlink => '204 400 401 403 423 503',
    info => '200 400 401 403 423 503',
    update_table => '200 400 401 403 413 415 423 503',
    delete_table => '204 400 401 403 404 423 503',
    write_data => '200 400 401 403 404 413 415 422 423 503',
    delete_data => '200 400 401 403 404 413 415 422 423 503');
is(join(' ', sort keys %{ $seen{$_} }), $promised{$_}, "statuses of $_")
    for sort keys %promised;

$node->stop;
done_testing();
