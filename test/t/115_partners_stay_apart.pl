# A partner can do nothing outside of his connection, and is told nothing of
# what is there: tokens, names in paths, SQL in whatever he sends.  Nor can the
# owner of a connection do more by it than without.

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
use IntakePartner;

my ($node, $base) = make_gateway('apart', q{
    pg_intake.table_lock_timeout = '500ms'
    log_statement = 'none'});
$node->start;
# as PostgreSQL 15 and later have it
$node->safe_psql($_, 'REVOKE CREATE ON SCHEMA public FROM PUBLIC')
    foreach qw(postgres template1);
$node->safe_psql('postgres', q{
    CREATE EXTENSION pg_intake;
    CREATE TABLE public.treasure (a text);
    INSERT INTO public.treasure VALUES ('gold');
    });
wait_for_gateway($base);

sub rows
{
    my ($sql) = @_;

    utf8::encode($sql) if utf8::is_utf8($sql);
    my $out = $node->safe_psql('postgres', $sql);
    utf8::decode($out);
    return $out;
}

# Everything of an answer but what names the request.
sub told
{
    my ($status, $body, $headers) = @_;
    my %body = ref $body ? %$body : (text => $body);
    my %headers = %$headers;

    delete $body{request_id};
    delete @headers{qw(date x-request-id)};
    delete $body{details}{operation} if ref $body{details};
    return [ $status, \%body, \%headers ];
}

my %bodies = (
    update_table => { schema => [ { name => 'a', type => 'string' } ] },
    write_data => '["b"]',
    delete_data => { partitions => [ { a => 'secret' } ] });

my $victim = make_partner($node, $base, 'Victim');
my $attacker = make_partner($node, $base, 'Attacker');
my ($status, $body, $headers);

# The victim has a table, and has written to it by an operation.
my $operation = uuid();
($status) = call($victim, 'update_table', table => 't', body => {
        %{ $bodies{update_table} }, partition_key => ['a'] });
is($status, 200, 'the victim has a table');
($status) = call($victim, 'write_data', table => 't', body => '["secret"]',
    headers => { 'X-DL-Operation-UUID' => $operation });
is($status, 200, 'with a row');

