# http.pl: the gateway's part of bench.pl, which tells what is measured.

use strict;
use warnings;

use Fcntl;
use MIME::Base64 qw(encode_base64url);
use POSIX ();
use Time::HiRes qw(sleep time);

our ($work, $rounds, @plain);

my $MARK = 100_000_000;    # bytes between two looks at memory
my $F_SETPIPE_SZ = 1031;
my $ndjson = 'application/x-ndjson';

#
# Processes, as /proc shows them
#

sub read_file
{
    open(my $in, '<', $_[0]) or return '';
    local $/;
    return <$in> // '';
}

# Every process: pid => [parent, seconds of it and of its ended children].
sub processes
{
    my %processes;
    my $ticks = POSIX::sysconf(POSIX::_SC_CLK_TCK());

    foreach my $file (glob('/proc/[0-9]*/stat'))
    {
        my ($pid, $rest) = read_file($file) =~ /^(\d+) \(.*\) (.*)/s or next;
        my @fields = split / /, $rest;
        my $spent = 0;

        $spent += $_ foreach @fields[ 11 .. 14 ];
        $processes{$pid} = [ $fields[1], $spent / $ticks ];
    }
    return \%processes;
}

# Those of the server, the HTTP program among them.
sub server_processes
{
    my ($postmaster) = read_file("$work/data/postmaster.pid") =~ /^(\d+)/;
    my $processes = processes();

    return map {
        my $pid = $_;
        my $up = $pid;

        $up = $processes->{$up}[0]
          while $up != $postmaster && $processes->{$up};
        $up == $postmaster ? ($pid => $processes->{$pid}) : ();
    } keys %$processes;
}

# Seconds of the server's processes on a CPU so far.
sub server_cpu
{
    my %processes = server_processes();
    my $seconds = 0;

    $seconds += $_->[1] foreach values %processes;
    return $seconds;
}

sub find_program
{
    my %processes = server_processes();
    my ($pid) = grep { read_file("/proc/$_/comm") =~ /^pg_intake_http/ }
      keys %processes;

    return $pid // die "the HTTP program is not there\n";
}

# Kilobytes of a process's own memory.
sub memory
{
    return read_file("/proc/$_[0]/status") =~ /^RssAnon:\s+(\d+)/m ? $1 : 0;
}

#
# The gateway
#

sub port { return sql('SHOW pg_intake.port') }

sub http_status
{
    return `curl -s -o /dev/null -w '%{http_code}' @_`;
}

sub wait_for
{
    my ($what, $code) = @_;

    for (1 .. 300)
    {
        return if $code->();
        sleep(0.1);
    }
    die "timed out: $what\n";
}

sub wait_for_gateway
{
    my $url = 'http://127.0.0.1:' . port() . '/actuator/health/readiness';

    wait_for('the gateway is ready', sub { http_status($url) == 200 });
}

# A table that role writer may fill over HTTP.
sub open_table
{
    my ($name, $columns, $key) = @_;

    sql('SET client_min_messages = warning',
        "DROP TABLE IF EXISTS $name",
        "CREATE UNLOGGED TABLE $name ("
          . join(', ', (map { "$_->[0] $_->[1]" } @$columns), $key ? $key : ())
          . ')',
        "GRANT ALL ON $name TO writer",
        qq{SELECT intake.register_table('$name', kind => 'proxy',
           mode => 'append')});
}

sub make_writer
{
    sql('CREATE ROLE writer LOGIN', 'GRANT USAGE ON SCHEMA intake TO writer');
    wait_for_gateway();
}

#
# http: one big body
#

# Runs a command that gets a block so many times; returns its output.
sub feed
{
    my ($block, $times, $look, @command) = @_;
    my ($fed, $mark) = (0, 0);

    open(my $to, '|-', join(' ', @command) . " >$work/payloads/feed.out 2>&1")
      or die "cannot run $command[0]: $!\n";
    binmode $to;
    fcntl($to, $F_SETPIPE_SZ, 1024 * 1024);
    for (1 .. $times)
    {
        for (my $at = 0; $at < length($block);)
        {
            $at += syswrite($to, $block, 1024 * 1024, $at)
              // die "$command[0] has gone: " . read_file("$work/payloads/feed.out");
        }
        $fed += length($block);
        if ($fed >= $mark)
        {
            $look->($fed);
            $mark += $MARK;
        }
    }
    close($to) or die "$command[0] failed: " . read_file("$work/payloads/feed.out");
    return read_file("$work/payloads/feed.out");
}

