package IntakeGateway;

# For tests of the gateway: a server that has one, and curl.

use strict;
use warnings;

use Exporter 'import';
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(@ndjson configure curl curl_answer http2_frame http2_head
    make_gateway program_pid start_gateway wait_for wait_for_gateway write_file);

# What curl says of NDJSON.
our @ndjson = (-H => 'Content-Type: application/x-ndjson');

# A server with a gateway that wants no token and runs uploads as role writer,
# who may use schema intake; not started.  Returns the node and the gateway's
# URL.
sub make_gateway
{
    my ($name, $settings) = @_;
    my $port = PostgreSQL::Test::Cluster::get_free_port();
    my $node = PostgreSQL::Test::Cluster->new($name);

    plan skip_all => 'curl is not there'
        if system('curl --version >/dev/null 2>&1');
    $node->init(allows_streaming => 1);
    $node->append_conf(
        'postgresql.conf', qq{
        shared_preload_libraries = 'pg_intake'
        max_worker_processes = 16
        pg_intake.port = $port
        pg_intake.authentication = 'none'
        pg_intake.anonymous_role = 'writer'
        $settings
        });
    return ($node, "http://127.0.0.1:$port");
}

# Starts it, with the extension, the role and what else the test needs, and
# waits until it serves.
sub start_gateway
{
    my ($node, $base, $sql) = @_;

    $node->start;
    $node->safe_psql('postgres', "
        CREATE EXTENSION pg_intake;
        CREATE ROLE writer;
        GRANT USAGE ON SCHEMA intake TO writer;
        $sql");
    wait_for_gateway($base);
    return;
}

# Changes settings, undef to what make_gateway() says, and waits until the
# server, though not yet each of its processes, has read them.
sub configure
{
    my ($node, %values) = @_;
    my $before = $node->safe_psql('postgres', 'SELECT pg_conf_load_time()');

    foreach my $name (sort keys %values)
    {
        $node->adjust_conf('postgresql.conf', $name, undef);
        $node->append_conf('postgresql.conf', "$name = '$values{$name}'")
            if defined $values{$name};
    }
    $node->reload;
    $node->poll_query_until('postgres',
        "SELECT pg_conf_load_time() > '$before'") or die 'not reloaded';
    return;
}

# Runs curl; returns the status, the headers and the body, decoded if JSON.
sub curl
{
    my ($out, $err);

    run_log([ 'curl', '-s', '-i', '--max-time', '60', @_ ],
        '>', \$out, '2>', \$err);
    return curl_answer($out);
}

# The same of what curl -i has printed.
sub curl_answer
{
    my ($out) = @_;

    $out =~ s/\r//g;
    $out =~ s/^HTTP\S+ 100 .*?\n\n//s;
    my ($head, $body) = split /\n\n/, $out, 2;
    my ($status) = ($head // '') =~ /^HTTP\S+ (\d+)/;
    my %headers = map { lc($_->[0]) => $_->[1] }
        map { [ /^(\S+?): *(.*)$/ ] } grep { /:/ } split /\n/, $head // '';
    $body = decode_json($body)
        if ($headers{'content-type'} // '') =~ /json/
        && ($body // '') =~ /^\{[^\n]*\}\n?$/;
    return ($status // 0, \%headers, $body);
}

# A frame of HTTP/2 (RFC 9113, 4.1).
sub http2_frame
{
    my ($type, $flags, $stream, $payload) = @_;

    return substr(pack('N', length($payload)), 1)
        . pack('CCN', $type, $flags, $stream) . $payload;
}

# What a connection begins with, and the head of a request on stream 1, whose
# fields are literals without an index (RFC 7541, 6.2.2).
sub http2_head
{
    my ($method, $path, @fields) = @_;
    my $block = '';
    my @pairs = (':method', $method, ':scheme', 'http', ':path', $path,
        ':authority', 'localhost', map { lc((split /: */)[0]),
            (split /: */, $_, 2)[1] } @fields);

    while (my ($name, $value) = splice(@pairs, 0, 2))
    {
        die 'too long for one byte of length'
            if length($name) > 126 || length($value) > 126;
        $block .= "\0" . chr(length $name) . $name . chr(length $value) . $value;
    }
    return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" . http2_frame(4, 0, 0, '')
        . http2_frame(1, 4, 1, $block);
}

# The HTTP program of a server: a child of the gateway, which is the server's.
sub program_pid
{
    my ($node) = @_;
    my ($server) = slurp_file($node->data_dir . '/postmaster.pid') =~ /(\d+)/;
    my %parent;
    my @programs;

    foreach my $line (split /\n/, `ps -eo pid=,ppid=,args=`)
    {
        my ($pid, $parent, $args) = $line =~ /(\d+)\s+(\d+)\s+(.*)/;

        $parent{$pid} = $parent;
        push @programs, $pid if $args =~ /^pg_intake_http/;
    }
    my ($program) = grep { ($parent{ $parent{$_} } // 0) == $server } @programs;
    return $program;
}

# Waits until the code returns true.
sub wait_for
{
    my ($what, $code) = @_;

    for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
    {
        return 1 if $code->();
        select(undef, undef, undef, 0.1);
    }
    die "timed out: $what";
}

sub wait_for_gateway
{
    my ($base, @options) = @_;

    wait_for(
        'the gateway is ready',
        sub { (curl(@options, "$base/actuator/health/readiness"))[0] == 200 });
    return;
}

sub write_file
{
    my ($path, $content) = @_;

    open(my $out, '>:raw', $path) or die "cannot write $path: $!";
    print $out $content;
    close($out) or die;
    return $path;
}

1;
