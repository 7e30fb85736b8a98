# The walk-through scripts of test/partner as they are, each against a fresh
# server: by JWT and by OAuth token, over HTTP/1.1, HTTP/2 and TLS, and by
# python3-jwt as another signer.  What is expected is the documentation's
# example of a replacing key, and shared/spec/datalens.md.

use strict;
use warnings;

use FindBin;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use lib "$FindBin::RealBin/../lib";
use IntakeGateway;

my $partner = "$FindBin::RealBin/../partner";
my $dir = PostgreSQL::Test::Utils::tempdir();

# The certificate of a CA of the test's, and a pair of the server's by it.
sub make_certificates
{
    my @request = qw(openssl req -x509 -newkey ec -nodes -days 3
        -pkeyopt ec_paramgen_curve:prime256v1);

    system_or_bail(@request, -subj => '/CN=test CA',
        -addext => 'keyUsage=critical,keyCertSign', -keyout => "$dir/ca.key",
        -out => "$dir/ca.pem");
    system_or_bail(qw(openssl req -newkey ec -nodes -pkeyopt),
        'ec_paramgen_curve:prime256v1', -subj => '/CN=localhost',
        -keyout => "$dir/server.key", -out => "$dir/server.csr");
    write_file("$dir/server.ext", "subjectAltName = IP:127.0.0.1\n"
            . "authorityKeyIdentifier = keyid\nsubjectKeyIdentifier = hash\n");
    system_or_bail(qw(openssl x509 -req -days 3 -CAcreateserial),
        -in => "$dir/server.csr", -CA => "$dir/ca.pem", -CAkey => "$dir/ca.key",
        -extfile => "$dir/server.ext", -out => "$dir/server.pem");
    chmod(0600, "$dir/server.key") or die;
    return;
}

# A connection by the user's half of the walk; its two files.
sub connect_partner
{
    my ($node, $with_oauth) = @_;
    my @files = map { "$dir/$_" } qw(shop.values shop.pem);
    my ($out, $err);

    $node->psql('postgres', '', stdout => \$out, stderr => \$err,
        extra_params => [ '-v', "title=It's", '-v', "with_oauth=$with_oauth",
            '-v', "values=$files[0]", '-v', "key=$files[1]",
            '-f', "$partner/connect.sql" ]);
    is("$out$err", '', 'the connection is made, and nothing is printed');
    chmod(0600, @files) == 2 or die;
    return @files;
}

# What a walk prints, whose answers are one JSON object a line.
sub answers_of
{
    my ($out) = @_;

    return map { decode_json($_) } $out =~ /^(?:[a-z ]+ )?(\{.*\})$/mg;
}

my @keys = map { { name => $_, type => 'string', nullable => JSON::PP::false } }
    qw(Country City);
my $schema = [ @keys, { name => 'Goods quantity', type => 'float',
        nullable => JSON::PP::false } ];