# The process that runs the upload.
sub find_runner
{
    return sql(q{SELECT min(pid) FROM pg_stat_progress_copy})
      || sql(q{SELECT min(pid) FROM pg_stat_activity
               WHERE backend_type = 'pg_intake loader' AND state = 'active'});
}

# Looks at memory while an upload runs: bytes fed => kilobytes by process.
sub make_look
{
    my ($memory, $program) = @_;
    my $runner;

    return sub {
        my ($fed) = @_;

        $runner ||= find_runner() if $fed > 1_000_000;
        push @$memory, [ $fed, memory($program), $runner ? memory($runner) : 0 ];
    };
}

# Prints memory at some marks and at the end: of the HTTP program, where it
# takes part, and of the process that writes.
sub print_memory
{
    my ($title, $memory, $has_program) = @_;
    my @marks = grep { $_ < $memory->[-1][0] } (0, 1e8, 1e9, 2e9, 5e9, 1e10);
    my @shown = $has_program ? (1, 2) : (2);
    my @most = (0, 0, 0);

    printf "%s, MB of own memory (%s):", $title,
      $has_program ? 'HTTP program, loader' : 'backend';
    foreach my $mark (@marks, $memory->[-1][0])
    {
        my ($at) = grep { $_->[0] >= $mark } @$memory;

        printf ' at %.1f GB', $at->[0] / 1e9;
        printf ' %.1f', $at->[$_] / 1024 foreach @shown;
        print ';';
    }
    foreach my $at (@$memory)
    {
        foreach (@shown)
        {
            $most[$_] = $at->[$_] if $at->[$_] > $most[$_];
        }
    }
    print ' at most';
    printf ' %.1f', $most[$_] / 1024 foreach @shown;
    print "\n";
}

# Seconds, CPU seconds of the server; dies unless the rows are in.
sub timed_feed
{
    my ($self, @command) = @_;
    my ($cpu, $begun) = (server_cpu(), time);

    $self->{memory} = [];
    feed($self->{block}, $self->{times},
        make_look($self->{memory}, find_program()), @command);
    my $seconds = time - $begun;

    push @{ $self->{cpu} }, server_cpu() - $cpu;
    sql('SELECT count(*) FROM stream') == $self->{rows}
      or die "$self->{name} lost rows\n";
    return ($seconds, 0);
}

sub stream_works
{
    my ($format, $block, $count) = @_;
    my $size = ($ENV{BENCH_MB} || 1000) * 1e6;
    my $times = int($size / length($block)) || 1;
    my $type = $format eq 'csv' ? 'text/csv' : $ndjson;
    my $query = $format eq 'csv' ? '?delimiter=,' : '';
    my $options = "format $format, mode append"
      . ($format eq 'csv' ? ', header' : '');
    my $url = 'http://127.0.0.1:' . port()
      . "/v1/tables/public/stream/operations$query";
    my %common = (block => $block, times => $times, rows => $times * $count,
        bytes => $times * length($block),
        prepare => sub { sql('TRUNCATE stream', 'CHECKPOINT') });
    my $http = { %common, name => "HTTP, $format",
        against => "COPY, $format" };
    my $copy = { %common, name => "COPY, $format" };

    $http->{run} = sub {
        timed_feed($http, 'curl', '-sS', '--fail-with-body', '-X', 'POST',
            '-T', '-', '-H', "'Content-Type: $type'", "'$url'");
    };
    $copy->{run} = sub {
        timed_feed($copy, 'psql', '-XqAt', '-U', 'writer', '-c',
            "'\\copy stream from pstdin ($options)'");
    };
    return ($http, $copy);
}

sub bench_http
{
    my @works;
    my $count = 50_000;
    my $rows = select_rows(\@plain, 1, $count);

    make_writer();
    open_table('stream', \@plain);
    sql("COPY (SELECT row_to_json(r) FROM ($rows) r) TO '$work/payloads/block'");
    push @works, stream_works('ndjson', read_file("$work/payloads/block"),
        $count);
    run_rounds(@works);
    print_table('one chunked body over HTTP/1.1 by curl, and the same bytes by'
          . ' \copy, into an unlogged table', \@works);
    foreach my $work (@works)
    {
        printf "%s: CPU seconds of the server %.2f\n", $work->{name},
          median(@{ $work->{cpu} });
        print_memory($work->{name}, $work->{memory}, $work->{against});
    }
    sql('DROP TABLE stream', 'DROP OWNED BY writer', 'DROP ROLE writer');
}

#
# small: many bodies of 100 rows
#