# What of the victim's can be seen from the database, and must stay.
sub state_of
{
    my ($partner) = @_;

    return rows(qq{SELECT string_agg(a, ',') FROM "$partner->{schema}".t})
        . rows("SELECT definition, uploaded_at FROM intake.connection_table
            WHERE connection_id = '$partner->{connection_id}' ORDER BY 1")
        . rows("SELECT client_id, key_id FROM intake.connection
            WHERE connection_id = '$partner->{connection_id}'");
}
my $state = state_of($victim);

# --- another's connection, and one that is not there, are the same

my $nowhere = 'a' x 20;
for my $method (@methods)
{
    for my $client ($attacker->{client_id}, $victim->{client_id}, undef)
    {
        my @answers;

        for my $id ($victim->{connection_id}, $nowhere, '..', "' OR ''='", 'é')
        {
            for my $table ('t', 'none')
            {
                my (undef, $path) = request_of($method, $table);

                push @answers, told(call($attacker, $method,
                    path => '/provider/v1/connection/' . escape($id) . "/$path",
                    body => $bodies{$method},
                    headers => { 'X-DL-Client-Id' => $client,
                        $method eq 'write_data' ?
                            ('X-DL-Operation-UUID' => $operation) : () }));
            }
        }
        my $what = "$method, " . (!defined $client ? 'no client' :
                $client eq $victim->{client_id} ? q{the victim's client} :
                'own client');
        is($answers[0][0], 403, "$what: refused");
        is($answers[0][1]{message}, 'the token is not for that connection',
            "$what: for the connection");
        is(scalar(grep { !eq_array($_, $answers[0]) } @answers), 0,
            "$what: wherever it goes") or diag(explain(\@answers));
    }
}

# --- without a good token nothing is told at all

my $expired = { %$victim, token => get_token($victim) };
rows("UPDATE intake.connection_token SET expires_at = now()
    WHERE hash = sha256('$expired->{token}')");
my $former = make_partner($node, $base, 'Former');
my %ended = (rotated => { %$former });
$former = { %$former, %{ decode_json(rows("SELECT to_jsonb(c) FROM
    intake.rotate_key('$former->{connection_id}') c")) } };
$former->{token} = get_token($former);
$ended{dropped} = { %$former };
rows("SELECT intake.drop_connection('$former->{connection_id}')");

for my $method (@methods)
{
    my ($verb, $path) = request_of($method, 't');
    my @answers;

    for my $token ("Bearer x", "Bearer iam_" . 'A' x 43, "Bearer $expired->{token}",
        "Bearer $ended{rotated}{token}", "Bearer $ended{dropped}{token}",
        "Bearer $victim->{oauth_token}", "Bearer iam_' OR true --")
    {
        for my $id ($victim->{connection_id}, $ended{dropped}{connection_id},
            $nowhere)
        {
            push @answers, told(call($victim, $method, body => $bodies{$method},
                path => "/provider/v1/connection/$id/$path",
                headers => { 'Authorization' => $token }));
        }
    }
    is_deeply([ $answers[0][0], $answers[0][1]{code},
            $answers[0][2]{'www-authenticate'} ], [ 401, '28000', 'Bearer' ],
        "$method: bad tokens are refused");
    is(scalar(grep { !eq_array($_, $answers[0]) } @answers), 0,
        "$method: all in the same words") or diag(explain(\@answers));
    for my $header (undef, 'Basic eDp5', 'Bearer', "Bearer $victim->{token} x")
    {
        my @there = told(call($victim, $method, body => $bodies{$method},
            headers => { 'Authorization' => $header }));
        my @not_there = told(call({ %$victim, connection_id => $nowhere },
            $method, body => $bodies{$method},
            headers => { 'Authorization' => $header }));

        is($there[0][0], 401, "$method: no token: " . ($header // 'none'));
        is_deeply(\@there, \@not_there, "$method: as for no connection");
    }
    # a token of another kind: Prostore's and v1's JWT families share nothing
    ($status) = call($victim, $method, body => $bodies{$method},
        headers => { 'Authorization' => 'Bearer eyJhbGciOiJub25lIn0.e30.' });
    is($status, 401, "$method: a JWT is no token");
}

# --- another client, and an unlinked connection

for my $method (grep { $_ ne 'link' } @methods)
{
    for my $client ($attacker->{client_id}, $nowhere, '', "' OR ''='")
    {
        ($status, $body) = call($victim, $method, body => $bodies{$method},
            headers => { 'X-DL-Client-Id' => $client });
        is($status, 403, "$method: another client: \"$client\"");
        unlike(encode_json($body), qr/\Q$victim->{client_id}/,
            'the right one is not told');
    }
}
($status) = call($victim, 'unlink');
is($status, 204, 'unlinked');
for my $method (@methods[ 2 .. 6 ])
{
    ($status, $body) = call($victim, $method, body => $bodies{$method});
    is_deeply([ $status, $body->{code} ], [ 403, '42501' ], "$method: unlinked");
}
($status) = call($victim, 'link', headers => { 'X-DL-Client-Id' => undef });
is($status, 200, 'linked again');
is(state_of($victim), $state, 'nothing of the victim has changed');

# --- operations are the connection's own: a UUID tells nothing of another's

($status) = call($attacker, 'update_table', table => 't',
    body => { %{ $bodies{update_table} }, partition_key => ['a'] });
($status, $body, $headers) = call($attacker, 'write_data', table => 't',
    body => '["mine"]', headers => { 'X-DL-Operation-UUID' => $operation });
is_deeply([ $status, $body->{row_count}, $headers->{'idempotent-replayed'} ],
    [ 200, 1, undef ], q{the victim's UUID is as good as any});
my $attackers = state_of($attacker);
like($attackers, qr/^mine/, 'in the own table');

# --- tables are the connection's own, whatever a path says

my @paths = ('treasure', 'public.treasure', '"public"."treasure"', 'public%2Ftreasure',
    '..%2F..%2Fx%2Ftable%2Ft', "$victim->{schema}.t", "%22$victim->{schema}%22.t",
    'pg_class', 'pg_catalog.pg_class', 'connection', 'intake.connection',
    'intake%2Econnection_token', 't%20', '%E2%80%AEt', 't%27%3BDROP%20TABLE%20t%3B--');
for my $path (@paths)
{
    my $url = "/provider/v1/connection/$attacker->{connection_id}/table/$path";
    my $tell = sub {
        my ($method, $end) = @_;

        return (call($attacker, $method, path => "$url/$end",
                body => $bodies{$method}))[0];
    };

    $url =~ s/"/%22/g;
    is($tell->('write_data', 'data'), 404, "$path: no table");
    is($tell->('delete_data', 'data'), 404, "$path: no table to delete from");
    is($tell->('delete_table', 'definition'), 404, "$path: no table to delete");
    is($tell->('update_table', 'definition'), 200, "$path: made");
    is($tell->('write_data', 'data'), 200, "$path: written");
    is($tell->('delete_table', 'definition'), 204, "$path: deleted");
}
is(rows(q{SELECT a FROM public.treasure}), 'gold', 'public tables are untouched');
is(rows(qq{SELECT count(*) FROM pg_class
    WHERE relnamespace = '"$attacker->{schema}"'::regnamespace AND relkind = 'r'}),
    1, 'nothing is left of them');

# what is no name, or no path
for my $case ([ '%00', 400 ], [ 't%00', 400 ], [ '%FF', 400 ], [ '%ED%A0%80', 400 ],
    [ '%C0%AF', 400 ], [ 't%', 400 ], [ 't%4', 400 ], [ 'x' x 64, 400 ],
    [ '%D1%8F' x 32, 400 ], [ '', 400 ], [ 't/x', 404 ], [ '../table/t/..', 404 ],
    [ 't/../../..', 404 ])
{
    my ($path, $expected) = @$case;

    for my $method (qw(update_table write_data delete_data delete_table))
    {
        my $end = $method =~ /table/ ? 'definition' : 'data';

        ($status, $body) = call($attacker, $method, body => $bodies{$method},
            path => "/provider/v1/connection/$attacker->{connection_id}/table/$path/$end");
        is($status, $expected, "$method: \"" . substr($path, 0, 20) . '"')
            or diag(explain($body));
        is(ref $body && defined $body->{code} ? 'code' : $body, 'code',
            'in the form of the API');
    }
}
is(state_of($victim), $state, 'nothing of the victim has changed');
is(state_of($attacker), $attackers, q{nor of the attacker's own table});

# --- names, titles and values that are SQL, through every method

my $bobby = q{Robert'); DROP TABLE "t"; --};
for my $name ($bobby, q{"}, q{'}, q{\\'}, ';', '$$', '${x}', "a\nb", '%s%n', 'день',
    'я' x 31 . 'x', 'n' x 63, "\x{1F600}" x 15, "e\x{301}", 'U&"\0041"', "date_trunc('month', t)")
{
    my $item = qq{date_trunc('month', "} . ($name =~ s/"/""/gr) . '")';
    my $definition = { title => $name, replacing_key => ['value'],
        partition_key => [ 'value', $item ], schema => [
            { name => 'value', type => 'string', title => $name },
            { name => $name, type => 'date', title => $name } ] };
    my $line = JSON::PP->new->utf8->encode([ $name, '2024-07-05' ]);
    my $what = substr($name, 0, 20);
    utf8::encode($what);

    ($status, $body) = call($attacker, 'update_table', table => $name,
        body => $definition);
    is_deeply([ $status, @{ $body->{new_table_definition} }{qw(name title)} ],
        [ 200, $name, $name ], "$what: defined") or diag(explain($body));
    for my $headers ({}, { 'X-DL-Force-Truncate' => 'true',
            'X-DL-Table-Definition' => JSON::PP->new->ascii->encode($definition) })
    {
        ($status, $body) = call($attacker, 'write_data', table => $name,
            body => $line, headers => $headers);
        is_deeply([ $status, $body->{row_count} ], [ 200, 1 ], "$what: written")
            or diag(explain($body));
    }
    my ($found) = grep { $_->{name} eq $name } @{ (call($attacker, 'info'))[1]{tables} };
    is_deeply([ @$found{qw(title partition_key)}, map { @$_{qw(name title)} }
                @{ $found->{schema} } ],
        [ $name, [ 'value', $item ], 'value', $name, $name, $name ], "$what: told");
    is(rows(sprintf('SELECT value, %s FROM "%s".%s',
            map { $_ eq $attacker->{schema} ? $_ : '"' . ($_ =~ s/"/""/gr) . '"' }
                $name, $attacker->{schema}, $name)),
        "$name|2024-07-05", "$what: there");
    ($status, $body) = call($attacker, 'delete_data', table => $name,
        body => { partitions => [ { value => $name, $item => '2024-07-01' } ] });
    is_deeply([ $status, $body->{deleted_partition_keys}, $body->{message} =~ /(\d+) row/ ],
        [ 200, [ [ $name, '2024-07-01' ] ], 1 ],
        "$what: its partition is deleted") or diag(explain($body));
    # the value is told as it was sent, with JSON's escapes
    ($status, $body) = call($attacker, 'write_data', table => $name,
        body => JSON::PP->new->utf8->encode([ $name, $name ]));
    is_deeply([ $status, $body->{details}{column},
            decode_json(encode_utf8(qq{["$body->{details}{value}"]})) ],
        [ 400, $name, [$name] ], "$what: an error tells column and value")
        or diag(explain($body));
    ($status) = call($attacker, 'delete_table', table => $name);
    is($status, 204, "$what: deleted");
}
is(state_of($attacker), $attackers, 'the table that they name is there');

# key items that are SQL
for my $item ('a || a', 'lower(a)', '(a)', "a; DROP TABLE t", 'a, a', 'pg_sleep(1)',
    "(SELECT a FROM public.treasure)", "date_trunc('month', now())",
    "date_trunc('month', a); --", "date_trunc(a, a)", "'x'", '1', '*', 't.a', 'a::text',
    'a COLLATE "C"', 'a DESC', "a\0")
{
    for my $key (qw(partition_key replacing_key))
    {
        my $definition = { %{ $bodies{update_table} }, $key => [$item] };

        ($status, $body) = call($attacker, 'update_table', table => 'keys',
            body => $definition);
        is($status, 400, "$key $item");
        ($status) = call($attacker, 'write_data', table => 'keys', body => '["x"]',
            headers => { 'X-DL-Table-Definition' =>
                    JSON::PP->new->ascii->encode($definition) });
        is($status, 400, "$key $item in a header");
    }
}
is(rows(qq{SELECT to_regclass('"$attacker->{schema}".keys')}), '',
    'no table was made by them');

# --- what the owner of a connection writes runs as the connection

rows(q{
    CREATE ROLE owner;
    GRANT CREATE ON DATABASE postgres TO owner;
    GRANT USAGE ON SCHEMA intake TO owner;
    GRANT EXECUTE ON FUNCTION intake.create_connection, intake.drop_connection,
        intake.rotate_key, intake.grant_read TO owner;
    CREATE TABLE public.tried (place text, what text, outcome text, who text);
    GRANT INSERT, SELECT ON public.tried TO PUBLIC;
    CREATE ROLE rich; GRANT SELECT ON public.treasure TO rich;
    });
my $owned = make_partner($node, $base, 'Owned', 'owner');
my $neighbour = make_partner($node, $base, 'Neighbour', 'owner');
my $integer = { schema => [ { name => 'n', type => 'integer' } ],
    replacing_key => ['n'], partition_key => ['n'] };
for my $partner ($owned, $neighbour)
{
    ($status) = call($partner, 'update_table', table => 't', body => $integer);
    is($status, 200, 'a table of a connection of the owner');
}
my $hostile = qq{
    SET ROLE owner;
    SET ROLE "$owned->{role}";
    SET search_path = "$owned->{schema}";
    CREATE FUNCTION try(place text) RETURNS void LANGUAGE plpgsql AS \$\$
    DECLARE
        what text;
    BEGIN
        FOREACH what IN ARRAY ARRAY['RESET ROLE', 'SET ROLE postgres',
            'SET ROLE owner', 'SET ROLE "$neighbour->{role}"', 'SET ROLE rich',
            'SET SESSION AUTHORIZATION DEFAULT', 'COMMIT',
            'SELECT * FROM public.treasure', 'TABLE intake.connection',
            'TABLE intake.connection_token', 'TABLE intake.connection_table',
            'TABLE intake.entity', 'TABLE intake.operation',
            'SELECT intake.create_connection(''x'')',
            'SELECT intake.rotate_key(''$neighbour->{connection_id}'')',
            'SELECT intake.drop_connection(''$owned->{connection_id}'')',
            'SELECT intake.grant_read(''$neighbour->{connection_id}'', ''owner'')',
            'SELECT * FROM "$neighbour->{schema}".t',
            'INSERT INTO "$neighbour->{schema}".t VALUES (1)',
            'CREATE TABLE "$neighbour->{schema}".x ()',
            'CREATE TABLE public.x ()', 'CREATE SCHEMA x',
            'COPY (SELECT 1) TO PROGRAM ''true''',
            'SELECT pg_read_file(''PG_VERSION'')',
            'CREATE ROLE x', 'ALTER ROLE "$owned->{role}" SUPERUSER',
            'GRANT rich TO "$owned->{role}"']
        LOOP
            BEGIN
                EXECUTE what;
                INSERT INTO public.tried VALUES (place, what, 'done', current_user);
            EXCEPTION WHEN OTHERS THEN
                INSERT INTO public.tried VALUES (place, what, SQLSTATE, current_user);
            END;
        END LOOP;
    END \$\$;
    CREATE FUNCTION try_row() RETURNS trigger LANGUAGE plpgsql
        AS \$\$ BEGIN PERFORM "$owned->{schema}".try(TG_WHEN || ' ' || TG_OP); RETURN coalesce(NEW, OLD); END \$\$;
    CREATE FUNCTION try_now() RETURNS trigger LANGUAGE plpgsql
        AS \$\$ BEGIN PERFORM "$owned->{schema}".try(TG_WHEN || ' ' || TG_OP || ' ' || TG_LEVEL); RETURN NULL; END \$\$;
    CREATE FUNCTION try_check(bigint) RETURNS bool IMMUTABLE LANGUAGE plpgsql
        AS \$\$ BEGIN PERFORM "$owned->{schema}".try('check'); RETURN true; END \$\$;
    CREATE FUNCTION try_index(bigint) RETURNS bigint IMMUTABLE LANGUAGE plpgsql
        AS \$\$ BEGIN PERFORM "$owned->{schema}".try('index'); RETURN \$1; END \$\$;
    CREATE TRIGGER a BEFORE INSERT OR DELETE ON t FOR EACH ROW
        EXECUTE FUNCTION try_row();
    CREATE TRIGGER b AFTER TRUNCATE ON t EXECUTE FUNCTION try_now();
    CREATE CONSTRAINT TRIGGER c AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION try_now();
    ALTER TABLE t ADD CHECK (try_check(n));
    -- functions that PostgreSQL's own ones are called like
    CREATE FUNCTION date_trunc(text, date) RETURNS timestamp IMMUTABLE LANGUAGE plpgsql
        AS \$\$ BEGIN PERFORM "$owned->{schema}".try('date_trunc'); RETURN \$2; END \$\$;
    CREATE FUNCTION date_trunc(text, timestamp) RETURNS timestamp IMMUTABLE LANGUAGE plpgsql
        AS \$\$ BEGIN PERFORM "$owned->{schema}".try('date_trunc'); RETURN \$2; END \$\$;
    CREATE FUNCTION int8eq(bigint, bigint) RETURNS bool IMMUTABLE LANGUAGE plpgsql
        AS \$\$ BEGIN PERFORM "$owned->{schema}".try('equal'); RETURN true; END \$\$;
    CREATE OPERATOR = (LEFTARG = bigint, RIGHTARG = bigint, PROCEDURE = int8eq);
    CREATE DOMAIN text AS int;
    CREATE DOMAIN bigint AS varchar;
    };
rows($hostile);
for my $line ('[1]', '[1]', '[2]')
{
    ($status, $body) = call($owned, 'write_data', table => 't', body => $line);
    is($status, 200, 'a write through the traps') or diag(explain($body));
}
($status) = call($owned, 'delete_data', table => 't',
    body => { partitions => [ { n => 2 } ] });
is($status, 200, 'a delete through the traps');
is(rows(qq{SELECT count(*) FROM "$owned->{schema}".t}), 1, 'rows are right');
rows(qq{SET ROLE "$owned->{role}"; CREATE INDEX ON "$owned->{schema}".t
    ("$owned->{schema}".try_index(n))});
($status, $body) = call($owned, 'update_table', table => 't', body => {
    %$integer, schema => [ { name => 'n', type => 'integer' },
        { name => 'day', type => 'date' } ],
    partition_key => ["date_trunc('month', day)"] });
is($status, 200, 'a change through the traps') or diag(explain($body));
($status) = call($owned, 'write_data', table => 't', body => '[1, "2024-01-01"]');
is($status, 200, 'a write after it');
is(rows(q{SELECT string_agg(DISTINCT place, ', ' ORDER BY place) FROM tried
        WHERE who <> 'postgres'}),
    'AFTER INSERT ROW, AFTER TRUNCATE STATEMENT, BEFORE DELETE, BEFORE INSERT, check, index',
    'the traps were all sprung');
is(rows(qq{SELECT DISTINCT who FROM tried}), $owned->{role},
    'as the role of the connection');
is(rows(q{SELECT DISTINCT what, outcome FROM tried WHERE outcome = 'done'}), '',
    'and nothing got through');
is(rows(qq{SELECT format_type(atttypid, NULL) FROM pg_attribute
    WHERE attrelid = '"$owned->{schema}".t'::regclass AND attnum > 0
        AND NOT attisdropped ORDER BY attnum}), "bigint\ndate",
    q{types are PostgreSQL's own});
($status) = call($owned, 'update_table', table => 'all types', body => {
        schema => [ map { { name => $_, type => $_ } }
            qw(string integer float date datetime boolean geopoint) ] });
is($status, 200, 'a table of all types');
is(rows(qq{SELECT string_agg(format_type(atttypid, NULL), ', ' ORDER BY attnum)
    FROM pg_attribute WHERE attrelid = '"$owned->{schema}"."all types"'::regclass
        AND attnum > 0}),
    'text, bigint, double precision, date, timestamp with time zone, boolean, point',
    q{of PostgreSQL's own types});
is(rows(qq{SELECT count(*) FROM "$neighbour->{schema}".t}), 0,
    'the neighbour has nothing of it');

# what a partner is told of the functions' errors is theirs, not the server's
rows(qq{SET ROLE "$owned->{role}";
    CREATE OR REPLACE FUNCTION "$owned->{schema}".try_row() RETURNS trigger LANGUAGE plpgsql
        AS \$\$ BEGIN PERFORM a FROM public.treasure; RETURN NEW; END \$\$});
($status, $body) = call($owned, 'write_data', table => 't', body => '[3, "2024-01-01"]');
is($status, 403, 'a trigger without rights');
unlike(encode_json($body), qr/gold/, 'tells nothing of what it wanted');

# --- an owner has by his functions what he has without them

# The SQLSTATE of a statement, or 00000.
sub code_of
{
    my ($sql) = @_;
    my ($out, $err);

    $node->psql('postgres', "\\set VERBOSITY sqlstate\n$sql",
        stdout => \$out, stderr => \$err);
    return $err =~ /ERROR:\s+(\w{5})/ ? $1 : '00000';
}

my @refused = (
    [ q{SELECT intake.create_connection('x', schema => 'public')}, '42P06', 'a schema that is there' ],
    [ q{SELECT intake.create_connection('x', schema => 'intake')}, '42P06', 'schema intake' ],
    [ qq{SELECT intake.create_connection('x', schema => '$victim->{schema}')}, '42P06',
        'a schema of another connection' ],
    [ q{SELECT intake.create_connection('x', schema => 'pg_x')}, '42939', 'a name of the system' ],
    [ q{SELECT intake.create_connection('x', schema => 'pg_temp')}, '42939', 'pg_temp' ],
    [ qq{SELECT intake.grant_read('$victim->{connection_id}', 'owner')}, '42501',
        q{reading another's tables} ],
    [ qq{SELECT intake.rotate_key('$victim->{connection_id}')}, '42501', q{another's key} ],
    [ qq{SELECT intake.drop_connection('$victim->{connection_id}', true)}, '42501',
        q{dropping another's} ],
    [ 'TABLE intake.connection', '42501', 'connections' ],
    [ 'TABLE intake.connection_token', '42501', 'tokens' ],
    [ 'TABLE intake.connection_table', '42501', 'definitions' ],
    [ q{UPDATE intake.connection SET role_name = 'postgres'}, '42501', 'changing them' ],
    [ qq{ALTER ROLE "$owned->{role}" LOGIN}, '42501', 'logging in as the role' ],
    [ qq{GRANT "$owned->{role}" TO rich}, '42501', 'giving the role away' ],
    [ qq{TABLE "$victim->{schema}".t}, '42501', q{another's tables} ]);
for my $case (@refused)
{
    is(code_of("SET ROLE owner; $case->[0]"), $case->[1], "an owner: $case->[2]");
}

# statements of ours hear nothing of the caller's search_path or of his settings
rows(qq{SET ROLE owner; CREATE SCHEMA trap; SET search_path = trap, pg_catalog;
    CREATE FUNCTION trap.quote_ident(text) RETURNS text LANGUAGE sql AS \$\$ SELECT 'postgres' \$\$;
    CREATE FUNCTION trap.sha256(bytea) RETURNS bytea LANGUAGE sql AS \$\$ SELECT ''::bytea \$\$;
    CREATE DOMAIN trap.text AS varchar; CREATE DOMAIN trap.name AS varchar;
    CREATE TABLE trap.pg_authid (); CREATE TABLE trap.pg_namespace ();
    CREATE TABLE trap.connection (connection_id pg_catalog.int4)});
my $title = q{'; ALTER ROLE owner SUPERUSER; --} =~ s/'/''/gr;
my $made = decode_json(rows(qq{SET ROLE owner; SET search_path = trap, pg_catalog;
    SET standard_conforming_strings = off; SET quote_all_identifiers = on;
    SELECT pg_catalog.to_jsonb(c) FROM intake.create_connection(E'\\\\$title',
        schema => E'q"\\\\') c}));
rows(qq{SET ROLE owner; SET search_path = trap, pg_catalog;
    SET standard_conforming_strings = off;
    SELECT intake.grant_read('$made->{connection_id}', 'rich');
    SELECT intake.rotate_key('$made->{connection_id}')});
is(rows(q{SELECT rolsuper OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = 'owner'}),
    'f', 'an owner is what he was');
is(rows(qq{SELECT shobj_description(oid, 'pg_authid') FROM pg_roles
    WHERE rolname = 'intake_$made->{connection_id}'}),
    q{\\'; ALTER ROLE owner SUPERUSER; --}, 'a title is a comment');
rows(qq{SET ROLE owner; SET search_path = trap, pg_catalog;
    SET standard_conforming_strings = off;
    SELECT intake.drop_connection('$made->{connection_id}', true)});
is(rows(qq{SELECT to_regrole('intake_$made->{connection_id}')}), '', 'it is dropped');

# what of the role's an owner inherits is no superuser's
is(code_of(qq{SET ROLE owner; SELECT intake.drop_connection('$owned->{connection_id}')}),
    '00000', 'an owner drops his connection');
is(rows(qq{SELECT DISTINCT r.rolname || ' ' || r.rolsuper FROM pg_proc p
    JOIN pg_roles r ON r.oid = proowner JOIN pg_namespace n ON n.oid = pronamespace
    WHERE nspname = '$owned->{schema}'}), 'owner false', 'and inherits what it had');
is(state_of($victim), $state, 'nothing of the victim has changed');

$node->stop;
done_testing();