# Checks the answers of a walk, and what it has left behind.
sub check_walk
{
    my ($node, $what, $id, @answers) = @_;
    my ($defined, $written, $again, $replaced, $visits, $deleted, $info) =
        @answers;
    my $written_so = sub {
        return { old_data_was_dropped => JSON::PP::false, row_count => $_[0] };
    };

    is(@answers, 7, "$what: answers");
    is($defined->{old_data_was_dropped}, JSON::PP::false, "$what: nothing dropped");
    is($defined->{old_table_definition}, undef, "$what: no table before");
    is($defined->{new_table_definition}{name}, 'goods', "$what: a table now");
    is_deeply($written, $written_so->(3), "$what: three rows");
    is_deeply($again, $written_so->(3), "$what: the same answer again");
    is_deeply($replaced, $written_so->(1), "$what: one row");
    is_deeply($visits, $written_so->(3), "$what: three rows of visits");
    is_deeply($deleted->{deleted_partition_keys}, [ ['2024-07-01'] ],
        "$what: July");
    is($deleted->{success}, JSON::PP::true, "$what: is deleted");
    is_deeply([ map { $_->{name} } @{ $info->{tables} } ],
        [ 'goods', 'visits' ], "$what: tables");
    my $goods = $info->{tables}[0];
    like($goods->{meta}{lastUploadTime},
        qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/, "$what: last upload");
    is_deeply([ @$goods{qw(title partition_key replacing_key)} ],
        [ 'Goods', [], [ 'Country', 'City' ] ], "$what: title and keys");
    delete $_->{title} for @{ $goods->{schema} };
    is_deeply($goods->{schema}, $schema, "$what: schema");

    is($node->safe_psql('postgres', qq{SELECT * FROM "intake_$id".goods ORDER BY 2}),
        "Russia|Kazan|10\nRussia|Moscow|1", "$what: the example's two rows");
    is($node->safe_psql('postgres', qq{SELECT to_regclass('"intake_$id".visits')}),
        '', "$what: the other table is gone");
    is($node->safe_psql('postgres', qq{SELECT client_id IS NULL,
        last_client_id IS NULL FROM intake.connection WHERE connection_id = '$id'}),
        't|f', "$what: unlinked");
    return;
}

# What the README's role for DataLens, Grafana and Metabase can do.
sub check_reader
{
    my ($node, $what, $id) = @_;
    my $try = sub {
        my ($out, $err);

        $node->psql('postgres', "\\set VERBOSITY sqlstate\n$_[0]",
            stdout => \$out, stderr => \$err, extra_params => [ -U => 'bi' ]);
        return $err =~ /ERROR:\s+(\w+)/ ? $1 : $out;
    };

    is($try->(qq{SELECT * FROM "intake_$id".goods ORDER BY 2}),
        "Russia|Kazan|10\nRussia|Moscow|1", "$what: bi reads");
    is($try->(qq{DELETE FROM "intake_$id".goods}), '25006', "$what: and no more");
    is($try->(qq{BEGIN READ WRITE; DELETE FROM "intake_$id".goods}), '42501',
        "$what: whatever it tries");
    return;
}

# A fresh server, with the README's role for readers.
sub make_server
{
    my ($is_tls) = @_;
    my ($node, $base) = make_gateway('walk' . ++our $serial, $is_tls ? qq{
        pg_intake.tls_certificate_file = '$dir/server.pem'
        pg_intake.tls_key_file = '$dir/server.key'} : '');

    $base =~ s/^http:/https:/ if $is_tls;
    $node->start;
    my ($readers) = slurp_file("$partner/../../README.md") =~
        /^```sql\n(CREATE ROLE bi .*?)SELECT intake.grant_read.*?^```/ms;
    $node->safe_psql('postgres', "CREATE EXTENSION pg_intake; $readers");
    wait_for_gateway($base, $is_tls ? ('--cacert' => "$dir/ca.pem") : ());
    return ($node, $base);
}

# One walk of a new connection, twice; the second time without goods too.
sub walk
{
    my ($node, $base, $what, $credentials, $script, @options) = @_;
    my $with_oauth = $credentials eq 'OAuth' ? 'true' : 'false';
    my ($out, $err);

    $what = "$credentials, $what";
    my @files = connect_partner($node, $with_oauth);
    my $values = slurp_file($files[0]);
    is($values =~ /^oauth_token=oauth_/m, $credentials eq 'OAuth', "$what: values");
    my ($id) = $values =~ /^connection_id=(.*)$/m;
    $node->safe_psql('postgres', "SELECT intake.grant_read('$id', 'bi')");
    for my $time ($what, "$what, again")
    {
        $node->safe_psql('postgres', qq{DROP TABLE IF EXISTS "intake_$id".goods});
        my $is_run = IPC::Run::run(
            [ "$partner/$script", $base, @files, @options ],
            '>', \$out, '2>', \$err);
        ok($is_run, "$time: runs") or diag($out);
        is($err, '', "$time: says nothing else");
        check_walk($node, $time, $id, answers_of($out));
        check_reader($node, $time, $id);
    }
    return;
}

