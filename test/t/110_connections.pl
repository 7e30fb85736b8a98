# Partner connections over HTTP: the exchange of a JWT made by openssl and by
# python3-jwt, and of an OAuth token, for an opaque token; what is refused, with
# each status; how tokens end; what is logged; other encodings, a standby, dump
# and restore (spec/datalens.md, section 2).

use strict;
use warnings;

use FindBin;
use JSON::PP;
use MIME::Base64 qw(decode_base64 encode_base64);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes;

use lib "$FindBin::RealBin/../lib";
use IntakeGateway;

my ($node, $base) = make_gateway('gateway', q{
    log_statement = 'all'
    log_min_duration_statement = 0
    pg_intake.authentication = 'jwt'
    pg_intake.log_requests = 'all'
    pg_intake.max_loaders = 3
    pg_intake.table_lock_timeout = '200ms'
    });
my $dir = PostgreSQL::Test::Utils::tempdir();
my @secrets;    # what must be in no log
my @json = (-H => 'Content-Type: application/json');

# The database's answer to SQL that may hold a secret, so it is not logged.
sub query
{
    my ($sql, $database, $server) = @_;
    my ($stdout, $stderr);

    local $ENV{PGOPTIONS} =
        '-c log_statement=none -c log_min_duration_statement=-1 '
        . '-c log_min_error_statement=panic';
    ($server // $node)->psql(
        $database // 'postgres',
        "\\set VERBOSITY verbose\n$sql",
        stdout => \$stdout,
        stderr => \$stderr);
    return $stderr =~ /ERROR:\s+(\w{5}: .*)/ ? $1 : $stdout;
}

# What a partner is handed over; the key is in a file of its id.
sub connection
{
    my ($call, $database) = @_;
    my $row = decode_json($node->safe_psql($database // 'postgres',
        "SELECT to_jsonb(c) FROM intake.$call c"));

    push @secrets, split /\n/, $row->{svc_acct_private_key} =~
        s/-----[A-Z ]+-----\n//gr;
    push @secrets, $row->{oauth_token} if defined $row->{oauth_token};
    write_file("$dir/$row->{svc_acct_key_id}.pem",
        $row->{svc_acct_private_key});
    return $row;
}

sub base64url
{
    return encode_base64($_[0], '') =~ tr{+/}{-_}r =~ s/=+$//r;
}

# A JWT by openssl alone.
sub make_jwt
{
    my ($header, $claims, $key, @options) = @_;
    my $content = join '.',
        map { base64url(ref $_ ? encode_json($_) : $_) } $header, $claims;
    my $signature = '';

    @options = qw(rsa_padding_mode:pss rsa_pss_saltlen:digest) unless @options;
    write_file("$dir/content", $content);
    IPC::Run::run(
        [ 'openssl', 'dgst', '-sha256', '-sign', "$dir/$key.pem",
            (map { ('-sigopt', $_) } @options), "$dir/content" ],
        '>', \$signature) or die 'openssl failed';
    push @secrets, base64url($signature), $content =~ s/.*\.//r;
    return "$content." . base64url($signature);
}

# Header and claims of a good JWT, with changes; undef leaves a member out.
sub header_of
{
    my ($connection, %changes) = @_;
    my %header = (typ => 'JWT', alg => 'PS256',
        kid => $connection->{svc_acct_key_id}, %changes);

    return { map { $_ => $header{$_} } grep { defined $header{$_} }
            keys %header };
}

sub claims_of
{
    my ($connection, %changes) = @_;
    my %claims = (iss => $connection->{service_account_id},
        aud => "$base/iam/v1/tokens", iat => time, exp => time + 3600,
        %changes);

    return { map { $_ => $claims{$_} } grep { defined $claims{$_} }
            keys %claims };
}

sub jwt_of
{
    my ($connection, %claims) = @_;

    return make_jwt(header_of($connection), claims_of($connection, %claims),
        $connection->{svc_acct_key_id});
}

sub post
{
    my ($body, @more) = @_;

    return curl(@more ? @more : @json, '--data-binary' => $body,
        "$base/iam/v1/tokens");
}

sub exchange
{
    my ($jwt) = @_;
    my ($status, $headers, $body) = post(encode_json({ jwt => $jwt }));

    push @secrets, $body->{iamToken}
        if ref $body && defined $body->{iamToken};
    return ($status, $headers, $body);
}

