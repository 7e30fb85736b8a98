# A body of application/json: the elements of the array are the records that
# they would be one a line, however the array is written and wherever it is cut
# in two on its way; what is no array is refused; and a large one takes no more
# memory than NDJSON does.  As a value of type jsonb it took a hundred times
# its length, and it may come compressed.

use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use lib "$FindBin::RealBin/../lib";
use IntakeGateway;

my ($node, $base) = make_gateway('array', 'pg_intake.max_loaders = 1');
my $scratch = PostgreSQL::Test::Utils::tempdir();
my $url = "$base/v1/tables/public/t/operations";
my $records = 1500000;
my $most_mb = 64;

start_gateway($node, $base, q{
    CREATE TABLE t (id int, note text, more jsonb);
    CREATE TABLE one (id int);
    GRANT ALL ON t, one TO writer;
    SELECT intake.register_table('t'), intake.register_table('one')});

sub rows
{
    return $node->safe_psql('postgres',
        q{SELECT id, note, more FROM t ORDER BY id NULLS FIRST, note});
}

# Uploads the body, in pieces of so many bytes; status, answer and rows.
sub upload
{
    my ($type, $body, @options) = @_;
    my $path = write_file("$scratch/body", $body);
    my ($status, $headers, $answer);

    $node->safe_psql('postgres', 'TRUNCATE t');
    ($status, $headers, $answer) = curl('-X' => 'POST', '-T' => $path,
        -H => "Content-Type: $type", @options, $url);
    return ($status, $answer, rows());
}

# Each array, and its elements a line each.
my %arrays = (
    'no element' => [ '[]', '' ],
    'blanks only' => [ " [\t\r\n ] \n", '' ],
    'one element' => [ '[[1,"a",2]]', '[1,"a",2]' ],
    'arrays and objects' => [
        '[[1,"a",{"b":[1,2]}],{"id":2,"note":"c"}]',
        qq([1,"a",{"b":[1,2]}]\n{"id":2,"note":"c"}) ],
    'blanks everywhere' => [
        qq(\n [ [ 1 ,\n"a" , 3 ]\r\n,\t{\n"id"\n:\n2\n}\n] \n),
        qq([1, "a", 3]\n{"id": 2}) ],
    'brackets and commas in strings' => [
        '[[1,"],[",1],[2,"\\\\",1],[3,"\\"],[{}",1],{"id":4,"note":"}"}]',
        join("\n", '[1,"],[",1]', '[2,"\\\\",1]', '[3,"\\"],[{}",1]',
            '{"id":4,"note":"}"}') ],
    'escapes' => [ '[[1,"\\u0022],[\\n",1]]', '[1,"\\u0022],[\\n",1]' ],
    'characters of many bytes' =>
        [ qq([{"note":"\xd1\x8b\xf0\x9f\x98\x80"}]),
        qq({"note":"\xd1\x8b\xf0\x9f\x98\x80"}) ],
    'deep ones' => [ '[[1,"a",[[[[{"b":[{}]}]]]]]]',
        '[1,"a",[[[[{"b":[{}]}]]]]]' ]);

foreach my $name (sort keys %arrays)
{
    my ($array, $lines) = @{ $arrays{$name} };
    my ($status, undef, $wanted) = upload('application/x-ndjson', "$lines\n");
    my ($result, $answer, $rows) = upload('application/json', $array);

    is("$status $result", '201 201', $name) or diag(explain($answer));
    is($rows, $wanted, "$name: the rows");
    ($result, $answer, $rows) = upload('application/json', $array,
        -H => 'Transfer-Encoding: chunked', '--limit-rate' => '1M');
    is($rows, $wanted, "$name: in chunks");
}

# Texts that are no arrays of records, and what is said of them.
my %broken = (
    '' => qr/ends before/,
    ' ' => qr/ends before/,
    '{"id": 1}' => qr/begin with/,
    'null' => qr/begin with/,
    '"["' => qr/begin with/,
    '[' => qr/ends before/,
    '[{}' => qr/ends before/,
    '[{},' => qr/ends before/,
    '[{},]' => qr/comma/,
    '[,{}]' => qr/comma/,
    '[{},,{}]' => qr/comma/,
    '[{}] x' => qr/more behind/,
    '[{}][{}]' => qr/more behind/,
    "[[1,\"a\nb\"]]" => qr/line end/,
    "[[1,\"a\0b\"]]" => qr/zero byte/,
    '[{} {}]' => qr/./,
    '[[1}]' => qr/./,
    '[{"id":1]]' => qr/./,
    '[[1]}' => qr/./,
    '[{"note":"a}]' => qr/ends before/,
    '[1, 2]' => qr/./,
    '[[1], 2]' => qr/./);

foreach my $text (sort keys %broken)
{
    my ($status, $answer, $rows) = upload('application/json', $text);
    my $shown = $text =~ s/\n/\\n/r =~ s/\0/\\0/r;

    like($status, qr/^4/, "$shown is refused");
    like($answer->{detail}, $broken{$text}, 'with the reason');
    is($rows, '', 'and nothing is written');
}

# Set aside are the bad elements of a good array.
$url .= '?max_errors=5';
my ($status, $answer, $rows) =
    upload('application/json', '[{"id":1}, 2, {"id": "x"}, {"id":3}]');
is($status, 201, 'bad elements are set aside');
is($answer->{rows_rejected}, 2, 'both of them');
is($rows, "1||\n3||", 'and the good ones are written');

# --- a large one

sub loader_mb
{
    my ($kb) = slurp_file('/proc/' . $node->safe_psql('postgres', q{
        SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_intake loader'})
        . '/status') =~ /^VmHWM:\s+(\d+) kB/m;

    return $kb / 1024;
}

my $before = loader_mb();

write_file("$scratch/large", '[' . join(',', ('[1]') x $records) . ']');
system('gzip', '-f', "$scratch/large") == 0 or die 'gzip';
($status) = curl('-X' => 'POST', '-T' => "$scratch/large.gz",
    -H => 'Content-Encoding: gzip', -H => 'Content-Type: application/json',
    "$base/v1/tables/public/one/operations");
is($status, 201, 'an array of ' . 4 * $records . ' bytes in '
    . (-s "$scratch/large.gz") . ' compressed ones');
is($node->safe_psql('postgres', 'SELECT count(*) FROM one'), $records,
    'has all of its rows');
cmp_ok(loader_mb() - $before, '<', $most_mb, 'and takes little memory');

$node->stop;
done_testing();
