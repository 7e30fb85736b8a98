# Payloads of the bytes that matter to CSV, from a fixed seed, through COPY and
# through an upload with the same settings.  What COPY takes must be taken and
# be the same rows; what an upload takes besides must be for a reason that the
# README names.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $PAYLOADS = $ENV{CSV_PAYLOADS} // 1500;

my $node = PostgreSQL::Test::Cluster->new('csv');
$node->init(extra => [ '--no-locale', '--encoding=UTF8' ]);
$node->append_conf('postgresql.conf',
    "fsync = off\nmax_locks_per_transaction = 1024\n");
$node->start;
$node->safe_psql('postgres', q{
    CREATE EXTENSION pg_intake;
    CREATE TABLE copied (id serial, a text, b text);
    CREATE TABLE uploaded (id serial, a text, b text);

    -- same or other rows; copy, upload: only that took it; none did
    CREATE FUNCTION compare(file text, settings jsonb) RETURNS text
    LANGUAGE plpgsql AS $$
    DECLARE
        is_copied bool := true;
        is_uploaded bool := true;
    BEGIN
        TRUNCATE copied, uploaded RESTART IDENTITY;
        BEGIN
            EXECUTE format(
                'COPY copied (a, b) FROM %L (FORMAT csv, DELIMITER %L, QUOTE %L, ESCAPE %L, NULL %L)',
                file, settings->>'delimiter', settings->>'quote',
                settings->>'escape', settings->>'null');
        EXCEPTION WHEN OTHERS THEN
            is_copied := false;
        END;
        BEGIN
            PERFORM intake.upload('uploaded', pg_read_binary_file(file), 'csv',
                options => settings || '{"header": false, "columns": ["a", "b"]}');
        EXCEPTION WHEN OTHERS THEN
            is_uploaded := false;
        END;
        IF is_copied <> is_uploaded THEN
            RETURN CASE WHEN is_copied THEN 'copy' ELSE 'upload' END;
        END IF;
        IF NOT is_copied THEN
            RETURN 'none';
        END IF;
        RETURN CASE WHEN EXISTS (SELECT FROM copied c FULL JOIN uploaded u USING (id)
            WHERE (c *= u) IS NOT TRUE) THEN 'other' ELSE 'same' END;
    END $$;
});

srand(61);

sub pick { return $_[ int(rand(@_)) ]; }

my @settings = (
    [ ',', '"', '"', '' ], [ ';', '"', '"', 'NULL' ], [ "\t", "'", "'", '' ],
    [ ',', '"', '\\', '' ], [ '|', '"', "'", 'a' ]);

# A field, mostly a proper one.
sub field
{
    my ($delimiter, $quote, $escape, $null) = @_;
    my @bytes = ('a', 'bc', ' ', "\xC3\xA9", '0', '\\', $null);
    my $text = join '', map { pick(@bytes) } 1 .. rand(4);

    return $text if rand() < 0.5;
    $text .= pick($delimiter, "\n", "$escape$quote", "$escape$escape", "x" x rand(80), '')
      for 1 .. rand(3);
    return $quote . $text . $quote if rand() < 0.9;
    return pick("$quote$text", "$text$quote", "a$quote$text${quote}b", "$quote$quote$text");
}

my (@files, @payloads);

for my $i (1 .. $PAYLOADS)
{
    my @s = @{ $settings[ $i % @settings ] };
    my $end = pick("\n", "\n", "\r\n", "\r");
    my $payload = join '', map {
        join($s[0], map { field(@s) } 1 .. (rand() < 0.98 ? 2 : 1 + int(rand(3))))
          . (rand() < 0.99 ? $end : pick("\n", "\r", "\r\n", ''))
    } 1 .. 1 + rand(5);
    my $file = $node->basedir . "/payload_$i";

    $payload =~ s/[\r\n]+\z// if rand() < 0.2;
    open(my $out, '>:raw', $file) or die "cannot write $file: $!";
    print $out $payload;
    close($out);
    push @payloads, $payload;
    my %names;
    @names{qw(delimiter quote escape null)} = @s;
    my $json = join ', ', map { qq{"$_": "} . ($names{$_} =~ s/([\\"])/\\$1/gr =~ s/\t/\\t/r) . '"' }
      sort keys %names;
    $json =~ s/'/''/g;
    push @files, "SELECT compare('$file', '{$json}');";
}

my @answers = split /\n/, $node->safe_psql('postgres',
    "SET client_min_messages = error;\n" . join("\n", @files));
my %count = (same => 0);
my @bad;

is(scalar(@answers), $PAYLOADS, 'each payload has an answer');
for my $i (0 .. $#answers)
{
    my $answer = $answers[$i];

    $count{$answer}++;
    next if $answer eq 'same' || $answer eq 'none';

    # the README: any line end may end any record, and \. is data
    next if $answer eq 'upload' &&
      ($payloads[$i] =~ /\r/ || $payloads[$i] =~ /^\\\.$/m);
    push @bad, "$answer: " . ($payloads[$i] =~ s/([^ -~])/sprintf('\\x%02x', ord $1)/ger)
      . " with $files[$i]";
}
ok(!@bad, 'COPY and uploads agree');
diag(join "\n", @bad[ 0 .. (@bad > 10 ? 9 : $#bad) ]) if @bad;
note(join ', ', map { "$_: $count{$_}" } sort keys %count);

cmp_ok($count{same}, '>', $PAYLOADS / 2, 'most payloads are taken');

done_testing();