# A key that was changed: the scripts end, and say why.
sub check_refusal
{
    my ($node, $base) = @_;
    my @files = connect_partner($node, 'false');
    my ($id) = slurp_file($files[0]) =~ /^connection_id=(.*)$/m;
    my ($out, $err);

    $node->safe_psql('postgres', "SELECT FROM intake.rotate_key('$id')");
    for my $script ('walk.sh', 'walk.py')
    {
        ok(!IPC::Run::run([ "$partner/$script", $base, @files ], '>', \$out,
                '2>', \$err), "$script ends at an error");
        like($err, qr/"message": "the JWT is not signed by a known key"/,
            'and says why');
    }
    return;
}

# What others see of the script's processes: no secret.
sub check_command_lines
{
    my ($node, $base) = @_;
    my ($out, $err);

    mkdir "$dir/bin" or die;
    for my $program (qw(curl openssl sed))
    {
        my ($path) = grep { -x } map { "$_/$program" } split /:/, $ENV{PATH};

        open(my $file, '>', "$dir/bin/$program") or die;
        print $file qq{#!/bin/sh\nprintf '%s\\n' "$program \$*" >> $dir/lines\n}
            . qq{exec $path "\$@"\n};
        close($file);
        chmod(0755, "$dir/bin/$program") == 1 or die;
    }
    local $ENV{PATH} = "$dir/bin:$ENV{PATH}";
    for my $with_oauth ('false', 'true')
    {
        my @files = connect_partner($node, $with_oauth);

        ok(IPC::Run::run([ "$partner/walk.sh", $base, @files ], '>', \$out, '2>',
                \$err), 'the script runs') or diag($err);
    }
    my $lines = slurp_file("$dir/lines");
    like($lines, qr/^curl .*client-id$/m, 'command lines are seen');
    unlike($lines, qr/iam_|oauth_(?!token=)|PRIVATE KEY|eyJ/,
        'no token, JWT or key is on them');
    return;
}

# Each line of the README's shell is one of the script's.
sub check_readme
{
    my ($section) = slurp_file("$partner/../../README.md") =~
        /^#### A partner's way.*?\n(.*?)^#### /ms;
    my %script = map { s/^ +//r => 1 }
        split /\n/, slurp_file("$partner/walk.sh");
    my ($run, @blocks) = $section =~ /^```sh\n(.*?)^```/msg;

    is(scalar(@blocks), 2, 'the README shows two parts of walk.sh');
    is_deeply([ grep { !$script{ s/^ +//r } } map { split /\n/ } @blocks ], [],
        'as they are');
    my ($psql) = $run =~ /^psql (.*)/m;
    $psql =~ s{test/partner/}{};
    like(slurp_file("$partner/connect.sql"), qr/^--   psql \Q$psql\E$/m,
        'and the call of connect.sql');
    return;
}

check_readme();
my @server = make_server();
walk(@server, 'HTTP/1.1', $_, 'walk.sh', '--http1.1') for 'JWT', 'OAuth';
walk(@server, 'python3-jwt', 'JWT', 'walk.py');
check_refusal(@server);
check_command_lines(@server);
$server[0]->stop;

make_certificates();
@server = make_server('TLS');
walk(@server, 'TLS', 'JWT', 'walk.sh', '--cacert', "$dir/ca.pem");
{
    local $ENV{SSL_CERT_FILE} = "$dir/ca.pem";
    walk(@server, 'python3-jwt, TLS', 'JWT', 'walk.py');
}
$server[0]->stop;

SKIP:
{
    skip 'curl has no HTTP/2', 1 if `curl --version` !~ /HTTP2/;
    @server = make_server();
    walk(@server, 'HTTP/2', $_, 'walk.sh', '--http2-prior-knowledge')
        for 'JWT', 'OAuth';
    $server[0]->stop;
}

done_testing();
