# DataLens' methods on clients and tables over HTTP: link, unlink, info, update
# table, delete table.  What a definition makes of a table, what a change of
# it keeps and what it drops, and what names, users and readers do to it.

use strict;
use warnings;
use utf8;

use Encode qw(encode_utf8);
use FindBin;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use lib "$FindBin::RealBin/../lib";
use IntakeGateway;

# The tests are not of tokens: an OAuth token is exchanged, the short way.
my ($node, $base) =
    make_gateway('definitions', "pg_intake.table_lock_timeout = '1s'");
$node->start;
$node->safe_psql('postgres', q{
    CREATE EXTENSION pg_intake;
    CREATE ROLE reader;
    CREATE ROLE auditor;
    CREATE SCHEMA reports;
    });
wait_for_gateway($base);

sub sql
{
    my ($query, $database) = @_;

    utf8::encode($query) if utf8::is_utf8($query);
    my $out = $node->safe_psql($database // 'postgres', $query);
    utf8::decode($out);
    return $out;
}

# A new token of the connection's service account; false when there is none.
sub get_token
{
    my ($connection) = @_;
    my ($status, undef, $body) = curl(-H => 'Content-Type: application/json',
        '--data-binary' => encode_json({
                yandexPassportOauthToken => $connection->{oauth_token} }),
        "$base/iam/v1/tokens");

    $connection->{token} = $body->{iamToken} if $status == 200;
    return $status == 200;
}

# A connection, with a token and its schema.
sub connection
{
    my ($title, $database) = @_;
    my $row = decode_json($node->safe_psql($database // 'postgres',
        "SELECT to_jsonb(c) FROM intake.create_connection('$title', true) c"));

    wait_for("$title has a token", sub { get_token($row) });
    $row->{url} = "$base/provider/v1/connection/$row->{connection_id}";
    $row->{schema} = "intake_$row->{connection_id}";
    return $row;
}

# A request with the connection's token; status, body, headers.
sub call
{
    my ($connection, $method, $path, $json, @headers) = @_;
    my @body;

    @body = (-H => 'Content-Type: application/json', '--data-binary' =>
            ref $json ? encode_json($json) : $json) if defined $json;
    my ($status, $headers, $body) = curl('--path-as-is', -X => $method,
        -H => "Authorization: Bearer $connection->{token}",
        (map { (-H => $_) } @headers), @body, "$connection->{url}/$path");
    return ($status, $body, $headers);
}

sub escape
{
    my ($name) = @_;

    return join '', map { sprintf '%%%02X', $_ } unpack 'C*',
        encode_utf8($name);
}

# POST of a definition; columns are [name, type, more...].
sub define
{
    my ($connection, $table, $columns, %more) = @_;

    return call($connection, 'POST', 'table/' . escape($table) . '/definition',
        { schema => [
                map { { name => $_->[0], type => $_->[1], @$_[ 2 .. $#$_ ] } }
                    @$columns ], %more });
}

sub undefine
{
    my ($connection, $table) = @_;

    return call($connection, 'DELETE',
        'table/' . escape($table) . '/definition');
}

sub info
{
    my ($connection) = @_;
    my ($status, $body) = call($connection, 'GET', 'info', undef,
        "X-DL-Client-Id: $connection->{client_id}");

    return $status == 200 ? $body : $status;
}

sub columns_of
{
    my ($connection, $table) = @_;

    return sql(qq{
        SELECT string_agg(format('%s %s%s', attname,
                   format_type(atttypid, atttypmod),
                   CASE WHEN attnotnull THEN ' not null' ELSE '' END),
               ', ' ORDER BY attnum)
        FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid
        WHERE relnamespace = '$connection->{schema}'::regnamespace
            AND relname = '$table' AND attnum > 0 AND NOT attisdropped});
}

# A 400 whose message, detail and hint together are like the pattern.
sub is_refused
{
    my ($pattern, $what, $status, $body) = @_;
    my $text = ref $body ? join(' ', $body->{message} // '',
        map { $body->{details}{$_} // '' } qw(detail hint)) : $body // '';

    is($status, 400, "$what: status");
    like($text, $pattern, "$what: text");
    return;
}

my $one = connection('One');
my $two = connection('Two');
my $schema = $one->{schema};
my ($status, $body, $headers);

# --- 1, 2: link and unlink

($status, $body) = call($one, 'GET', 'info', undef, 'X-DL-Client-Id: x');
is($status, 403, 'nothing is told before a client is linked');
($status) = define($one, 'sales', [ [ 'a', 'string' ] ]);
is($status, 403, 'and no table is made');
($status, $body) = call($one, 'DELETE', 'client-id');
is($status, 400, 'a connection that is not linked cannot be unlinked');

($status, $body) = call($one, 'POST', 'client-id');
is($status, 200, 'link');
is_deeply([ keys %$body ], ['client_id'], 'answers the client_id');
my $client = $one->{client_id} = $body->{client_id};
($status, $body) = call($one, 'POST', 'client-id');
is("$status $body->{client_id}", "200 $client", 'linking again: the same');
($status, $body) = call($one, 'POST', 'client-id', undef,
    "X-DL-Client-Id: $client");
is("$status $body->{client_id}", "200 $client", 'naming itself: the same');
($status, $body) = call($one, 'POST', 'client-id', undef,
    'X-DL-Client-Id: other');
is_refused(qr/tied to another client/, 'another client', $status, $body);
is_deeply([ sort keys %$body ], [qw(code details message request_id)],
    'the form of errors');

($status, $body) = call($one, 'DELETE', 'client-id', undef,
    'X-DL-Client-Id: other');
is($status, 403, 'another client does not unlink it');
($status, $body, $headers) = call($one, 'DELETE', 'client-id');
is($status, 204, 'unlink');
ok(($body // '') eq '' && !exists $headers->{'content-length'},
    'with no body');
($status, $body) = call($one, 'DELETE', 'client-id');
is_refused(qr/linked to no client/, 'unlinking again', $status, $body);
($status) = call($one, 'GET', 'info', undef, "X-DL-Client-Id: $client");
is($status, 403, 'nothing is told to one that is unlinked');
($status, $body) = call($one, 'POST', 'client-id', undef,
    'X-DL-Client-Id: other');
is_refused(qr/tied to another client/, 'another client after it', $status,
    $body);
($status, $body) = call($one, 'POST', 'client-id');
is("$status $body->{client_id}", "200 $client",
    'linking restores the same client');

($status, $body) = call($two, 'POST', 'client-id');
$two->{client_id} = $body->{client_id};
isnt($two->{client_id}, $client, 'the other connection has another client');

# --- 3: info

is_deeply(info($one), { type => 'partner', version => '1',
        settings => {}, tables => [] }, 'info without tables');
($status, $body) = call($one, 'GET', 'info');
is_refused(qr/X-DL-Client-Id/i, 'info without the client', $status, $body);
($status) = call($one, 'GET', 'info', undef, 'X-DL-Client-Id: other');
is($status, 403, 'info for another client');
($status) = curl("$one->{url}/info");
is($status, 401, 'info without a token');

# --- 4: update table

my @example = ([ 'Country', 'string', title => 'Страна' ],
    [ 'City', 'string', nullable => JSON::PP::true ],
    [ 'Goods quantity', 'float' ]);
($status, $body) = define($one, 'sales', \@example, title => 'Sales',
    partition_key => ['Country'], replacing_key => [ 'Country', 'City' ]);
is($status, 200, 'a table is made');
my $definition = {
    name => 'sales', title => 'Sales',
    partition_key => ['Country'], replacing_key => [ 'Country', 'City' ],
    meta => { lastUploadTime => undef },
    schema => [
        { name => 'Country', type => 'string', title => 'Страна',
            nullable => JSON::PP::false },
        { name => 'City', type => 'string', title => '',
            nullable => JSON::PP::true },
        { name => 'Goods quantity', type => 'float', title => '',
            nullable => JSON::PP::false } ] };
is_deeply($body, { old_data_was_dropped => JSON::PP::false,
        old_table_definition => undef, new_table_definition => $definition },
    'and answers old and new definition');
is(columns_of($one, 'sales'), 'Country text not null, City text, '
        . 'Goods quantity double precision not null', 'its columns');
is(sql(qq{SELECT obj_description('"$schema".sales'::regclass) || ','
        || col_description('"$schema".sales'::regclass, 1) || ','
        || coalesce(col_description('"$schema".sales'::regclass, 2), 'none')}),
    'Sales,Страна,none', 'titles are comments');
is(sql(qq{SELECT pg_get_userbyid(relowner) FROM pg_class
        WHERE oid = '"$schema".sales'::regclass}), $schema,
    'its owner is the role of the connection');
is(sql(qq{SELECT kind, replacing_key, partition_key, state
        FROM intake.entities WHERE target = '"$schema".sales'::regclass}),
    'proxy|{Country,City}|{Country}|ready', 'it is registered with its keys');
is_deeply(info($one)->{tables}, [$definition], 'info has it');
is_deeply(info($two)->{tables}, [], 'the info of another connection has not');

my $oid = sql(qq{SELECT '"$schema".sales'::regclass::oid});
sql(qq{INSERT INTO "$schema".sales VALUES ('Russia', 'Kazan', 1)});
($status, $body) = define($one, 'sales', \@example, title => 'Sales',
    partition_key => ['Country'], replacing_key => [ 'Country', 'City' ]);
is_deeply([ $status, $body ], [ 200, {
            old_data_was_dropped => JSON::PP::false,
            old_table_definition => $definition,
            new_table_definition => $definition } ],
    'the same definition changes nothing');
$example[1][3] = JSON::PP::true;
push @{ $example[1] }, title => 'Город';
($status, $body) = define($one, 'sales', \@example, title => "Sale's \"2\"",
    replacing_key => ['City']);
is("$status $body->{old_data_was_dropped}", '200 0',
    'titles and keys keep the data');
is($body->{new_table_definition}{title}, "Sale's \"2\"", 'the new title');
is_deeply($body->{old_table_definition}, $definition, 'the old definition');
is(sql(qq{SELECT count(*) FROM "$schema".sales}), 1, 'the row is there');
is(sql(qq{SELECT obj_description('"$schema".sales'::regclass) || ','
        || col_description('"$schema".sales'::regclass, 1) || ','
        || col_description('"$schema".sales'::regclass, 2)}),
    qq{Sale's "2",Страна,Город}, 'titles became the comments');
is(sql(qq{SELECT replacing_key, partition_key FROM intake.entities
        WHERE target = $oid}), '{City}|', 'the keys are changed');
is(sql(qq{SELECT string_agg(pg_get_indexdef(indexrelid, 1, true), ',')
        FROM pg_index WHERE indrelid = $oid}), '"City"',
    'there is the one index that the key needs');

($status, $body) = define($one, 'sales', [ [ 'City', 'string' ],
        [ 'day', 'date' ] ], partition_key => ["date_trunc('month', day)"]);
is("$status $body->{old_data_was_dropped}", '200 1',
    'another schema drops the data');
is(columns_of($one, 'sales'), 'City text not null, day date not null',
    'columns are dropped, added and changed');
is(sql(qq{SELECT count(*) || ' ' || ('"$schema".sales'::regclass = $oid)
        FROM "$schema".sales}), '0 true', 'the table is the same, and empty');
is(sql(qq{SELECT replacing_key, partition_key FROM intake.entities
        WHERE target = $oid}), q(|{"pg_catalog.date_trunc('month', day)"}),
    'with a key of months');
is(sql(qq{SELECT coalesce(obj_description('"$schema".sales'::regclass), '')}),
    '', 'a title that goes takes its comment along');

# --- alteration from each type to each, on a column that much depends on

my %types = (string => 'text', integer => 'bigint',
    float => 'double precision', date => 'date',
    datetime => 'timestamp with time zone', boolean => 'boolean',
    geopoint => 'point');
my %values = (string => "'x'", integer => '1', float => '1.5',
    date => "'2020-01-01'", datetime => "'2020-01-01'", boolean => 'true',
    geopoint => "'(1,2)'");

($status) = define($one, 'matrix', [ [ 'kept', 'integer' ],
        [ 'v', 'string' ] ]);
is($status, 200, 'a table for all types');
sql(qq{
    GRANT USAGE ON SCHEMA "$schema" TO reader, auditor;
    GRANT SELECT (v) ON "$schema".matrix TO reader;
    GRANT SELECT ON "$schema".matrix TO auditor;
    CREATE INDEX matrix_kept ON "$schema".matrix (kept);
    CREATE INDEX matrix_own ON "$schema".matrix (kept) INCLUDE (v);
    COMMENT ON COLUMN "$schema".matrix.v IS 'by hand';
    CREATE VIEW reports.kept AS SELECT kept FROM "$schema".matrix;
    });
$oid = sql(qq{SELECT '"$schema".matrix'::regclass::oid});
my $before = 'string';
foreach my $from (sort keys %types)
{
    foreach my $to (sort keys %types)
    {
        foreach my $type ($from, $to)
        {
            next if $type eq $before;
            sql(qq{INSERT INTO "$schema".matrix VALUES (1, $values{$before})});
            my $nullable = $type lt $before;
            ($status, $body) = define($one, 'matrix', [
                    [ 'kept', 'integer' ],
                    [ 'v', $type, $nullable ? (nullable => JSON::PP::true) : () ]
                ]);
            is(join('|', $status, $body->{old_data_was_dropped},
                    columns_of($one, 'matrix'),
                    sql(qq{SELECT count(*) FROM "$schema".matrix})),
                "200|1|kept bigint not null, v $types{$type}"
                    . ($nullable ? '' : ' not null') . '|0',
                "$before to $type");
            $before = $type;
        }
    }
}
is(sql(qq{SELECT '"$schema".matrix'::regclass = $oid AND
        has_column_privilege('reader', $oid, 'v', 'SELECT') AND
        NOT has_column_privilege('reader', $oid, 'kept', 'SELECT') AND
        has_table_privilege('auditor', $oid, 'SELECT') AND
        col_description($oid, 2) = 'by hand'}), 't',
    'the table, the grants on it and on its columns, and comments are kept');
is(sql(qq{SELECT string_agg(relname, ',' ORDER BY relname) FROM pg_index
        JOIN pg_class ON pg_class.oid = indexrelid WHERE indrelid = $oid}),
    'matrix_kept,matrix_own', "the user's indexes are kept");
sql(qq{INSERT INTO "$schema".matrix VALUES (7, $values{$before})});
is(sql('SELECT kept FROM reports.kept'), 7, 'the view works');

($status) = define($one, 'swap', [ [ 'a', 'string' ], [ 'b', 'integer' ] ]);
($status, $body) = define($one, 'swap',
    [ [ 'b', 'string' ], [ 'a', 'integer' ] ]);
is("$status " . columns_of($one, 'swap'),
    '200 a bigint not null, b text not null', 'two columns change roles');
is(join(',', map { "$_->{name} $_->{type}" }
            @{ $body->{new_table_definition}{schema} }),
    'b string,a integer', 'and the definition has their order');
sql(qq{INSERT INTO "$schema".swap VALUES (1, 'x')});
($status, $body) = define($one, 'swap',
    [ [ 'a', 'integer' ], [ 'b', 'string' ] ]);
is("$status $body->{old_data_was_dropped} "
        . sql(qq{SELECT count(*) FROM "$schema".swap}), '200 1 0',
    'another order is another schema');

# --- views in the way

sql(qq{CREATE VIEW reports.b_of_swap AS SELECT b FROM "$schema".swap;
    INSERT INTO "$schema".swap VALUES (1, 'x')});
is_refused(qr/view reports\.b_of_swap depends on column b.*its owner/,
    'a view needs a column that has to go',
    define($one, 'swap', [ [ 'a', 'integer' ] ]));
is_refused(qr/view reports\.b_of_swap depends on column "b"/,
    'or that gets another type',
    define($one, 'swap', [ [ 'a', 'integer' ], [ 'b', 'date' ] ]));
is_refused(qr/view reports\.b_of_swap depends on table/,
    'or the table', undefine($one, 'swap'));
is(columns_of($one, 'swap') . sql(qq{SELECT * FROM "$schema".swap}),
    'a bigint not null, b text not null1|x', 'nothing is changed by them');
is(scalar(grep { $_->{name} eq 'swap' && @{ $_->{schema} } == 2 }
            @{ info($one)->{tables} }), 1, 'nor is the definition');
($status) = define($one, 'swap', [ [ 'c', 'date' ], [ 'b', 'string' ] ]);
is("$status " . columns_of($one, 'swap'),
    '200 b text not null, c date not null',
    'other columns may go, come and change');

# --- a reader is undisturbed, and what waits for it gives up

my $session = $node->background_psql('postgres');
sub in_session
{
    return $session->query_safe($_[0]);
}

sql(qq{INSERT INTO "$schema".swap VALUES ('x', '2020-01-01')});
in_session("BEGIN; SELECT * FROM \"$schema\".swap;");
($status, $body, $headers) = define($one, 'swap', [ [ 'd', 'date' ],
        [ 'b', 'string' ] ]);
is($status, 423, 'a long reader makes a change of columns wait, and give up');
ok($headers->{'retry-after'}, 'it may be repeated');
is(in_session("SELECT * FROM \"$schema\".swap;"), 'x|2020-01-01',
    'the reader reads on');
($status) = define($one, 'swap', [ [ 'c', 'date' ], [ 'b', 'string' ] ],
    title => 'New', replacing_key => ['b']);
is($status, 200, 'titles and keys do not disturb it');
($status) = undefine($one, 'swap');
is($status, 423, 'the table is not dropped');
in_session('COMMIT;');
($status, $body) = define($one, 'swap', [ [ 'd', 'date' ],
        [ 'b', 'string' ] ]);
is("$status $body->{old_data_was_dropped}", '200 1', 'after it, it changes');

# --- an upload is under way

in_session("BEGIN; SELECT rows_inserted FROM intake.upload("
        . "'\"$schema\".swap', '[\"x\", \"2020-01-01\"]'::text,"
        . " mode => 'append');");
foreach (
    [ 'another schema', sub { define($one, 'swap', [ [ 'b', 'string' ] ]) } ],
    [ 'another title', sub {
        define($one, 'swap', [ [ 'd', 'date' ], [ 'b', 'string' ] ],
            title => 'T') } ],
    [ 'delete', sub { undefine($one, 'swap') } ])
{
    my ($what, $code) = @$_;

    ($status, $body, $headers) = $code->();
    is("$status " . ($headers->{'retry-after'} // ''), '423 1',
        "$what while rows are written");
    is($body->{message}, 'another operation on table "swap" is under way',
        'and says why');
}
($status) = define($one, 'swap', [ [ 'd', 'date' ], [ 'b', 'string' ] ]);
is($status, 200, 'what changes nothing waits for nothing');
in_session('ROLLBACK;');

# An upload that has opened the table, and is still staging its payload, gets
# the table lock while somebody waits to change the table.
in_session("BEGIN; LOCK TABLE \"$schema\".swap IN ROW EXCLUSIVE MODE;");
my $out = '';
my $waiting = IPC::Run::start([ 'curl', '-s', '-o', '/dev/null',
        '-w', '%{http_code}', '-H', "Authorization: Bearer $one->{token}",
        '-H', 'Content-Type: application/json', '--data-binary',
        '{"schema": [{"name": "d", "type": "date"}]}',
        "$one->{url}/table/swap/definition" ], '>', \$out);
wait_for('it waits', sub {
    sql(qq{SELECT count(*) FROM pg_locks
        WHERE relation = '"$schema".swap'::regclass AND NOT granted}) });
is(in_session("SELECT rows_inserted FROM intake.upload("
            . "'\"$schema\".swap', '[\"x\", \"2020-01-01\"]'::text,"
            . " mode => 'append', options => '{\"truncate\": true}');"),
    1, 'an upload that was there before does not wait for a change that waits');
$waiting->finish;
is($out, 423, 'which gives up');
in_session('ROLLBACK;');

# --- what users do to the table

($status) = define($one, 'used', [ [ 'a', 'integer' ], [ 'b', 'string' ] ],
    replacing_key => ['a']);
sql(qq{
    ALTER TABLE "$schema".used ADD COLUMN mine text DEFAULT 'm';
    ALTER TABLE "$schema".used ADD CONSTRAINT positive CHECK (a > 0);
    ALTER TABLE "$schema".used ALTER COLUMN b DROP NOT NULL;
    CREATE FUNCTION reports.f() RETURNS trigger LANGUAGE plpgsql
        AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER t BEFORE INSERT ON "$schema".used
        FOR EACH ROW EXECUTE FUNCTION reports.f();
    });
($status) = define($one, 'used', [ [ 'a', 'integer' ], [ 'b', 'string' ],
        [ 'c', 'date' ] ], replacing_key => ['a']);
is("$status " . columns_of($one, 'used'), '200 a bigint not null, '
        . 'b text not null, mine text, c date not null',
    "a user's column is kept, what he took from the definition's comes back");
is(sql(qq{SELECT string_agg(conname, ',') || ','
            || (SELECT string_agg(tgname, ',') FROM pg_trigger
                WHERE tgrelid = conrelid)
        FROM pg_constraint WHERE conrelid = '"$schema".used'::regclass
            AND contype = 'c' GROUP BY conrelid}),
    'positive,t', 'so are his constraints and triggers');
is_refused(qr/column "mine" of table "used" is there already.*none of the/,
    'a column of the name of his', define($one, 'used',
        [ [ 'a', 'integer' ], [ 'mine', 'string' ] ]));
is_refused(qr/operator does not exist/,
    'a type that his constraint cannot have', define($one, 'used',
        [ [ 'a', 'string' ], [ 'b', 'string' ] ]));
sql(qq{ALTER TABLE "$schema".used DROP COLUMN b;
    ALTER TABLE "$schema".used ALTER COLUMN c TYPE timestamp(3)});
($status) = define($one, 'used', [ [ 'c', 'date' ], [ 'b', 'string' ],
        [ 'e', 'boolean' ] ]);
is("$status " . columns_of($one, 'used'), '200 mine text, '
        . 'c date not null, b text not null, e boolean not null',
    'columns that he dropped or changed are as defined again');

sql(qq{
    ALTER TABLE "$schema".used ADD UNIQUE (c);
    CREATE TABLE reports.refers (c date REFERENCES "$schema".used (c))});
is_refused(qr/foreign key.*its owner/, 'a foreign key that refers to it',
    define($one, 'used', [ [ 'c', 'date' ] ]));
sql(qq{DROP TABLE reports.refers;
    SELECT intake.register_table('"$schema".used', 'proxy', '{b}',
        entity => 'known_as', mode => 'append',
        options => '{"unknown": "ignore"}')});
($status) = define($one, 'used', [ [ 'c', 'date' ], [ 'd', 'integer' ] ],
    replacing_key => ['d']);
is("$status " . sql(qq{SELECT entity, mode, options, replacing_key, kind
        FROM intake.entities WHERE target = '"$schema".used'::regclass}),
    '200 known_as|append|{"unknown": "ignore"}|{d}|proxy',
    'what he registered it with beside its keys stays');

# What else may depend on a column.
($status) = define($one, 'needed', [ [ 'a', 'integer' ], [ 'b', 'integer' ] ]);
foreach (
    [ 'a materialized view', 'CREATE MATERIALIZED VIEW reports.m AS SELECT b FROM %s',
        'DROP MATERIALIZED VIEW reports.m' ],
    [ 'a generated column', 'ALTER TABLE %s ADD g bigint GENERATED ALWAYS AS (b + 1) STORED',
        'ALTER TABLE %s DROP g' ],
    [ 'a policy', 'CREATE POLICY p ON %s USING (b > 0)', 'DROP POLICY p ON %s' ],
    [ "a trigger's columns", 'CREATE TRIGGER u BEFORE UPDATE OF b ON %s FOR EACH ROW EXECUTE FUNCTION reports.f()',
        'DROP TRIGGER u ON %s' ],
    [ "a function's body", 'CREATE FUNCTION reports.g() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT max(b) FROM %s; END',
        'DROP FUNCTION reports.g()' ])
{
    my ($what, $make, $drop) = @$_;

    # PostgreSQL 14 drops it with the column
    next if $what eq 'a generated column'
        && $node->safe_psql('postgres', 'SHOW server_version_num') < 150000;
    $_ =~ s/%s/"$schema".needed/ foreach $make, $drop;
    sql($make);
    ($status) = define($one, 'needed', [ [ 'a', 'integer' ] ]);
    is($status, 400, "$what needs a column that has to go");
    ($status) = define($one, 'needed', [ [ 'b', 'integer' ] ]);
    is($status, 200, 'another one may go');
    sql($drop);
    ($status) = define($one, 'needed', [ [ 'a', 'date' ], [ 'b', 'integer' ] ]);
    is($status, 200, 'and come back');
}
sql(qq{ALTER TABLE "$schema".needed ALTER b SET DEFAULT 7});
is_refused(qr/default for column "b" cannot be cast/,
    'a default of another type', define($one, 'needed', [ [ 'b', 'date' ] ]));
($status) = undefine($one, 'needed');

# A partitioned table in the place of the one that was made.
($status) = define($one, 'parted', [ [ 'a', 'integer' ], [ 'b', 'string' ] ]);
sql(qq{DROP TABLE "$schema".parted;
    SET ROLE "$schema";
    CREATE TABLE "$schema".parted (a bigint NOT NULL, b text NOT NULL)
        PARTITION BY RANGE (a);
    CREATE TABLE "$schema".parted_1 PARTITION OF "$schema".parted
        FOR VALUES FROM (0) TO (9);
    INSERT INTO "$schema".parted VALUES (1, 'x');
    SELECT intake.register_table('"$schema".parted', 'proxy')});
($status, $body) = define($one, 'parted', [ [ 'a', 'integer' ],
        [ 'c', 'date' ] ], replacing_key => ['c']);
is("$status $body->{old_data_was_dropped} " . columns_of($one, 'parted_1')
        . sql(qq{SELECT count(*) FROM "$schema".parted}),
    '200 1 a bigint not null, c date not null0',
    'a table that its user has partitioned and registered is changed as any');
is_refused(qr/partition key/, 'but for its key', define($one, 'parted',
        [ [ 'c', 'date' ] ]));
($status) = undefine($one, 'parted');
is("$status " . sql(qq{SELECT to_regclass('"$schema".parted_1') IS NULL}),
    '204 t', 'and dropped');

sql(qq{
    CREATE TABLE "$schema".his (a int);
    CREATE VIEW "$schema".his_view AS SELECT 1 AS a;
    CREATE SEQUENCE "$schema".his_sequence;
    CREATE TYPE "$schema".his_type AS ENUM ('a');
    });
is_refused(qr/"$_" is there already|type "his_type" already exists/,
    "a name that the user has taken: $_", define($one, $_,
        [ [ 'a', 'string' ] ]))
    foreach qw(his his_view his_sequence his_type);
foreach my $name (qw(his his_view his_sequence))
{
    ($status) = undefine($one, $name);
    is($status, 404, "what he made is not there to be deleted: $name");
}
is(sql(qq{SELECT count(*) FROM "$schema".his}), 0, 'it is untouched');

($status) = define($one, 'gone', [ [ 'a', 'string' ] ]);
sql(qq{DROP TABLE "$schema".gone});
ok(!grep({ $_->{name} eq 'gone' } @{ info($one)->{tables} }),
    'a table that the user dropped is not told');
($status, $body) = define($one, 'gone', [ [ 'b', 'string' ] ]);
is("$status " . columns_of($one, 'gone') . ' '
        . ($body->{old_table_definition} // 'none'),
    '200 b text not null none', 'and can be made anew');
sql(qq{DROP TABLE "$schema".gone; CREATE TABLE "$schema".gone (z int)});
is_refused(qr/"gone" is there already/, 'unless he put his own there',
    define($one, 'gone', [ [ 'b', 'string' ] ]));
($status) = undefine($one, 'gone');
is($status, 204, 'the definition that is left can be deleted');
is(columns_of($one, 'gone'), 'z integer', 'his table stays');
($status) = define($one, 'renamed', [ [ 'a', 'string' ] ]);
sql(qq{ALTER TABLE "$schema".renamed RENAME TO elsewhere});
ok(!grep({ $_->{name} =~ /renamed|elsewhere/ } @{ info($one)->{tables} }),
    'a table that he renamed has left the connection');
is_refused(qr/"elsewhere" is there already/, 'it is not taken',
    define($one, 'elsewhere', [ [ 'b', 'string' ] ]));
is_refused(qr/already registered/, 'its public name is still its own',
    define($one, 'renamed', [ [ 'b', 'string' ] ]));

# --- grants for tables to come

sql("SELECT intake.grant_read('$one->{connection_id}', 'reader')");
($status) = define($one, 'later', [ [ 'a', 'string' ] ]);
is(sql(qq{SELECT has_table_privilege('reader', '"$schema".later', 'SELECT')}),
    't', 'a table that comes after grant_read is granted too');

# --- columns have numbers, and dropped ones keep theirs

my @many = map { [ "c$_", 'string' ] } 1 .. 1600;
($status) = define($one, 'wide', [ @many[ 0 .. 799 ] ]);
is($status, 200, 'a table of 800 columns');
($status) = define($one, 'wide', [ @many[ 800 .. 1599 ] ]);
is($status, 200, '800 others for them');
is_refused(qr/cannot have 1 more columns.*1600 are used.*define it again/,
    'one more', define($one, 'wide', [ [ 'new', 'string' ] ]));
($status) = define($one, 'wide', [ @many[ 900 .. 1000 ] ]);
is($status, 200, 'fewer go');
($status) = undefine($one, 'wide');
($status, $body) = define($one, 'wide', \@many);
is($status, 200, 'a new table has all 1,600 again');
is(scalar(@{ $body->{new_table_definition}{schema} }), 1600,
    'a definition that long is stored');
is_refused(qr/1 to 1600 columns/, '1,601 columns', define($one, 'wide',
        [ @many, [ 'x', 'string' ] ]));
is_deeply([ map { scalar @{ $_->{schema} } }
            grep { $_->{name} eq 'wide' } @{ info($one)->{tables} } ],
    [1600], 'and read');

# --- names

my $e63 = ('é' x 31) . 'x';
my @names = ('select', 'a"b', "a'b", 'a;b', '"; DROP SCHEMA public; --',
    "x') ; DROP TABLE sales; --", 'a/b', 'a b ', '%s%n', '\\', '$$', 'ключ',
    "\x{1F600}", 'a.b', ('n' x 63), $e63, 'lower(a)', "tab\there", '..', 'U&"x"');
foreach my $name (@names)
{
    my @schema = ([ $name, 'string', title => $name ], [ 'v', 'integer' ]);

    ($status, $body) = define($two, $name, \@schema, title => $name,
        partition_key => [$name], replacing_key => [$name]);
    is($status, 200, "table and column called " . escape($name));
    is(join('|', $body->{new_table_definition}{name},
            $body->{new_table_definition}{title},
            map { ($_->{name}, $_->{title}) }
                $body->{new_table_definition}{schema}[0]),
        join('|', ($name) x 4), 'named so in the answer');
    ($status, $body) = define($two, $name,
        [ [ 'v', 'date' ], [ $name, 'date' ] ],
        partition_key => [$name], replacing_key => [ 'v' ], title => 't');
    is("$status $body->{old_data_was_dropped}", '200 1', 'altered');
}
is(sql(qq{SELECT count(*) FROM pg_class
        WHERE relnamespace = '$two->{schema}'::regnamespace
            AND relkind = 'r'}), scalar(@names), 'each is a table');
is_deeply([ map { $_->{name} } @{ info($two)->{tables} } ],
    [ map { Encode::decode_utf8($_) } sort map { encode_utf8($_) } @names ],
    'info tells them by these names');
is_deeply([ map { $_->{name} } @{ info($one)->{tables} } ],
    [ sort qw(later matrix sales swap used wide) ],
    'tables of another connection are its own');
foreach my $name (@names)
{
    ($status) = undefine($two, $name);
    is($status, 204, "deleted: " . escape($name));
}
is(sql(qq{SELECT count(*) FROM pg_class
        WHERE relnamespace = '$two->{schema}'::regnamespace})
        . sql(qq{SELECT count(*) FROM intake.entities
        WHERE datamart = '$two->{schema}'}), '00', 'nothing is left of them');
($status, $body) = undefine($two, 'select');
is("$status $body->{code}", '404 IN404', 'a table that is missing');
ok(sql("SELECT to_regclass('\"$schema\".sales') IS NOT NULL"),
    'other tables are untouched');

is_refused(qr/must not be empty/, 'an empty table name',
    define($two, '', [ [ 'a', 'string' ] ]));
is_refused(qr/longer than 63 bytes/, 'a table name of 64 bytes',
    define($two, 'n' x 64, [ [ 'a', 'string' ] ]));
is_refused(qr/longer than 63 bytes/, 'to delete', undefine($two, 'é' x 32));
is_refused(qr/schema\[0\].*longer than 63 bytes/, 'a column name of 64',
    define($two, 'n', [ [ ('é' x 32), 'string' ] ]));
foreach my $name (qw(ctid xmin xmax cmin cmax tableoid))
{
    is_refused(qr/schema\[1\].*"$name" of PostgreSQL's own/,
        "a system column: $name",
        define($two, 'n', [ [ 'a', 'string' ], [ $name, 'integer' ] ]));
}

# --- definitions that are none

my $good = '{"name": "a", "type": "string"}';
foreach (
    [ '', qr/invalid input syntax for type json/, 'no body' ],
    [ '{', qr/invalid input syntax for type json/, 'cut JSON' ],
    [ '[]', qr/not a JSON object/, 'an array' ],
    [ 'null', qr/not a JSON object/, 'null' ],
    [ '{}', qr/"schema" must be an array/, 'no schema' ],
    [ '{"schema": {}}', qr/"schema" must be an array/, 'a schema that is an object' ],
    [ '{"schema": "a"}', qr/"schema" must be an array/, 'a schema that is a string' ],
    [ '{"schema": []}', qr/1 to 1600 columns/, 'no columns' ],
    [ '{"schema": [1]}', qr/schema\[0\].*must be an object/, 'a number for a column' ],
    [ '{"schema": [[]]}', qr/schema\[0\].*must be an object/, 'an array for a column' ],
    [ "{\"schema\": [$good, {\"name\": \"b\"}]}",
        qr/schema\[1\].*"type" must be a string/, 'no type' ],
    [ '{"schema": [{"type": "string"}]}',
        qr/schema\[0\].*"name" must be a string/, 'no name' ],
    [ '{"schema": [{"name": 1, "type": "string"}]}',
        qr/schema\[0\].*"name" must be a string/, 'a number for a name' ],
    [ '{"schema": [{"name": "", "type": "string"}]}',
        qr/schema\[0\].*must not be empty/, 'an empty name' ],
    [ '{"schema": [{"name": "a\\u0000b", "type": "string"}]}',
        qr/\\u0000/, 'a zero byte in a name' ],
    [ '{"schema": [{"name": "a", "type": "int"}]}',
        qr/no type "int".*string, integer, float, date, datetime, boolean and geopoint/,
        'a type that is none of the seven' ],
    [ '{"schema": [{"name": "a", "type": "String"}]}', qr/no type "String"/,
        'another case' ],
    [ '{"schema": [{"name": "a", "type": "string); DROP TABLE sales; --"}]}',
        qr/no type "string\); DROP/, 'SQL for a type' ],
    [ '{"schema": [{"name": "a", "type": "string", "nullable": 1}]}',
        qr/schema\[0\].*"nullable" must be true or false/, 'nullable 1' ],
    [ '{"schema": [{"name": "a", "type": "string", "title": 1}]}',
        qr/schema\[0\].*"title" must be a string/, 'a number for a title' ],
    [ '{"schema": [{"name": "a", "type": "string", "size": 1}]}',
        qr/schema\[0\].*no member "size".*"nullable"/, 'another member' ],
    [ "{\"schema\": [$good], \"keys\": []}",
        qr/no member "keys".*"replacing_key"/, 'another member of the table' ],
    [ "{\"schema\": [$good, $good]}", qr/schema.*"a" is there twice/,
        'a column twice' ],
    [ "{\"schema\": [$good], \"schema\": [$good]}", qr/member twice/,
        'a member twice' ],
    [ "{\"schema\": [$good], \"title\": []}", qr/"title" must be a string/,
        'an array for a title' ],
    [ "{\"schema\": [$good], \"partition_key\": \"a\"}",
        qr/"partition_key" must be an array/, 'a string for a key' ],
    [ "{\"schema\": [$good], \"partition_key\": [1]}",
        qr/partition_key\[0\].*must be a string/, 'a number for an item' ])
{
    my ($json, $pattern, $what) = @$_;

    is_refused($pattern, $what,
        call($two, 'POST', 'table/n/definition', $json));
}
($status) = call($two, 'POST', 'table/n/definition',
    '{"schema": [' . ('[' x 5000) . (']' x 5000) . ']}');
is($status, 400, 'arrays in arrays without end');
my $long = write_file(PostgreSQL::Test::Utils::tempdir() . '/long',
    '{"title": "' . ('x' x (4 * 1024 * 1024)) . '"}');
($status) = call($two, 'POST', 'table/n/definition', "\@$long");
is($status, 413, 'more than 4 MB');
($status) = curl(-X => 'POST', -H => "Authorization: Bearer $two->{token}",
    '-d' => '{}', "$two->{url}/table/n/definition");
is($status, 415, "a form's content type");
($status) = curl(-X => 'POST', -H => "Authorization: Bearer $two->{token}",
    -H => 'Content-Type: Application/JSON; charset=utf-8',
    '-d' => "{\"schema\": [$good]}", "$two->{url}/table/n/definition");
is($status, 200, 'JSON with a charset');
($status, undef, $headers) = call($two, 'PUT', 'table/n/definition', '{}');
is("$status $headers->{allow}", '405 POST, DELETE', 'a method that is none');

# --- keys

my @schema = ([ 'fieldName1', 'string' ], [ 'day', 'date' ],
    [ 'At Time', 'datetime' ], [ 'n', 'integer' ], [ 'N', 'integer' ],
    [ 'place', 'geopoint' ], [ 'a"q', 'date' ],
    [ "date_trunc('year', day)", 'string' ]);
foreach (
    [ 'FieldName1', 'fieldName1', "the documentation's own example" ],
    [ 'N', '"N"', 'a name that differs from another by its case' ],
    [ "date_trunc('month', day)",
        "date_trunc('month'::text, (day)::timestamp without time zone)",
        'months' ],
    [ "DATE_TRUNC ( 'DAY' , \"At Time\" ) ",
        "date_trunc('day'::text, (\"At Time\" AT TIME ZONE 'UTC'::text))",
        'days of instants, in UTC' ],
    [ "date_trunc('week',\"a\"\"q\")",
        "date_trunc('week'::text, (\"a\"\"q\")::timestamp without time zone)",
        'a name with a quote' ],
    [ "date_trunc('year',DAY)",
        "date_trunc('year'::text, (day)::timestamp without time zone)",
        'an expression that a column is called like' ],
    [ "date_trunc('year', day)", "\"date_trunc('year', day)\"",
        'a column that is called like an expression' ])
{
    my ($item, $sql, $what) = @$_;

    ($status, $body) = define($two, 'keys', \@schema,
        partition_key => [$item], replacing_key => [ 'n', $item ]);
    is($status, 200, $what);
    is(encode_json($body->{new_table_definition}{partition_key}),
        encode_json([$item]), 'the item stays as it is written');
    is(sql(qq{SELECT replace(partition_sql[1], '"fieldName1"', 'fieldName1')
            FROM intake.entity
            WHERE target = '"$two->{schema}".keys'::regclass}), $sql,
        'what it is in the registry');
}
foreach (
    [ 'f', 'no column of the schema', 'an unknown column' ],
    [ '', 'no column of the schema', 'nothing' ],
    [ 'lower(day)', 'not date_trunc', 'another function' ],
    [ "date_trunc('month', day), 1", 'not date_trunc', 'more behind it' ],
    [ "date_trunc('month', day) ; DROP TABLE sales", 'not date_trunc', 'SQL' ],
    [ "date_trunc('month', (SELECT now()))", 'not date_trunc', 'a query' ],
    [ "date_trunc('month', day", 'not date_trunc', 'no end' ],
    [ "date_trunc('month', \"day)", 'not date_trunc', 'no closing quote' ],
    [ "date_trunc('month' || '', day)", 'not date_trunc', 'an expression' ],
    [ "date_trunc('moon', day)", 'not date_trunc', 'an unknown unit' ],
    [ "date_trunc('', day)", 'not date_trunc', 'no unit' ],
    [ "date_trunc(E'month', day)", 'not date_trunc', 'another literal' ],
    [ "date_trunc('month', day, 'UTC')", 'not date_trunc', 'a third argument' ],
    [ "date_trunc('month', ctid)", 'no column "ctid"', 'a system column' ],
    [ "date_trunc('month', n)", 'no date or datetime', 'of a number' ],
    [ 'place', 'no order', 'a geopoint' ])
{
    my ($item, $pattern, $what) = @$_;

    is_refused(qr/partition_key\[0\].*\Q$pattern\E/, "key item: $what",
        define($two, 'keys', \@schema, partition_key => [$item]));
    is_refused(qr/replacing_key\[1\].*\Q$pattern\E/, "replacing: $what",
        define($two, 'keys', \@schema, replacing_key => [ 'n', $item ]));
}
is_refused(qr/replacing_key\[1\].*twice/, 'an item twice, in two ways',
    define($two, 'keys', \@schema,
        replacing_key => [ 'fieldName1', 'FIELDNAME1' ]));
is_refused(qr/no column of the schema/, 'a name that two are called but for case',
    define($two, 'keys', [ [ 'Ab', 'string' ], [ 'aB', 'string' ] ],
        replacing_key => ['ab']));
is_refused(qr/at most 32 items/, '33 items', define($two, 'keys',
        [ map { [ "k$_", 'integer' ] } 1 .. 33 ],
        replacing_key => [ map { "k$_" } 1 .. 33 ]));
($status) = define($two, 'keys', [ [ 'only', 'integer' ] ],
    replacing_key => ['only']);
is("$status " . sql(qq{SELECT replacing_key, partition_key, state
        FROM intake.entities
        WHERE target = '"$two->{schema}".keys'::regclass}),
    '200 {only}||ready', 'keys of columns that go, go along');

# --- one connection's token is nothing at another

my $foreign = { %$two, url => $one->{url} };
my $nowhere = { %$two,
    url => "$base/provider/v1/connection/" . ('a' x 20) };
foreach (
    [ 'POST', 'client-id' ], [ 'DELETE', 'client-id' ], [ 'GET', 'info' ],
    [ 'POST', 'table/sales/definition', "{\"schema\": [$good]}" ],
    [ 'POST', 'table/x/definition', "{\"schema\": [$good]}" ],
    [ 'DELETE', 'table/sales/definition' ],
    [ 'DELETE', 'table/x/definition' ])
{
    my @there = call($foreign, @$_);
    my @not_there = call($nowhere, @$_);

    delete $_->{request_id} foreach ($there[1], $not_there[1]);
    is($there[0], 403, "@$_[0, 1] of another connection");
    is_deeply([ @there[ 0, 1 ] ], [ @not_there[ 0, 1 ] ],
        'answers what one that is not there does');
}
is(columns_of($one, 'sales'), 'City text not null, day date not null',
    'nothing is changed there');

# --- several at once

# Runs curl with each of the lists of arguments; what they print.
sub at_once
{
    my @runs = map {
        my $out = '';
        [ IPC::Run::start([ 'curl', '-s', '-X', 'POST', '-H',
                    "Authorization: Bearer $two->{token}", @$_ ],
                '>', \$out), \$out ]
    } @_;

    $_->[0]->finish foreach @runs;
    return map { ${ $_->[1] } } @runs;
}

is_deeply([ at_once(map { [ '-o', '/dev/null', '-w', '%{http_code}',
                    '-H', 'Content-Type: application/json', '--data-binary',
                    "{\"schema\": [{\"name\": \"c$_\", \"type\": \"string\"}]}",
                    "$two->{url}/table/race/definition" ] } 1 .. 6) ],
    [ ('200') x 6 ], 'six definitions of one table are all carried out');
like(columns_of($two, 'race'), qr/^c\d text not null$/, 'the last one stays');

call($two, 'DELETE', 'client-id');
is_deeply([ at_once(([ "$two->{url}/client-id" ]) x 6) ],
    [ ("{\"client_id\": \"$two->{client_id}\"}\n") x 6 ],
    'six that link get one client');

# --- a dropped connection

my $three = connection('Three');
($status, $body) = call($three, 'POST', 'client-id');
($status) = define($three, 'left', [ [ 'a', 'string' ] ]);
is($status, 200, 'a third connection has a table');
sql("SELECT intake.drop_connection('$three->{connection_id}')");
($status) = define($three, 'left', [ [ 'a', 'string' ] ]);
is($status, 401, 'dropped: its token is none');
is(sql("SELECT count(*) FROM intake.connection_table
        WHERE connection_id = '$three->{connection_id}'"), 0,
    'its definitions are forgotten');

# --- a copy of the database, and one of another encoding

sub serve
{
    my ($database) = @_;

    sql("ALTER SYSTEM SET pg_intake.database = '$database'");
    $node->reload;
    return;
}

my $told = info($one);
my $dump = PostgreSQL::Test::Utils::tempdir() . '/dump';
sql('CREATE DATABASE copy');
$node->command_ok([ 'pg_dump', '-Fc', '-f', $dump, 'postgres' ], 'a dump');
$node->command_ok([ 'pg_restore', '-e', '-d', 'copy', $dump ], 'a copy');
serve('copy');
wait_for('the copy is served', sub {
    $one->{token} = 'none'; get_token($one) && ref info($one) });
is_deeply(info($one), $told, 'definitions are copied');
($status, $body) = define($one, 'sales', [ [ 'City', 'string' ],
        [ 'day', 'date' ] ], partition_key => ["date_trunc('month', day)"]);
is("$status $body->{old_data_was_dropped}", '200 0', 'and hold');
($status, $body) = define($one, 'sales', [ [ 'day', 'date' ] ]);
is("$status $body->{old_data_was_dropped}", '200 1', 'they can be changed');
is(columns_of($one, 'sales'), 'City text not null, day date not null',
    'there only');

sql(q{CREATE DATABASE latin1 TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'});
sql('CREATE EXTENSION pg_intake', 'latin1');
serve('latin1');
my $latin = connection('Latin', 'latin1');
($status, $body) = call($latin, 'POST', 'client-id');
$latin->{client_id} = $body->{client_id};
($status, $body) = define($latin, 'été', [ [ 'où', 'string', title => 'Où ?' ] ],
    replacing_key => ['OÙ']) ;
is_refused(qr/no column of the schema/, 'LOCALE C knows no case of letters',
    $status, $body);
($status, $body) = define($latin, 'été', [ [ ('é' x 63), 'date',
            title => 'Où ?' ] ], replacing_key => [ 'é' x 63 ]);
is($status, 200, '63 letters are 63 bytes in LATIN1');
is_deeply(info($latin)->{tables}[0]{schema}, [ { name => 'é' x 63,
            type => 'date', title => 'Où ?', nullable => JSON::PP::false } ],
    'told as they are');
($status, $body) = define($latin, 'other', [ [ 'ключ', 'string' ] ]);
is($status, 400, 'letters that LATIN1 does not have');
($status, $body) = undefine($latin, 'ключ');
is($status, 400, 'in a path');
($status) = undefine($latin, 'été');
is($status, 204, 'deleted');
serve('postgres');
wait_for('the database is served again', sub {
    get_token($one) && get_token($two) && ref info($two) });

# --- where nothing can be written

$node->safe_psql('postgres',
    'ALTER SYSTEM SET default_transaction_read_only = on');
$node->reload;
wait_for('the loaders read it', sub {
    (call($two, 'POST', 'client-id'))[0] == 503 });
foreach ([ 'DELETE', 'client-id' ],
    [ 'POST', 'table/n/definition', "{\"schema\": [$good]}" ],
    [ 'DELETE', 'table/race/definition' ])
{
    ($status, $body) = call($two, @$_);
    is("$status $body->{code}", '503 25006', "@$_[0, 1] in a read-only server");
}
is(ref info($two), 'HASH', 'info is told');

$session->quit;

# --- no more tables than the server lets a partner have

$node->safe_psql('postgres', 'SET default_transaction_read_only = off;
    SET transaction_read_only = off;
    ALTER SYSTEM RESET default_transaction_read_only');
$node->append_conf('postgresql.conf', 'pg_intake.max_partner_tables = 2');
$node->restart;
wait_for_gateway($base);

my $few = connection('few');

is((call($few, 'POST', 'client-id'))[0], 200, 'a client is linked');
is((define($few, $_, [ [ 'a', 'string' ] ]))[0], 200, "table $_")
    foreach qw(first second);
($status, $body) = define($few, 'third', [ [ 'a', 'string' ] ]);
is("$status $body->{code}", '403 42501', 'a third one is too many');
like($body->{message}, qr/2 tables/, 'which is said');
is((define($few, 'second', [ [ 'b', 'string' ] ]))[0], 200,
    'those that are there may be defined anew');
is((undefine($few, 'first'))[0], 204, 'and deleted');
is((define($few, 'third', [ [ 'a', 'string' ] ]))[0], 200,
    'which makes room for another');

$node->stop;
done_testing();
