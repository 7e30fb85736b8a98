package IntakeSocket;

# For tests that speak bytes to the gateway: clients that send parts of
# requests, wait, break off or make no sense, which curl does not.

use strict;
use warnings;

use Exporter 'import';
use IO::Socket::INET;

use IntakeGateway;

our @EXPORT = qw(connect_to exchange_bytes read_answer send_part);

# A connection to the server of a URL.
sub connect_to
{
    my ($url) = @_;
    my ($port) = $url =~ m{^https?://[^/]*:(\d+)};

    return IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port,
        Timeout => 60) // die "cannot connect to port $port: $!";
}

# A connection on which these bytes were sent, with more to come.
sub send_part
{
    my ($url, @bytes) = @_;
    my $socket = connect_to($url);

    print $socket @bytes;
    $socket->flush;
    return $socket;
}

# What comes until the peer closes, in the form of curl().
sub read_answer
{
    my ($socket) = @_;
    my $answer = do { local $/; <$socket> };

    close($socket);
    return curl_answer($answer // '');
}

# Sends bytes and returns all that comes until the end.
sub exchange_bytes
{
    my ($url, $bytes) = @_;
    my $socket = connect_to($url);
    my $answer = '';

    local $SIG{PIPE} = 'IGNORE';
    syswrite($socket, $bytes);
    while (sysread($socket, my $piece, 65536)) { $answer .= $piece; }
    close($socket);
    return $answer;
}

1;