my $SCRIPT = <<'EOF';
-- A UUID of its own for each request: version 4, by its thread's own numbers.
local file = io.open(os.getenv("BENCH_BODY"), "rb")
wrk.method = "PUT"
wrk.body = file:read("*a")
wrk.headers["Content-Type"] = "application/x-ndjson"
if os.getenv("BENCH_TOKEN") then
  wrk.headers["Authorization"] = "Bearer " .. os.getenv("BENCH_TOKEN")
end
local n = 0
local base
function init(args)
  local random = io.open("/dev/urandom", "rb")
  base = ""
  for i, byte in ipairs({random:read(6):byte(1, 6)}) do
    base = base .. string.format("%02x", byte)
  end
end
function request()
  n = n + 1
  return wrk.format(nil, string.format("%s/%s-%s-4000-8000-%012x", wrk.path,
    base:sub(1, 8), base:sub(9, 12), n))
end
EOF

sub write_file
{
    open(my $out, '>', $_[0]) or die "$_[0]: $!\n";
    print $out $_[1];
    close($out);
}

# A key that the server trusts, and a token for role writer signed by it.
sub make_token
{
    my $key = "$work/payloads/key.pem";

    system("openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048"
          . " -out $key 2>/dev/null || openssl genpkey -algorithm RSA"
          . " -pkeyopt rsa_keygen_bits:2048 -out $key 2>/dev/null") == 0
      or die "openssl failed\n";
    my ($hex) = `openssl rsa -in $key -noout -modulus` =~ /=([0-9A-F]+)/;
    my $n = encode_base64url(pack('H*', $hex));
    my $signed = encode_base64url('{"alg":"RS256","kid":"bench"}') . '.'
      . encode_base64url(
        '{"sub":"bench","exp":' . (int(time) + 86400) . '}');

    sql(qq{SELECT intake.trust_key('bench',
             '{"kty": "RSA", "n": "$n", "e": "AQAB"}')},
        q{SELECT intake.map_principal('bench', 'writer')});
    write_file("$work/payloads/signed", $signed);
    my $signature = `openssl dgst -sha256 -sign $key $work/payloads/signed`;
    return "$signed." . encode_base64url($signature);
}

# Whether requests need a token.
sub set_authentication
{
    my ($want) = @_;
    my $status = $want eq 'jwt' ? 401 : 404;
    my $url = 'http://127.0.0.1:' . port() . '/v1/tables/public/x/operations';

    return if sql('SHOW pg_intake.authentication') eq $want;
    sql("ALTER SYSTEM SET pg_intake.authentication = '$want'",
        'SELECT pg_reload_conf()');
    wait_for('loaders heed the setting',
        sub { http_status('-d', 'x', $url) == $status });
}

# Runs a load; returns transactions a second, by a pattern of its output.
sub run_load
{
    my ($self, $pattern, $failed, @command) = @_;
    my $cpu = server_cpu();
    my $before = sql("SELECT count(*) FROM $self->{table}");
    my $out = `@command 2>&1`;
    my ($rate) = $out =~ $pattern;

    die "no rate in: $out\n" if !$rate;
    die "failures in: $out\n" if $failed && $out =~ $failed;
    my $done = (sql("SELECT count(*) FROM $self->{table}") - $before) / 100;

    push @{ $self->{rate} }, $rate;
    push @{ $self->{cpu} }, (server_cpu() - $cpu) / $done;
}