sub exchange_oauth
{
    my ($token) = @_;

    return post(encode_json({ yandexPassportOauthToken => $token }));
}

# A new token of the connection.
sub token_of
{
    return (exchange(jwt_of(@_)))[2]->{iamToken};
}

# What a bearer is told: a role, or an error.
sub answer
{
    my ($token, @where) = @_;

    return query("SELECT role FROM intake.verify_token('Bearer $token')",
        @where);
}

my $bad_token = '28000: the token is unknown or has expired';

$node->start;
wait_for_gateway($base);

# --- without the extension there is nobody to ask

my ($status, $headers, $body) = post('{"jwt": "x"}');
is($status, 503, 'no extension: 503');
is($body->{code}, 'F0000', 'with its SQLSTATE');
ok(defined $headers->{'retry-after'}, 'to be repeated');
$node->safe_psql('postgres', 'CREATE EXTENSION pg_intake');

# --- a JWT by openssl

my $one = connection("create_connection('One', true)");
my $two = connection("create_connection('Two', true)");
my $role = "intake_$one->{connection_id}";

($status, $headers, $body) = exchange(jwt_of($one));
is($status, 200, 'a JWT by openssl is exchanged');
is($headers->{'content-type'}, 'application/json', 'for JSON');
is($headers->{'cache-control'}, 'no-store', 'that nobody keeps');
is_deeply([ sort keys %$body ], [ 'expiresAt', 'iamToken' ], 'of two members');
like($body->{iamToken}, qr/^iam_[A-Za-z0-9_-]{43}$/, 'an opaque token');
like($body->{expiresAt},
    qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)$/,
    'and its end as RFC 3339 wants it');
