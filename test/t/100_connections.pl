# Partner connections over HTTP: the exchange of a JWT made by openssl and by
# python3-jwt, and of an OAuth token, for an opaque token.

use strict;
use warnings;

use FindBin;
use JSON::PP;
use MIME::Base64 qw(encode_base64url);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use lib "$FindBin::RealBin/../lib";
use IntakeGateway;

my ($node, $base) = make_gateway('gateway', "log_statement = 'none'");
my $dir = PostgreSQL::Test::Utils::tempdir();
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pg_intake');
wait_for_gateway($base);

# What a partner is handed over, as a hash; the key is in a file of its id.
sub connection
{
    my ($call, $database) = @_;
    my $row = decode_json($node->safe_psql($database // 'postgres',
        "SELECT to_jsonb(c) FROM intake.$call c"));

    write_file("$dir/$row->{svc_acct_key_id}.pem",
        $row->{svc_acct_private_key});
    return $row;
}

# A JWT by openssl alone.
sub make_jwt
{
    my ($header, $claims, $key, @options) = @_;
    my $content = join '.',
        map { encode_base64url(encode_json($_)) } $header, $claims;
    my $signature = '';

    @options = qw(rsa_padding_mode:pss rsa_pss_saltlen:digest) unless @options;
    write_file("$dir/content", $content);
    IPC::Run::run(
        [ 'openssl', 'dgst', '-sha256', '-sign', "$dir/$key.pem",
            (map { ('-sigopt', $_) } @options), "$dir/content" ],
        '>', \$signature) or die 'openssl failed';
    return "$content." . encode_base64url($signature);
}

sub good_header
{
    my ($connection) = @_;

    return { typ => 'JWT', alg => 'PS256',
        kid => $connection->{svc_acct_key_id} };
}

sub good_claims
{
    my ($connection) = @_;

    return { iss => $connection->{service_account_id},
        aud => "$base/iam/v1/tokens", iat => time, exp => time + 3600 };
}

# A JWT of the connection; header and claims on top of good ones.
sub jwt_of
{
    my ($connection, $claims, $header) = @_;

    return make_jwt({ %{ good_header($connection) }, %{ $header // {} } },
        { %{ good_claims($connection) }, %{ $claims // {} } },
        $connection->{svc_acct_key_id});
}

sub post
{
    my ($body, @more) = @_;

    @more = (-H => 'Content-Type: application/json') unless @more;
    return curl(@more, '--data-binary' => $body, "$base/iam/v1/tokens");
}

sub exchange
{
    my ($jwt) = @_;

    return post(encode_json({ jwt => $jwt }));
}

my $one = connection("create_connection('One', true)");
my ($status, $headers, $body) = exchange(jwt_of($one));
is($status, 200, 'a JWT by openssl is exchanged');
done_testing();