# The works: name => command, each with so many clients.
sub small_works
{
    my ($clients, $table, $token) = @_;
    my $seconds = $ENV{BENCH_SECONDS} || 3;
    my $url = 'http://127.0.0.1:' . port()
      . "/v1/tables/public/${table}_http/operations";
    my @h2load = ('h2load', '-c', $clients, '-D', $seconds, '-H',
        "'Content-Type: $ndjson'");
    my $rate = qr{finished in .*?, ([\d.]+) req/s};
    my $bad = qr{(?:[1-9]\d* failed|[1-9]\d* [345]xx)};
    my %works;

    $works{$_} = [ "${table}_http", $rate, $bad, @h2load, $url ]
      foreach 'h2load, array rows', 'h2load, object rows',
      'h2load, HTTP/2, array rows';
    push @{ $works{'h2load, array rows'} }, '--h1', '-d',
      "$work/payloads/arrays";
    push @{ $works{'h2load, object rows'} }, '--h1', '-d',
      "$work/payloads/objects";
    push @{ $works{'h2load, HTTP/2, array rows'} }, '-d',
      "$work/payloads/arrays";
    foreach my $kind ('', ', RS256 token')
    {
        $works{"wrk, PUT with UUID, array rows$kind"} =
          [ "${table}_http", qr{Requests/sec: *([\d.]+)},
            qr{Non-2xx}, "BENCH_BODY=$work/payloads/arrays",
            $kind ? "BENCH_TOKEN=$token" : (), 'wrk', '-t', 1, '-c',
            $clients, '-d', "${seconds}s", '-s', "$work/payloads/put.lua",
            $url ];
    }
    foreach my $mode ('simple', 'prepared')
    {
        $works{"pgbench, $mode"} =
          [ "${table}_sql", qr{tps = ([\d.]+)}, qr{ERROR}, 'pgbench', '-n', '-M',
            $mode, '-U', 'writer', '-c', $clients, '-j', 1, '-T', $seconds,
            '-f', "$work/payloads/$table.sql", 'postgres' ];
    }
    return map {
        { name => $_, table => $works{$_}[0],
            command => [ @{ $works{$_} }[ 1 .. $#{ $works{$_} } ] ],
            authentication => /token/ ? 'jwt' : 'none' }
    } sort keys %works;
}

sub print_small
{
    my ($title, @works) = @_;
    my ($base) = map { $_->{name} eq 'pgbench, simple' ? $_ : () } @works;

    printf "\n%s\n\n%-44s %8s %8s %12s %8s\n", $title, 'work', '/s', 'ratio',
      'CPU ms each', 'ratio';
    printf "%-44s %8.0f %8.2f %12.3f %8.2f\n", $_->{name}, median(@{ $_->{rate} }),
      median(@{ $_->{rate} }) / median(@{ $base->{rate} }),
      1000 * median(@{ $_->{cpu} }),
      median(@{ $_->{cpu} }) / median(@{ $base->{cpu} })
      foreach @works;
}

# 100 rows as payloads and as a statement for either table.
sub make_small_payloads
{
    my $rows = select_rows(\@plain, 1, 100);
    my $list = join(', ', map { $_->[0] } @plain);
    my $quoted = join(', ', map { "quote_literal($_->[0])" } @plain);
    my $values = sql("SELECT string_agg(format('(%s)', concat_ws(', ', $quoted)),"
          . " ', ') FROM ($rows) r");

    # numbers are written as numbers
    $values =~ s/'(-?[\d.]+)'/$1/g;
    sql("COPY (SELECT json_build_array($list) FROM ($rows) r)"
          . " TO '$work/payloads/arrays'",
        "COPY (SELECT row_to_json(r) FROM ($rows) r) TO '$work/payloads/objects'");
    write_file("$work/payloads/$_.sql",
        "INSERT INTO ${_}_sql ($list) VALUES $values;\n")
      foreach 'bare', 'keyed';
    write_file("$work/payloads/put.lua", $SCRIPT);
}

sub bench_small
{
    my %tables = (bare => '', keyed =>
          'key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY');
    my $token;

    make_writer();
    make_small_payloads();
    $token = make_token();
    sql('ALTER SYSTEM SET fsync = ' . ($ENV{BENCH_FSYNC} || 'on'),
        'SELECT pg_reload_conf()');
    print "\nfsync = ", sql('SHOW fsync'),
      "; ratios are to pgbench, simple\n";
    foreach my $table (sort keys %tables)
    {
        foreach my $clients (split /,/, $ENV{BENCH_CLIENTS} || '4,8,16')
        {
            my @works = small_works($clients, $table, $token);
            my $loaders = $ENV{BENCH_LOADERS} || $clients;

            sql("ALTER SYSTEM SET pg_intake.max_loaders = $loaders",
                'SELECT pg_reload_conf()');
            open_table("${table}_$_", \@plain, $tables{$table})
              foreach 'http', 'sql';
            sql("ALTER TABLE ${table}_http SET LOGGED",
                "ALTER TABLE ${table}_sql SET LOGGED");
            foreach my $round (1 .. $rounds)
            {
                foreach my $work (@works)
                {
                    set_authentication($work->{authentication});
                    sql("TRUNCATE $work->{table}", 'CHECKPOINT');
                    run_load($work, @{ $work->{command} });
                }
            }
            print_small("uploads of 100 rows, $clients clients, $loaders loaders, "
                  . ($tables{$table} ? 'identity primary key' : 'no index'),
                @works);
        }
    }
    set_authentication('none');
    sql('DROP TABLE ' . join(', ', map { ("${_}_http", "${_}_sql") }
              sort keys %tables),
        'DROP OWNED BY writer');
}

1;