is(query("SELECT '$body->{expiresAt}'::timestamptz - now()
        BETWEEN '11:59' AND '12:00'"), 't', 'in 12 hours');
is( query("SELECT subject, role, roles, expires_at = '$body->{expiresAt}'
        FROM intake.verify_token('bearer $body->{iamToken}')"),
    "$one->{service_account_id}|$role|{}|t",
    'it is the role of the connection');
is( query("SELECT encode(hash, 'hex') = encode(sha256('$body->{iamToken}'), 'hex'),
        connection_id FROM intake.connection_token"),
    "t|$one->{connection_id}", 'its digest is what is kept');
my $first = $body->{iamToken};

# --- by other means

my $python = '/usr/bin/python3';
my ($stdout, $stderr);
IPC::Run::run(
    [ $python, 'test/token/sign.py', 'token',
        "$dir/$two->{svc_acct_key_id}.pem", 'PS256',
        encode_json({ iss => $two->{service_account_id},
            aud => 'https://gate.example.com/iam/v1/tokens',
            iat => '@0', exp => '@3600' }),
        encode_json({ kid => $two->{svc_acct_key_id} }) ],
    '>', \$stdout, '2>', \$stderr) or die "sign.py: $stderr";
chomp $stdout;
($status, undef, $body) = exchange($stdout);
is($status, 200, 'a JWT by python3-jwt');
is(answer($body->{iamToken}), "intake_$two->{connection_id}",
    'is that of its own connection');
($status, undef, $body) = exchange_oauth($two->{oauth_token});
is($status, 200, 'an OAuth token');
push @secrets, $body->{iamToken};
is(answer($body->{iamToken}), "intake_$two->{connection_id}",
    'is that of its connection');
($status, undef, $body) = curl('--http2-prior-knowledge', @json,
    '--data-binary' => encode_json({ jwt => jwt_of($one) }),
    "$base/iam/v1/tokens");
is($status, 200, 'over HTTP/2');
is(answer($first), $role, 'a new token ends no old one');
($status) = post(encode_json({ jwt => jwt_of($one) }),
    -H => 'Content-Type: Application/JSON; charset=UTF-8');
is($status, 200, 'a content type with a parameter');
foreach my $claims (
    [ aud => [ 'other', 'x/iam/v1/tokens' ] ],
    [ iat => time - 3600, exp => time ],
    [ iat => time + 50, exp => time + 3650 ],
    [ exp => time - 50, iat => time - 100 ],
    [ iat => time - 0.5, exp => time + 60.25 ])
{
    ($status) = exchange(jwt_of($one, @$claims));
    is($status, 200, "claims @$claims[0 .. 1]");
}
($status) = exchange(make_jwt(header_of($one, typ => 'jwt'), claims_of($one),
        $one->{svc_acct_key_id}));
is($status, 200, 'the type in small letters');

# --- 400, 405, 413, 415, 404

my $good = jwt_of($one);
foreach my $case (
    [ '', 'the body is not a JSON object' ],
    [ '[]', 'the body is not a JSON object' ],
    [ '{"jwt": "x"', 'the body is not a JSON object' ],
    [ '{"jwt": "x"} x', 'the body is not a JSON object' ],
    [ "{\"jwt\": \"\xff\"}", 'the body is not a JSON object' ],
    [ '{}', 'the body must have either member "jwt" or "yandexPassportOauthToken"' ],
    [ '{"JWT": "x"}', 'the body must have either member "jwt" or "yandexPassportOauthToken"' ],
    [ encode_json({ jwt => $good, yandexPassportOauthToken => $one->{oauth_token} }),
        'the body must have either member "jwt" or "yandexPassportOauthToken"' ],
    [ '{"jwt": 1}', 'member "jwt" of the body is not a text' ],
    [ '{"jwt": null}', 'member "jwt" of the body is not a text' ],
    [ '{"yandexPassportOauthToken": {}}',
        'member "yandexPassportOauthToken" of the body is not a text' ],
    [ '{"jwt": "a", "jwt": "b"}', 'the body has a member twice' ],
    [ '{"jwt": "\u0000"}', 'the body is not a JSON object' ],
    [ '{"jwt": 1e999999}', 'the body has a value that the database cannot hold' ])
{
    ($status, $headers, $body) = post($case->[0]);
    is($status, 400, "body $case->[0]");
    is($body->{message}, $case->[1], 'says what it is');
    is_deeply([ sort keys %$body ],
        [ qw(code details message request_id) ], 'in the form of the API');
    is($body->{code}, '22023', 'with a SQLSTATE');
}
($status, undef, $body) = curl('-X', 'POST', @json, "$base/iam/v1/tokens");
is($status, 400, 'no body at all');
foreach my $type ('text/plain', 'application/x-ndjson', 'application/jwt', '')
{
    ($status, undef, $body) = post('{"jwt": "x"}', -H => "Content-Type: $type");
    is($status, 415, "content type \"$type\"");
    is($body->{code}, 'IN415', 'with its code');
}
($status, undef, $body) =
    post('{"jwt": "' . 'x' x 30_000 . '"}');
is($status, 413, 'too long a body');
($status, undef, $body) = post('{"jwt": "' . 'x' x 17_000 . '"}');
is($status, 401, 'too long a JWT');
($status, $headers, $body) = curl("$base/iam/v1/tokens");
is($status, 405, 'GET');
is($headers->{allow}, 'POST', 'says what there is');
is($body->{code}, 'IN405', 'in the form of the API');
($status, undef, $body) = curl("$base/iam/v1/keys");
is_deeply([ $status, $body->{code}, ref $body->{details} ],
    [ 404, 'IN404', 'HASH' ], 'another path');
($status, undef, $body) = curl("$base/provider/v1/nothing");
is_deeply([ $status, $body->{code} ], [ 404, 'IN404' ], 'and another');

# --- 401: until the signature is good, nothing says what of it is not

my $unsigned = 'the JWT is not signed by a known key';
my $pss = 'rsa_padding_mode:pss';
my $key = $one->{svc_acct_key_id};

sub forged
{
    my ($jwt) = @_;
    my ($header, $claims, $signature) = split /\./, $jwt;

    return "$header." . base64url(encode_json(claims_of($one, more => 1)))
        . ".$signature";
}

my @refused = (
    [ 'no JWT', 'x', 'the token is not a signed JSON Web Token' ],
    [ 'an empty text', '', 'the token is not a signed JSON Web Token' ],
    [ 'no signature', $good =~ s/[^.]+$//r, $unsigned ],
    [ 'other claims', forged($good), $unsigned ],
    [ 'a signature that is no base64url', "$good=", 'the token is not a signed JSON Web Token' ],
    [ 'another key', make_jwt(header_of($one), claims_of($one),
            $two->{svc_acct_key_id}), $unsigned ],
    [ 'an unknown key', make_jwt(header_of($one, kid => 'a' x 20),
            claims_of($one), $key), $unsigned ],
    [ 'a key of another name', make_jwt(header_of($one, kid => "' OR 1"),
            claims_of($one), $key), $unsigned ],
    [ 'no key', make_jwt(header_of($one, kid => undef), claims_of($one), $key),
        q{the token's header names no key} ],
    [ 'RS256', make_jwt(header_of($one, alg => 'RS256'), claims_of($one), $key,
            'rsa_padding_mode:pkcs1'),
        'token algorithm "RS256" is not accepted' ],
    [ 'RS256 as PS256', make_jwt(header_of($one), claims_of($one), $key,
            'rsa_padding_mode:pkcs1'), $unsigned ],
    [ 'a salt of 20 bytes', make_jwt(header_of($one), claims_of($one), $key,
            $pss, 'rsa_pss_saltlen:20'), $unsigned ],
    [ 'no algorithm', make_jwt(header_of($one, alg => 'none'), claims_of($one),
            $key), 'token algorithm "none" is not accepted' ],
    [ 'HS256', make_jwt(header_of($one, alg => 'HS256'), claims_of($one),
            $key), 'token algorithm "HS256" is not accepted' ],
    [ 'no type', make_jwt(header_of($one, typ => undef), claims_of($one), $key),
        q{the JWT's type is not "JWT"} ],
    [ 'another type', make_jwt(header_of($one, typ => 'at+jwt'),
            claims_of($one), $key), q{the JWT's type is not "JWT"} ],
    [ 'another account', jwt_of($one, iss => $two->{service_account_id}),
        qq{claim "iss" of the token is not "$one->{service_account_id}"} ],
    [ 'no account', jwt_of($one, iss => undef),
        qq{claim "iss" of the token is not "$one->{service_account_id}"} ],
    [ 'expired', jwt_of($one, iat => time - 3700, exp => time - 100),
        qr/^the token expired at / ],
    [ 'no end', jwt_of($one, exp => undef),
        'the token does not say when it expires' ],
    [ 'no beginning', jwt_of($one, iat => undef),
        'the token does not say when it was issued' ],
    [ 'from the future', jwt_of($one, iat => time + 100, exp => time + 200),
        qr/^the token was issued in the future/ ],
    [ 'for too long', jwt_of($one, iat => time, exp => time + 3601),
        'the JWT is good for longer than an hour' ],
    [ 'text for a time', jwt_of($one, exp => 'soon'),
        'claim "exp" of the token is not a time' ],
    [ 'for nobody', jwt_of($one, aud => undef),
        'the JWT is not for this address' ],
    [ 'for another address', jwt_of($one, aud => "$base/iam/v1/token"),
        'the JWT is not for this address' ],
    [ 'for a number', jwt_of($one, aud => 7),
        'claim "aud" of the token is not a text or an array of texts' ]);

foreach my $case (@refused)
{
    my ($name, $jwt, $message) = @$case;

    ($status, $headers, $body) = exchange($jwt);
    is_deeply([ $status, $body->{code}, $headers->{'www-authenticate'} ],
        [ 401, '28000', 'Bearer' ], "refused: $name");
    ref $message ? like($body->{message}, $message, 'for a reason') :
        is($body->{message}, $message, 'for a reason');
}
foreach my $token ('', 'oauth_', $two->{oauth_token} . 'x', $first)
{
    ($status, undef, $body) = exchange_oauth($token);
    is_deeply([ $status, $body->{message} ],
        [ 401, 'the OAuth token is unknown' ], 'another OAuth token');
}

# --- the audience that a setting wants

my $audience = 'https://iam.example.com/iam/v1/tokens';
configure($node, 'pg_intake.token_audience' => $audience);
wait_for('loaders have it too', sub { (exchange(jwt_of($one)))[0] == 401 });
is((exchange(jwt_of($one, aud => $audience)))[0], 200, 'the audience');
is((exchange(jwt_of($one, aud => [ 'x', $audience ])))[0], 200, 'among others');
($status, undef, $body) = exchange(jwt_of($one, aud => "x$audience"));
is_deeply([ $status, $body->{message} ],
    [ 401, "the token is not for audience \"$audience\"" ],
    'another audience');
configure($node, 'pg_intake.token_audience' => '');
wait_for('loaders have it too', sub { (exchange(jwt_of($one)))[0] == 200 });

# --- what is good for nothing else

is(answer("${first}x"), $bad_token, 'a token and a letter');
is(answer(substr($first, 0, -1)), $bad_token, 'a token less a letter');
is(answer('iam_'), $bad_token, 'the beginning of one');
($status) = curl(-H => "Authorization: Bearer $first",
    "$base/v1/tables/a/b/operations/4f0c7c4e-3c0b-4c9e-9d57-0d3f2b8f6a11");
is($status, 401, 'a partner\'s token is none for other endpoints');

# --- a role that must be nobody's, and a connection out of order

query("ALTER ROLE $role SUPERUSER");
is(answer($first), "42501: role \"$role\" cannot be a token's principal",
    'a role that was made superuser');
query("ALTER ROLE $role NOSUPERUSER");
query("CREATE ROLE boss SUPERUSER; GRANT boss TO $role");
is(answer($first), "42501: role \"$role\" cannot be a token's principal",
    'or a member of one');
query("REVOKE boss FROM $role");
query("ALTER SCHEMA $role RENAME TO elsewhere");
is(answer($first), qq{55000: connection "$one->{connection_id}" is out of order},
    'a schema that was renamed');
query("ALTER SCHEMA elsewhere RENAME TO $role");
query("ALTER ROLE $role RENAME TO elsewhere");
is(answer($first), qq{55000: connection "$one->{connection_id}" is out of order},
    'a role that was renamed');
query("ALTER ROLE elsewhere RENAME TO $role");
is(answer($first), $role, 'and all is well again');

# --- the end of tokens

query("UPDATE intake.connection_token SET expires_at = now()
    WHERE hash = sha256('$first')");
is(answer($first), $bad_token, 'an expired token');

# A connection has 1000 tokens at most, and each exchange sweeps 100.
sub fill
{
    my ($connection, $count, $expires_at) = @_;

    return query("INSERT INTO intake.connection_token
        SELECT sha256(random()::text::bytea), '$connection->{connection_id}',
            '$connection->{svc_acct_key_id}', $expires_at
        FROM generate_series(1, $count) i");
}

sub count
{
    return query("SELECT count(*) FROM intake.connection_token WHERE $_[0]");
}

query('DELETE FROM intake.connection_token');
fill($two, 250, "now() - '1 hour'::interval");
foreach my $left (150, 50, 0, 0)
{
    exchange(jwt_of($one));
    is(count('expires_at < now()'), $left, "$left expired tokens are left");
}
my $old = token_of($one);
query('UPDATE intake.connection_token SET expires_at = expires_at
    - \'1 hour\'::interval');
fill($one, 990, "now() + '12 hours'::interval");
is(count('true'), 995, 'many tokens');
my @new = map { token_of($one) } 1 .. 8;
is(count('true'), 1000, 'no more than a thousand of one connection');
is(answer($old), $role, 'the oldest but three is still good');
is_deeply([ map { answer($_) } @new ], [ ($role) x 8 ], 'new ones are good');
fill($two, 990, "now() + '12 hours'::interval");
my $twos = token_of($two);
is(count("connection_id = '$two->{connection_id}'"), 991,
    'another connection has its own');
query("DELETE FROM intake.connection_token
    WHERE hash <> sha256('$new[0]') AND hash <> sha256('$twos')");

# Many at once, with many to sweep.
fill($two, 2000, "now() - '1 hour'::interval");
fill($one, 999, "now() + '12 hours'::interval");
my $request = write_file("$dir/request", encode_json({ jwt => jwt_of($one) }));
IPC::Run::run(
    [ 'sh', '-c', join ' ', 'for i in 1 2 3 4; do (for j in',
        (1 .. 15), "; do curl -s -o /dev/null -w '%{http_code}\\n' -H",
        "'Content-Type: application/json' --data-binary '\@$request'",
        "$base/iam/v1/tokens; done) & done; wait" ],
    '>', \$stdout) or die 'curl failed';
is_deeply([ sort split /\n/, $stdout ], [ (200) x 60 ],
    'sixty exchanges at once');
cmp_ok(count("connection_id = '$one->{connection_id}'"), '<=', 1010,
    'keep to the limit');
is(answer($new[0]), $bad_token, 'and the oldest has ended');

# --- a new key

my $before = token_of($one);
my ($old_jwt, $old_oauth) = (jwt_of($one), $one->{oauth_token});
my $session = $node->background_psql('postgres', on_error_stop => 0);
$session->query_safe('BEGIN');
$session->query_safe("SELECT FROM intake.rotate_key('$one->{connection_id}')");
is(answer($before), $role, 'a key that is being changed: tokens are good');
is((exchange($old_jwt))[0], 200, 'and are issued');
$session->query_safe('ROLLBACK');
is(answer($before), $role, 'nothing has changed');
my $during = token_of($one);
my %old = %$one;
$one = connection("rotate_key('$one->{connection_id}')");
is_deeply([ @$one{qw(connection_id service_account_id folder_id)} ],
    [ @old{qw(connection_id service_account_id folder_id)} ],
    'a new key of the same account');
is(answer($_), $bad_token, 'ends tokens') foreach $before, $during;
($status, undef, $body) = exchange($old_jwt);
is_deeply([ $status, $body->{message} ], [ 401, $unsigned ], 'the old key');
($status) = exchange_oauth($old_oauth);
is($status, 401, 'the old OAuth token');
is(answer(token_of($one)), $role, 'the new key');
is((exchange_oauth($one->{oauth_token}))[0], 200, 'the new OAuth token');
# a token that was issued by the old key while the new one came
fill(\%old, 1, "now() + '12 hours'::interval");
query("UPDATE intake.connection_token SET hash = sha256('iam_late')
    WHERE key_id = '$old{svc_acct_key_id}'");
is(answer('iam_late'), $bad_token, 'a token that came too late');

# --- dropping waits for who is at work

my $live = token_of($one);
{
    local $ENV{PGOPTIONS} = '-c log_statement=none -c log_min_duration_statement=-1';
    $session->quit;
    $session = $node->background_psql('postgres', on_error_stop => 0);
}
$session->query_safe('BEGIN');
$session->query_safe("SELECT FROM intake.verify_token('Bearer $live')");
is( query("SET lock_timeout = '100ms';
        SELECT intake.drop_connection('$one->{connection_id}')"),
    '55P03: canceling statement due to lock timeout',
    'a connection at work is not dropped');
like(query("SELECT svc_acct_key_id FROM intake.rotate_key('$two->{connection_id}')"),
    qr/^[a-z2-7]{20}$/, 'another one\'s key is changed meanwhile');
$session->query_safe('COMMIT');
$session->query_safe('BEGIN');
$session->query_safe("SELECT intake.drop_connection('$one->{connection_id}', true)");
is( query("SET lock_timeout = '100ms';
        SELECT FROM intake.verify_token('Bearer $live')"),
    '55P03: canceling statement due to lock timeout',
    'who comes while it is dropped waits');
$session->query_safe('ROLLBACK');
$session->quit;
is(answer($live), $role, 'it was not');
query("SELECT intake.drop_connection('$one->{connection_id}', true)");
is(answer($live), $bad_token, 'now it was: its tokens');
is((exchange(jwt_of($one)))[0], 401, 'its key');
is((exchange_oauth($one->{oauth_token}))[0], 401, 'and its OAuth token end');
is(query("SELECT to_regrole('$role'), to_regnamespace('$role')"), '|',
    'with its role and schema');

# --- other encodings

foreach my $encoding ('LATIN1', 'SQL_ASCII', 'EUC_JP')
{
    my $database = lc $encoding;

    query("CREATE DATABASE $database TEMPLATE template0 ENCODING '$encoding'
        LOCALE 'C'");
    query('CREATE EXTENSION pg_intake', $database);
    configure($node, 'pg_intake.database' => $database);
    my $here = connection("create_connection('Here', true)", $database);
    wait_for('loaders are in the database',
        sub { (exchange(jwt_of($here)))[0] == 200 });
    is(answer(token_of($here), $database), "intake_$here->{connection_id}",
        "a token in $encoding");
    ($status, undef, $body) = exchange_oauth($here->{oauth_token});
    is($status, 200, 'for an OAuth token');
    ($status, undef, $body) = post('{"jwt": "Ж", "x": "é"}');
    ok($status == 400 || $status == 401, "other letters: $status");
    ($status) = exchange(jwt_of($here, note => "\x{0416}\x{1F600}"));
    ok($status == 200 || $status == 401, "in claims: $status");
    is(answer('iam_é', $database), $bad_token, 'in a token')
        if $encoding eq 'SQL_ASCII';
}
# A title of another encoding is not in what all databases share, the comments
# of roles: their dump could not be restored.
is( query(q{SELECT count(*), count(shobj_description(to_regrole(role)::oid, 'pg_authid')),
            count(obj_description(to_regnamespace(schema)::oid, 'pg_namespace'))
        FROM intake.connections WHERE title = U&'caf\\00e9' OR connection_id IN
            (SELECT connection_id FROM intake.create_connection(U&'caf\\00e9'))},
        'latin1'), '0|0|0', 'no such title yet');
is( query(q{SELECT count(*), count(shobj_description(to_regrole(role)::oid, 'pg_authid')),
            count(obj_description(to_regnamespace(schema)::oid, 'pg_namespace'))
        FROM intake.connections WHERE title = U&'caf\\00e9'}, 'latin1'),
    '1|0|1', 'a title of another encoding is the schema\'s only');
$node->command_ok([ 'pg_dumpall', '--roles-only', '-f', "$dir/shared.sql" ],
    'roles are dumped');
$node->safe_psql('postgres', 'CREATE TABLE dumped (line text)');
$node->command_ok([ 'psql', '-X', '-c', "\\copy dumped FROM '$dir/shared.sql' WITH (DELIMITER E'\\x01')" ],
    'in UTF-8');
$node->safe_psql('postgres', 'DROP TABLE dumped');
configure($node, 'pg_intake.database' => 'postgres');
$two = connection("rotate_key('$two->{connection_id}')");
wait_for('loaders are back', sub { (exchange(jwt_of($two)))[0] == 200 });
$twos = token_of($two);
$role = "intake_$two->{connection_id}";

# --- a standby

$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
my $port = PostgreSQL::Test::Cluster::get_free_port();
my $primary_base = $base;
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->append_conf('postgresql.conf', "pg_intake.port = $port");
$standby->start;
$node->wait_for_catchup($standby);
is(answer($twos, undef, $standby), $role, 'a standby verifies tokens');
$base = "http://127.0.0.1:$port";
# which is never ready for uploads
wait_for('its gateway is up',
    sub { (curl("$base/actuator/health/liveness"))[0] == 200 });
($status, $headers, $body) = exchange(jwt_of($two));
is_deeply([ $status, $body->{code} ], [ 503, 'IN503' ], 'and issues none');
ok(defined $headers->{'retry-after'}, 'until it is promoted');
$standby->promote;
wait_for('it is promoted', sub { (exchange(jwt_of($two)))[0] == 200 });
is(answer(token_of($two), undef, $standby), $role, 'as it is then');
$base = $primary_base;
$standby->stop;

# --- dump and restore

# A write of the partner's, by a UUID.
my $client;
sub write_rows
{
    my ($token, $uuid, @headers) = @_;
    my $url = "$base/provider/v1/connection/$two->{connection_id}";
    my @bearer = (-H => "Authorization: Bearer $token");
    my (undef, undef, $linked) = curl(-X => 'POST', @bearer, "$url/client-id");

    $client //= $linked->{client_id};
    is($linked->{client_id}, $client, 'linking gives the same client');
    return curl(@bearer, -H => "X-DL-Client-Id: $client",
        -H => "X-DL-Operation-UUID: $uuid", -H => 'X-DL-Data-Format: array',
        -H => 'Content-Type: application/x-ndjson', @headers,
        '--data-binary' => '["day"]', "$url/table/kept/data");
}
my ($before_dump, $after_dump) = map { "00000000-0000-4000-8000-00000000000$_" } 1, 2;
my @definition = (-H => 'X-DL-Table-Definition: {"replacing_key": ["d"], '
        . '"schema": [{"name": "d", "type": "string"}]}');
is((write_rows($twos, $before_dump, @definition))[0], 200, 'rows that are dumped');

my $dump = "$dir/connections.dump";
my $roles = "$dir/roles.sql";
query("CREATE TABLE $role.t(x int); ALTER TABLE $role.t OWNER TO $role;
    INSERT INTO intake.connection_table VALUES ('$two->{connection_id}', 't', '{}')");
$node->command_ok([ 'pg_dump', '-Fc', '-f', $dump, 'postgres' ], 'a dump');
$node->command_ok([ 'pg_dumpall', '--roles-only', '-f', $roles ], 'and of roles');

my $other = PostgreSQL::Test::Cluster->new('other');
$other->init;
$other->start;
$other->safe_psql('postgres', 'CREATE DATABASE without; CREATE DATABASE fresh');
$other->command_checks_all([ 'pg_restore', '--no-owner', '--no-privileges',
        '-d', 'without', $dump ], 0, [], [], 'restored without its role');
my $state = q{SELECT state, tables, tokens FROM intake.connections};
is(query($state, 'without', $other), 'suspended|2|0', 'it is suspended');
is( query("SELECT intake.grant_read('$two->{connection_id}', current_user::regrole)",
        'without', $other),
    qq{55000: connection "$two->{connection_id}" is out of order}, 'and says so');
my $sql = join "\n", grep { / ROLE $role\b/ } split /\n/, slurp_file($roles);
like($sql, qr/CREATE ROLE $role;/, 'the role is in the dump of roles');
$other->safe_psql('postgres', "CREATE ROLE padding; $sql");
$other->command_ok([ 'pg_restore', '--exit-on-error', '-d', 'fresh', $dump ],
    'restored with its role');
is(query($state, 'fresh', $other), 'ready|2|0', 'it is ready');
is(answer($twos, 'fresh', $other), $bad_token, 'tokens have not come along');
my $fresh_port = PostgreSQL::Test::Cluster::get_free_port();
$other->append_conf('postgresql.conf', qq{
    shared_preload_libraries = 'pg_intake'
    max_worker_processes = 16
    pg_intake.database = 'fresh'
    pg_intake.port = $fresh_port
    });
$other->restart;
$base = "http://127.0.0.1:$fresh_port";
wait_for_gateway($base);
is(answer(token_of($two), 'fresh', $other), $role, 'the key is as good as before');
is((exchange_oauth($two->{oauth_token}))[0], 200, 'so is the OAuth token');
my $fresh = token_of($two);
($status, $headers) = write_rows($fresh, $before_dump, @definition);
is_deeply([ $status, $headers->{'idempotent-replayed'} ], [ 200, 'true' ],
    'what was written before is a repeat there');
($status, $headers) = write_rows($fresh, $after_dump);
is_deeply([ $status, $headers->{'idempotent-replayed'} ], [ 200, undef ],
    'and the partner goes on');
is(query("SELECT count(*) FROM $role.kept", 'fresh', $other), 1,
    'by the key of the definition');
$base = $primary_base;
$other->stop;

# A copy in the same cluster shares the role, which stays as long as it has.
query('CREATE DATABASE copy');
$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', 'copy', $dump ],
    'restored beside itself');
is(query($state, 'copy'), 'ready|2|0', 'it is ready there too');
$node->psql('postgres',
    "SELECT intake.drop_connection('$two->{connection_id}', true)",
    stderr => \$stderr);
like($stderr, qr/NOTICE:  role "$role" is kept, since objects in other databases depend on it/,
    'one of them is dropped, the role stays');
is(query($state, 'copy'), 'ready|2|0', 'for the other');
query("SELECT intake.drop_connection('$two->{connection_id}', true)", 'copy');
is(query("SELECT to_regrole('$role')"), '', 'and goes with it');

# --- without the extension, what it made is what it was

my $three = connection("create_connection('Three')");
my $third = token_of($three);
query('DROP EXTENSION pg_intake');
is( query("SELECT to_regrole('intake_$three->{connection_id}') IS NOT NULL,
        to_regnamespace('intake_$three->{connection_id}') IS NOT NULL"),
    't|t', 'role and schema outlive the extension');
is((exchange(jwt_of($three)))[0], 503, 'and nothing is exchanged');

# --- logs

my $log = slurp_file($node->logfile);
is_deeply([ grep { length $_ > 20 && index($log, $_) >= 0 } @secrets ], [],
    scalar(@secrets) . ' secrets are in no log');
like($log, qr/intake\.create_connection\('One', true\)/, 'the statements are');
like($log, qr/ERROR:  the JWT is not signed by a known key/, 'and the errors');

$node->stop;
done_testing();
