# Tokens made by python3-jwt and by openssl, with fresh keys: each algorithm,
# the file of keys and its changes, the settings, rights, what is logged, and
# dump and restore of keys and mappings (RFC 7515, 7517).

use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use lib "$FindBin::RealBin/../lib";
use IntakeGateway qw(configure);

my $python = '/usr/bin/python3';
my $dir = PostgreSQL::Test::Utils::tempdir();
my $node = PostgreSQL::Test::Cluster->new('tokens');
$node->init(
    extra => [ '--no-locale', '--encoding=UTF8' ],
    allows_streaming => 1);
# PostgreSQL's test modules log every statement
$node->append_conf('postgresql.conf',
    "log_line_prefix = '%e '\nlog_statement = none");
$node->start;

sub run_sql
{
    my ($sql, $database) = @_;

    return $node->safe_psql($database // 'postgres', $sql);
}

# The output of a command, which must succeed, without its last line end.
sub output_of
{
    my ($stdout, $stderr);
    my $result = IPC::Run::run([@_], '>', \$stdout, '2>', \$stderr);

    die "@_: $stderr" unless $result;
    chomp $stdout;
    return $stdout;
}

sub make_key
{
    my ($name, @options) = @_;

    output_of('openssl', 'genpkey', @options, '-out', "$dir/$name.pem");
    return;
}

sub jwk
{
    my ($key, $members) = @_;

    return output_of($python, 'test/token/sign.py', 'jwk', "$dir/$key.pem",
        $members // '{}');
}

# A token; claims on top of a good subject and time.
sub token
{
    my ($key, $algorithm, $headers, $claims) = @_;

    return output_of($python, 'test/token/sign.py', 'token', "$dir/$key.pem",
        $algorithm, $claims // '{"sub": "ann", "exp": "@600"}', $headers);
}

# The SQLSTATE and message of a statement's error, or what it answers.
sub error_of
{
    my ($sql, $database) = @_;
    my ($stdout, $stderr);

    $node->psql(
        $database // 'postgres',
        "\\set VERBOSITY verbose\n$sql",
        stdout => \$stdout,
        stderr => \$stderr);
    return $stderr =~ /ERROR:\s+(\w{5}: .*)/ ? $1 : $stdout;
}

# What a bearer is told: a role, or an error.
sub answer
{
    my ($token, $database) = @_;

    return error_of("SELECT role FROM intake.verify_token('Bearer $token')",
        $database);
}

sub slurp
{
    return PostgreSQL::Test::Utils::slurp_file(@_);
}

# Writes a file in one go, as who replaces it by renaming does.
sub write_file
{
    my ($path, $text, $mode) = @_;

    open(my $out, '>', "$path.new") or die "$path.new: $!";
    print $out $text;
    close($out) or die "$path.new: $!";
    chmod($mode // 0644, "$path.new") or die "$path.new: $!";
    rename("$path.new", $path) or die "$path: $!";
    return;
}

run_sql(
    q{
    CREATE EXTENSION pg_intake;
    CREATE ROLE loader;
    CREATE ROLE writer;
    CREATE ROLE boss SUPERUSER;
    CREATE ROLE watcher LOGIN IN ROLE pg_monitor;
    CREATE ROLE plain LOGIN;
    GRANT USAGE ON SCHEMA intake TO watcher, plain;
    SELECT intake.map_principal('ann', 'loader');
    });
make_key('rsa', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048');
make_key('big', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:4096');
make_key('pss', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:3072');
make_key('small', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024');
make_key('ec', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256');
make_key('ec384', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384');

#
# Algorithms
#

foreach my $key ('rsa', 'big', 'pss', 'ec')
{
    run_sql(sprintf(q{SELECT intake.trust_key('%s', '%s')}, $key, jwk($key)));
}
foreach my $key ('small', 'ec384')
{
    my ($result, undef, $stderr) =
      $node->psql('postgres',
        sprintf(q{SELECT intake.trust_key('%s', '%s')}, $key, jwk($key)));

    isnt($result, 0, "$key is refused");
}

my @matrix = (
    [ 'rsa', 'RS256', 'loader' ],
    [ 'rsa', 'PS256', 'loader' ],
    [ 'big', 'RS256', 'loader' ],
    [ 'big', 'PS256', 'loader' ],
    [ 'pss', 'PS256', 'loader' ],
    [ 'ec', 'ES256', 'loader' ],
    [ 'rsa', 'RS384', '28000: token algorithm "RS384" is not accepted' ],
    [ 'rsa', 'RS512', '28000: token algorithm "RS512" is not accepted' ],
    [ 'rsa', 'PS384', '28000: token algorithm "PS384" is not accepted' ],
    [ 'rsa', 'PS512', '28000: token algorithm "PS512" is not accepted' ],
    [ 'ec384', 'ES384', '28000: token algorithm "ES384" is not accepted' ],
    [ 'rsa', 'none', '28000: token algorithm "none" is not accepted' ]);
my %token_of;

foreach my $case (@matrix)
{
    my ($key, $algorithm, $expected) = @$case;

    $token_of{$algorithm} = token($key, $algorithm, qq({"kid": "$key"}));
    is(answer($token_of{$algorithm}), $expected, "$algorithm by $key");
}
is( answer(
        output_of(
            $python, 'test/token/sign.py', 'hmac', "$dir/rsa.pem",
            '{"sub": "ann", "exp": "@600"}', '{"kid": "rsa"}')),
    '28000: token algorithm "HS256" is not accepted',
    'HS256 with the public key as its secret');
is( answer(token('rsa', 'RS256', '{"kid": "big"}')),
    '28000: the token\'s signature is not by key "big"',
    'a token that names another key');
is( answer(token('ec', 'ES256', '{"kid": "rsa"}')),
    '28000: key "rsa" is not for token algorithm "ES256"',
    'a token that names a key of another type');
is( answer(token('rsa', 'RS256', '{}')),
    '28000: the token\'s header names no key',
    'a token that names no key');

# python3-jwt says of its own keys what they are for; a key may say so too.
run_sql(
    sprintf(
        q{SELECT intake.trust_key('only', '%s')},
        jwk('rsa', '{"alg": "PS256", "use": "sig", "kid": "only"}')));
is(answer(token('rsa', 'PS256', '{"kid": "only"}')),
    'loader', 'a key for PS256 alone');
is( answer(token('rsa', 'RS256', '{"kid": "only"}')),
    '28000: key "only" is not for token algorithm "RS256"',
    'is for nothing else');
run_sql(q{SELECT intake.distrust_key('only')});

#
# Settings: issuer, audience, role of writers
#

my $claims = '{"sub": "ann", "exp": "@600", "iss": "https://example.com",
    "aud": ["other", "pg_intake"]}';
my $full = token('ec', 'ES256', '{"kid": "ec"}', $claims);
my $one = token('ec', 'ES256', '{"kid": "ec"}',
    $claims =~ s/\["other", "pg_intake"\]/"pg_intake"/r);
my $bare = token('ec', 'ES256', '{"kid": "ec"}');

configure($node, 'pg_intake.jwt_audience' => 'pg_intake');
is(answer($full), 'loader', 'one of the audiences of a token');
is(answer($one), 'loader', 'its only audience');
is( answer($bare),
    '28000: the token is not for audience "pg_intake"',
    'a token for no audience');
configure($node, 'pg_intake.jwt_audience' => 'pg_intak');
is( answer($one),
    '28000: the token is not for audience "pg_intak"',
    'a token for another audience');
configure($node, 'pg_intake.jwt_audience' => '');
configure($node, 'pg_intake.jwt_issuer' => 'https://example.com');
is(answer($full), 'loader', 'the issuer');
is( answer($bare),
    '28000: claim "iss" of the token is not "https://example.com"',
    'a token without an issuer');
configure($node, 'pg_intake.jwt_issuer' => 'https://example.com/');
is( answer($full),
    '28000: claim "iss" of the token is not "https://example.com/"',
    'a token of another issuer');
configure($node, 'pg_intake.jwt_issuer' => '');

my $writer = token('ec', 'ES256', '{"kid": "ec"}',
    '{"sub": "bob", "exp": "@600", "roles": ["env_datawriter"]}');
my $reader = token('ec', 'ES256', '{"kid": "ec"}',
    '{"sub": "bob", "exp": "@600", "roles": ["env_datareader"]}');
my $unmapped = '42501: the token\'s subject is not mapped to a role';

is(answer($writer), $unmapped, 'a writer without a role for writers');
configure($node, 'pg_intake.writer_role' => 'writer');
is(answer($writer), 'writer', 'the role of writers');
is(answer($reader), $unmapped, 'is not for readers');
is(answer($bare), 'loader', 'nor for a subject that is mapped');
configure($node, 'pg_intake.writer_role' => 'boss');
is( answer($writer),
    '42501: role "boss" cannot be a token\'s principal',
    'a superuser as the role of writers');
configure($node, 'pg_intake.writer_role' => 'nobody');
is( answer($writer),
    'F0000: the role of setting "pg_intake.writer_role" does not exist',
    'a role of writers that is not there');
configure($node, 'pg_intake.writer_role' => '');

# No token where none is wanted; one that is shown is still verified here.
my $nobody = q{SELECT subject IS NULL, role, roles, expires_at
    FROM intake.verify_token(NULL)};

configure($node, 'pg_intake.anonymous_role' => 'writer');
is(error_of($nobody), '28000: there is no token', 'no token where one is due');
configure($node, 'pg_intake.authentication' => 'none');
is(run_sql($nobody), 't|writer|{}|infinity', 'no token where none is due');
is(answer($token_of{RS384}),
    '28000: token algorithm "RS384" is not accepted',
    'a bad token where none is due');
foreach my $role ('', 'nobody')
{
    configure($node, 'pg_intake.anonymous_role' => $role);
    is( error_of($nobody),
        'F0000: the role of setting "pg_intake.anonymous_role" does not exist',
        "an anonymous role \"$role\"");
}
configure($node, 'pg_intake.anonymous_role' => 'boss');
is( error_of($nobody),
    '42501: role "boss" cannot be a token\'s principal',
    'a superuser as the anonymous role');
configure($node, 'pg_intake.authentication' => 'jwt');

foreach my $setting (
    qw(anonymous_role authentication jwks_file jwt_audience jwt_issuer
    writer_role))
{
    my ($result, undef, $stderr) = $node->psql('postgres',
        "LOAD 'pg_intake'; SET pg_intake.$setting = 'none'");

    like(
        $stderr,
        qr/cannot be changed now/,
        "a session cannot set $setting");
    ($result, undef, $stderr) = $node->psql(
        'postgres',
        "SELECT count(*) FROM intake.options(); SHOW pg_intake.$setting",
        extra_params => [ '-U', 'plain' ]);
    like(
        $stderr,
        qr/must be superuser|permission denied/,
        "a plain role cannot see $setting");
}

#
# The file of keys
#

my $file = $node->data_dir . '/keys.json';
my $unknown = '28000: the token is signed by unknown key "f1"';
my $broken = 'F0000: the file of trusted keys cannot be used';
my $f1 = token('rsa', 'PS256', '{"kid": "f1"}');

sub write_keys
{
    my ($mode, @keys) = @_;

    write_file($file, '{"keys": [' . join(', ', @keys) . ']}', $mode);
    return;
}

is(answer($f1), $unknown, 'a key that is in no file');
configure($node, 'pg_intake.jwks_file' => 'keys.json');
is(answer($f1), $broken, 'a file that is not there');
is(answer($bare), 'loader', 'keeps no key of the table from its work');
write_keys(0644, jwk('rsa', '{"kid": "f1"}'));
is(answer($f1), 'loader', 'a key of the file');
is( run_sql(
        q{SELECT kid, kty, source, added_by FROM intake.trusted_keys
          WHERE source = 'file'}),
    'f1|RSA|file|',
    'is listed');

my $session = $node->background_psql('postgres', on_error_stop => 0);
my $ask = "SELECT role FROM intake.verify_token('Bearer $f1')";

is($session->query($ask), 'loader', 'an open session reads the file');
write_keys(0600, jwk('ec', '{"kid": "f2"}'));
is($session->query($ask), '', 'and sees at once that a key has gone');
like($session->{stderr}, qr/unknown key "f1"/, 'by its name');
$session->{stderr} = '';
write_keys(0600, jwk('ec', '{"kid": "f2"}'), jwk('rsa', '{"kid": "f1"}'));
is($session->query($ask), 'loader', 'and that one has come');
$session->quit;
is(answer(token('ec', 'ES256', '{"kid": "f2"}')),
    'loader', 'the other key of the file');

# A key of the table goes before one of the file.
write_keys(0644, jwk('big', '{"kid": "rsa"}'));
is(answer($token_of{RS256}), 'loader', 'a key of the table goes first');

# Keys that are none for us are left out, as the RFC wants it.
my $log_from = -s $node->logfile;
write_keys(
    0644,
    jwk('rsa', '{"kid": "encryption", "use": "enc", "key_ops": ["encrypt"]}'),
    jwk('small', '{"kid": "small"}'),
    jwk('ec384', '{"kid": "ec384"}'),
    '{"kty": "oct", "kid": "secret", "k": "c2VjcmV0LXRleHQ"}',
    jwk('rsa', '{"kid": "private", "d": "cHJpdmF0ZS10ZXh0"}'),
    jwk('rsa'), '7', '[]', '{}',
    jwk('rsa', '{"kid": "f1"}'),
    jwk('ec', '{"kid": "f1"}'));
is(answer($f1), 'loader', 'the good key of a mixed file');
is( run_sql(
        q{SELECT string_agg(kid, ',') FROM intake.trusted_keys
          WHERE source = 'file'}),
    'f1',
    'is the only one');
my $log = slurp($node->logfile, $log_from);
like($log, qr/key $_ of file "keys\.json" is not used/, "key $_ is logged")
  foreach 1 .. 9, 11;
unlike($log, qr/c2VjcmV0|cHJpdmF0/, 'no secret is');

# Files that cannot be used at all, and then one that can.
my %bad = (
    'text' => [ 'keys', 0644 ],
    'an array' => [ '[]', 0644 ],
    'no keys' => [ '{}', 0644 ],
    'keys that are no array' => [ '{"keys": {}}', 0644 ],
    'a member twice' => [ '{"keys": [], "keys": []}', 0644 ],
    'a broken end' => [ '{"keys": [' . jwk('rsa', '{"kid": "f1"}'), 0644 ],
    'bytes that are no UTF-8' => [ "{\"keys\": [\"\xff\"]}", 0644 ],
    'too long a file' => [ '{"keys": []}' . ' ' x 300_000, 0644 ],
    'a file that all may write' =>
      [ '{"keys": [' . jwk('rsa', '{"kid": "f1"}') . ']}', 0646 ],
    'a file that the group may write' =>
      [ '{"keys": [' . jwk('rsa', '{"kid": "f1"}') . ']}', 0664 ]);

foreach my $name (sort keys %bad)
{
    write_file($file, @{ $bad{$name} });
    is(answer($f1), $broken, $name);
}
my (undef, undef, $warning) =
  $node->psql('postgres', 'SELECT * FROM intake.trusted_keys');
like(
    $warning,
    qr/WARNING:  the file of trusted keys cannot be used/,
    'the list of keys warns of such a file');
like(
    slurp($node->logfile),
    qr/F0000 LOG:  cannot use the keys of file "keys\.json"/,
    'and it is logged');
unlink($file);
mkdir($file);
is(answer($f1), $broken, 'a directory');
rmdir($file);
system_or_bail('mkfifo', '-m', '0644', $file);
is(answer($f1), $broken, 'a named pipe, without waiting');
unlink($file);
write_keys(0644, jwk('rsa', '{"kid": "f1"}'));
is(answer($f1), 'loader', 'a good file again');
configure($node, 'pg_intake.jwks_file' => '');
is(answer($f1), $unknown, 'no file again');

#
# Rights
#

is( $node->safe_psql(
        'postgres',
        'SELECT count(*) > 0 FROM intake.trusted_keys;
         SELECT count(*) > 0 FROM intake.principals',
        extra_params => [ '-U', 'watcher' ]),
    "t\nt",
    'a member of pg_monitor sees keys and principals');
is( run_sql(
        q{SELECT string_agg(p.proname, ' ' ORDER BY p.proname)
          FROM pg_proc p
          WHERE p.pronamespace = 'intake'::regnamespace AND p.proname IN
            ('trust_key', 'distrust_key', 'map_principal', 'unmap_principal',
             'verify_token', 'all_trusted_keys')
            AND NOT has_function_privilege('watcher', p.oid, 'EXECUTE')}),
    'distrust_key map_principal trust_key unmap_principal verify_token',
    'and may call nothing that changes them');
is( run_sql(
        q{SELECT count(*) FROM pg_class c
          WHERE c.relname IN ('trusted_key', 'principal', 'trusted_keys',
              'principals') AND c.relnamespace = 'intake'::regnamespace
            AND EXISTS (SELECT FROM aclexplode(c.relacl) a
                WHERE a.grantee = 0)}),
    '0',
    'PUBLIC has no right on them');

#
# Other databases: an encoding without the letters of a subject; none at all
#

my $cyrillic = token('rsa', 'RS256', '{"kid": "rsa"}',
    '{"sub": "\u041f\u0451\u0442\u0440", "exp": "@600"}');
run_sql(
    q{CREATE DATABASE latin1 TEMPLATE template0 ENCODING 'LATIN1'
        LOCALE 'C'});
run_sql('CREATE EXTENSION pg_intake', 'latin1');
run_sql(
    sprintf(
        q{SELECT intake.trust_key('rsa', '%s');
          SELECT intake.map_principal(convert_from('\x616ee9', 'LATIN1'),
              'loader')},
        jwk('rsa')),
    'latin1');
is( answer($cyrillic, 'latin1'),
    '28000: the token\'s claims set has a value that the database cannot hold',
    'a subject that the database has no letters for');
is( answer(
        token('rsa', 'RS256', '{"kid": "rsa"}',
            '{"sub": "an\u00e9", "exp": "@600"}'),
        'latin1'),
    'loader',
    'one that it has letters for');

#
# What openssl alone makes: the README's own commands
#

my $readme = slurp('README.md');
my ($section) = $readme =~ /^### Tokens\n(.*?)^### /ms;
my @blocks = $section =~ /^```sh\n(.*?)^```/msg;

is(scalar(@blocks), 2, 'the README makes a key and a token');
{
    local $ENV{PGHOST} = $node->host;
    local $ENV{PGPORT} = $node->port;
    local $ENV{PGDATABASE} = 'postgres';
    my $answer;

    foreach my $block (@blocks)
    {
        $answer = output_of('sh', '-euc', "cd '$dir'\n$block");
    }
    like(
        $answer,
        qr/^ nightly-job \| loader \| \{\} +\| 2/m,
        'as it stands there');
}
unlike(slurp('README.md'), qr/-----BEGIN/, 'there is no key in the README');

#
# Logs
#

$log = slurp($node->logfile);
my $shown = 0;

foreach my $token (values %token_of, $full, $one, $bare, $writer, $reader, $f1,
    $cyrillic)
{
    my @parts = split /\./, $token;

    foreach my $part (@parts[ 1, 2 ])
    {
        $shown++ if defined $part && index($log, substr($part, 0, 30)) >= 0;
    }
}
is($shown, 0, 'no token is in the log, nor its claims or signature');
like($log, qr/^28000 ERROR:  the token is not for audience/m, 'the errors are');

#
# Dump and restore
#

my $state = q{SELECT kid, thumbprint, added_by, added_at FROM
        intake.trusted_keys ORDER BY kid;
    SELECT subject, role, state, mapped_by, mapped_at FROM intake.principals
    ORDER BY subject};
my $dump = "$dir/tokens.dump";
my $fresh = PostgreSQL::Test::Cluster->new('fresh');
$fresh->init(extra => [ '--no-locale', '--encoding=UTF8' ]);
$fresh->start;
$node->command_ok([ 'pg_dump', '-Fc', '-f', $dump, 'postgres' ], 'a dump');
$fresh->safe_psql('postgres', 'CREATE ROLE watcher; CREATE ROLE plain; CREATE DATABASE plain');
$fresh->command_ok(
    [ 'pg_restore', '--exit-on-error', '-d', 'plain', $dump ],
    'is restored in another cluster');
is( $fresh->safe_psql('plain', $state) =~ s/\|suspended\|/|ready|/gr,
    run_sql($state),
    'with keys and mappings');
is( $fresh->safe_psql(
        'plain', 'SELECT DISTINCT state FROM intake.principals'),
    'suspended',
    'which wait for their roles');
$fresh->safe_psql('plain', 'CREATE ROLE padding; CREATE ROLE loader');
is( $fresh->safe_psql('plain',
        "SELECT role FROM intake.verify_token('Bearer $bare')"),
    'loader',
    'and find them by their names');
$node->safe_psql('postgres', 'CREATE DATABASE copy');
$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', 'copy', $dump ],
    'and in its own cluster');
is(run_sql($state, 'copy'), run_sql($state), 'with all of it');
is(answer($bare, 'copy'), 'loader', 'and a token is good there');

#
# Standby
#

$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
is( $standby->safe_psql('postgres',
        "SELECT role FROM intake.verify_token('Bearer $bare')"),
    'loader',
    'a standby verifies tokens');
foreach my $call (
    q{trust_key('k', '} . jwk('rsa') . q{')},
    q{distrust_key('rsa')},
    q{map_principal('bob', 'loader')},
    q{unmap_principal('ann')})
{
    my ($result, undef, $stderr) =
      $standby->psql('postgres', "SELECT intake.$call");

    like($stderr, qr/cannot execute intake\.\w+\(\)/, "but refuses $call");
}

$standby->stop;
$fresh->stop;
$node->stop;
done_testing();
