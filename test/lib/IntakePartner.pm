package IntakePartner;

# For tests of the DataLens Partner API: connections with a linked client, and
# their seven methods.

use strict;
use warnings;

use Encode qw(encode_utf8 is_utf8);
use Exporter 'import';
use JSON::PP;

use IntakeGateway;

our @EXPORT = qw(call escape get_token make_connection make_partner
    @methods request_of uuid);

# The methods of the API, by name, in their order.
our @methods = qw(link unlink info update_table delete_table write_data
    delete_data);

my %requests = (
    link => [ 'POST', 'client-id' ],
    unlink => [ 'DELETE', 'client-id' ],
    info => [ 'GET', 'info' ],
    update_table => [ 'POST', 'table/%s/definition' ],
    delete_table => [ 'DELETE', 'table/%s/definition' ],
    write_data => [ 'POST', 'table/%s/data' ],
    delete_data => [ 'DELETE', 'table/%s/data' ]);
my $serial = 0;

# A UUID that was not used before in this run.
sub uuid
{
    return sprintf('00000000-0000-4000-9000-%012x', ++$serial);
}

sub escape
{
    my ($text) = @_;

    $text = encode_utf8($text) if is_utf8($text);
    $text =~ s/([^A-Za-z0-9_~-])/sprintf('%%%02X', ord $1)/ge;
    return $text;
}

# A new connection, as create_connection() tells it, of role's.
sub make_connection
{
    my ($node, $base, $title, $role) = @_;
    my $set = defined $role ? "SET ROLE \"$role\";" : '';
    my $connection = decode_json($node->safe_psql('postgres',
        "$set SELECT to_jsonb(c)
        FROM intake.create_connection('$title', with_oauth => true) c"));

    $connection->{base} = $base;
    $connection->{schema} = $connection->{role} =
        "intake_$connection->{connection_id}";
    return $connection;
}

# A token for the connection's OAuth token.
sub get_token
{
    my ($connection) = @_;
    my (undef, undef, $body) = curl("$connection->{base}/iam/v1/tokens",
        -H => 'Content-Type: application/json', -d => encode_json(
            { yandexPassportOauthToken => $connection->{oauth_token} }));

    return $body->{iamToken};
}

# The same with a token and a linked client.
sub make_partner
{
    my $partner = make_connection(@_);
    my $body;

    $partner->{token} = get_token($partner);
    (undef, $body) = call($partner, 'link');
    $partner->{client_id} = $body->{client_id};
    return $partner;
}

# Verb and path of a method.
sub request_of
{
    my ($method, $table) = @_;
    my ($verb, $path) = @{ $requests{$method} };

    $table = escape($table // 't');
    return ($verb, $path =~ s/%s/$table/r);
}

# The headers that a method has; changes come on top, undef takes one away.
sub headers_of
{
    my ($partner, $method, $changes) = @_;
    my %headers;

    $headers{'Authorization'} = "Bearer $partner->{token}"
        if defined $partner->{token};
    $headers{'X-DL-Client-Id'} = $partner->{client_id}
        if defined $partner->{client_id};
    %headers = (%headers, 'X-DL-Operation-UUID' => uuid(),
        'X-DL-Data-Format' => 'array',
        'Content-Type' => 'application/x-ndjson') if $method eq 'write_data';
    $headers{'Content-Type'} = 'application/json'
        if $method eq 'update_table' || $method eq 'delete_data';
    %headers = (%headers, %{ $changes // {} });
    # curl's way to send a header without a value
    return map { (-H => $headers{$_} eq '' ? "$_;" : "$_: $headers{$_}") }
        grep { defined $headers{$_} } sort keys %headers;
}

# Calls a method: options are table, body (text, or what becomes JSON),
# headers, curl (its arguments), path (instead of the method's).  Returns
# status, body, headers.
sub call
{
    my ($partner, $method, %options) = @_;
    my ($verb, $path) = request_of($method, $options{table});
    my $body = $options{body};
    my @body;

    $body = JSON::PP->new->utf8->encode($body) if ref $body;
    @body = ('--data-binary' => $body) if defined $body;
    $path = "/provider/v1/connection/$partner->{connection_id}/$path";
    $path = $options{path} if defined $options{path};
    my ($status, $headers, $answer) = curl('--path-as-is', -X => $verb,
        headers_of($partner, $method, $options{headers}), @body,
        @{ $options{curl} // [] }, $partner->{base} . $path);
    return ($status, $answer, $headers);
}

1;
