# Texts become values by ways of our own; PostgreSQL's are the ones to agree
# with.  For each type, many texts (made up, and damaged, from a fixed seed) go
# into a table by INSERT, as CSV fields, quoted and not, as JSON strings and,
# where they are JSON numbers, as such.  Where both ways take a text, the values
# must be the same byte by byte (*= of records).  Where only one does, the
# reason must be on the list below.

use strict;
use utf8;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $TEXTS = $ENV{CONVERSION_TEXTS} // 500;      # of each type

my $node = PostgreSQL::Test::Cluster->new('agrees');
$node->init(extra => [ '--no-locale', '--encoding=UTF8' ]);
$node->append_conf('postgresql.conf', q{
    fsync = off
    max_locks_per_transaction = 1024
    TimeZone = 'UTC'
    DateStyle = 'ISO, YMD'
    IntervalStyle = 'postgres'
    client_min_messages = warning
});
$node->start;
$node->safe_psql('postgres', q{
    CREATE EXTENSION pg_intake;
    CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy', 'very happy');
    CREATE DOMAIN even AS int CHECK (VALUE % 2 = 0);
    CREATE DOMAIN money2 AS numeric(8,2);
    CREATE DOMAIN good_mood AS mood CHECK (VALUE <> 'sad');
    CREATE TABLE texts (n int PRIMARY KEY, t text);
    CREATE TABLE refused (way text, n int);

    -- One text by INSERT, which is what PostgreSQL makes of it.
    CREATE FUNCTION insert_texts() RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
        x texts;
    BEGIN
        FOR x IN TABLE texts LOOP
            BEGIN
                EXECUTE format('INSERT INTO by_insert VALUES (%s, %L)', x.n, x.t);
            EXCEPTION WHEN OTHERS THEN
                INSERT INTO refused VALUES ('insert', x.n);
            END;
        END LOOP;
    END $$;

    -- The payload's line of a text; NULL: it cannot go this way.
    CREATE FUNCTION line_of(way text, n int, t text) RETURNS text
    LANGUAGE sql IMMUTABLE AS $$
        SELECT CASE way
            WHEN 'quoted' THEN n || ',"' || replace(t, '"', '""') || '"'
            WHEN 'plain' THEN CASE WHEN t !~ '[",\r\n]' AND t <> ''
                AND t !~ '^\s|\s$' THEN n || ',' || t END
            WHEN 'string' THEN jsonb_build_array(n, t)::text
            WHEN 'number' THEN
                CASE WHEN t ~ '^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$'
                THEN '[' || n || ',' || t || ']' END

            -- null is NULL there, and nesting has a limit
            WHEN 'nested' THEN CASE WHEN t !~ '\n|^\s*null\s*$|(\[\s*){60}'
                THEN '[' || n || ',' || t || ']' END
        END
    $$;

    -- Uploads these texts at once; when one is refused, halves, to find it.
    CREATE FUNCTION upload_texts(way text, numbers int[]) RETURNS void
    LANGUAGE plpgsql AS $$
    DECLARE
        half int := cardinality(numbers) / 2;
        payload text := (SELECT string_agg(line_of(way, n, t), E'\n')
            FROM texts WHERE n = ANY (numbers));
        is_csv bool := way IN ('quoted', 'plain');
    BEGIN
        IF payload IS NULL THEN
            RETURN;
        END IF;
        BEGIN
            PERFORM intake.upload(format('by_%s', way)::regclass,
                CASE WHEN is_csv THEN E'n,v\n' ELSE '' END || payload,
                CASE WHEN is_csv THEN 'csv' ELSE 'ndjson' END,
                options => CASE WHEN is_csv THEN '{"delimiter": ","}' ELSE '{}' END::jsonb);
        EXCEPTION WHEN OTHERS THEN
            IF half = 0 THEN
                INSERT INTO refused VALUES (way, numbers[1]);
            ELSE
                PERFORM upload_texts(way, numbers[:half]);
                PERFORM upload_texts(way, numbers[half + 1:]);
            END IF;
        END;
    END $$;
});

#
# Texts.  Each generator returns one.
#

srand(60);

sub pick { return $_[ int(rand(@_)) ]; }
sub digits { my $n = shift; return join '', map { int(rand(10)) } 1 .. $n; }
sub sign { return pick('', '', '-', '+'); }

sub integer
{
    return sign() . pick(digits(1 + rand(5)), digits(1 + rand(11)),
        digits(1 + rand(20)), '0' x rand(4) . digits(3), 32767 + int(rand(3)),
        2147483646 + int(rand(4)), '922337203685477580' . int(rand(10)));
}

sub decimal
{
    my $text = sign() . pick(digits(1 + rand(6)), digits(1 + rand(20)), '0');

    $text .= '.' . digits(1 + rand(pick(3, 8, 20, 40))) if rand() < 0.7;
    $text .= '.' if rand() < 0.03;
    $text .= pick('e', 'E') . pick('', '-', '+') . int(rand(pick(5, 40, 400)))
      if rand() < 0.3;
    return $text;
}

sub float
{
    return pick(decimal(), decimal(), sprintf('%.17g', rand(1) * 10**(rand(80) - 40)),
        sprintf('%.17g', rand(1) * 10**(rand(600) - 300)),
        sprintf('%.9g', rand(1) * 10**(rand(90) - 48)),
        pick('NaN', 'Infinity', '-Infinity', 'inf', '-inf', 'nan', '1e400',
            '1e-400', '4.9e-324', '1.7976931348623157e308', '3.4028236e38'));
}

sub word
{
    return join '', map { pick('a' .. 'e', ' ', 'é', '中', '"', '\\', ',', "\n",
            "\t", '{', "'", '😀') } 1 .. rand(pick(4, 12, 60));
}

sub boolean
{
    return pick(qw(t f true false TRUE False tru fals y n yes no on off o of 1 0
          2 on1 tr), ' t ', "true\t", '', ' ');
}

sub day
{
    my ($y, $m, $d) = (pick(1900 .. 2100, 1 .. 9999), 1 + int(rand(13)), 1 + int(rand(32)));

    return pick(
        (sprintf('%04d-%02d-%02d', $y, $m, $d)) x 6,
        sprintf('%04d%02d%02d', $y, $m, $d),
        sprintf('%04d-%03d', $y, rand(370)),
        sprintf('%04d-W%02d-%d', $y, rand(55), rand(9)),
        sprintf('%d/%d/%d', $m, $d, $y),
        pick('infinity', '-infinity', 'today', 'epoch', 'January 8, 1999', '0001-01-01',
            '9999-12-31', '2000-02-29', '1900-02-29', '294276-12-31', '+012004-02-29'));
}

sub clock
{
    my @parts = (int(rand(26)), int(rand(62)), int(rand(63)));
    my $text = pick((sprintf('%02d:%02d:%02d', @parts)) x 5, sprintf('%02d:%02d', @parts[ 0, 1 ]),
        sprintf('%02d%02d%02d', @parts), '24:00:00', '23:59:60', '10:20 PM');

    $text .= '.' . digits(1 + rand(pick(3, 6, 9))) if $text =~ /^\d\d:?\d\d:?\d\d$/ && rand() < 0.5;
    return $text;
}

sub zone
{
    return pick('', 'Z', 'z', sprintf('%s%02d', pick('+', '-'), rand(17)),
        sprintf('%s%02d:%02d', pick('+', '-'), rand(16), rand(61)),
        sprintf('%s%02d%02d', pick('+', '-'), rand(15), rand(60)), ' UTC');
}

sub stamp { return pick(day() . pick('T', ' ', ' ', 't') . clock() . zone(), day() . 'T' . clock(), day()); }

# As PostgreSQL writes intervals, more or less.
sub parts
{
    my @parts = grep { rand() < 0.5 } map { sign() . int(rand(pick(3, 99, 99, 1e7))) . pick(' ', ' ', ' ', '')
          . pick(@$_) } [qw(year years YEAR y)], [qw(mon mons mon mons months)], [qw(day days day days d)],
      [qw(hour hours)], [qw(min minutes)], [qw(sec secs)];

    @parts = grep { !/hour|min|sec/ } @parts if rand() < 0.7;
    @parts = reverse @parts if rand() < 0.1;
    push @parts, pick('', '', '-', '+') . pick(clock(), clock(), int(rand(2000)) . ':' . int(rand(70)) . ':00')
      if !@parts || rand() < 0.6;
    push @parts, pick('ago', '1', $parts[0]) if rand() < 0.05;
    return join(pick((' ') x 9, '  '), @parts);
}

# ISO 8601, more or less.
sub duration
{
    my ($letters, $chance) = @_;

    return join '', map { rand() < $chance ? pick('', '', '', '-', '+') . int(rand(pick(9, 99, 99, 1e7)))
          . (rand() < ($_ eq 'S' ? 0.5 : 0.05) ? pick('.', '.', '.', ',') . digits(rand(pick(4, 7, 10))) : '') . $_
        : '' } @$letters;
}

sub interval
{
    return pick(parts(), parts(), clock(), sign() . clock(),
        'P' . duration([qw(Y M D)], 0.5) . 'T' . duration([qw(H M S)], 0.7),
        'P' . duration([ 'Y', 'M', pick('D', 'D', 'W') ], 0.8),
        'PT' . duration([ pick([qw(H M S)], [qw(M H S)], [qw(S S)]) ]->[0], 0.9),
        'P' . int(rand(99)) . pick('D', 'W', 'M', 'Y', 'H', 'd'),
        sign() . int(rand(99)) . pick(' mons', ' years', ' hours'),
        pick('P1Y2M', '1-2', '@ 1 day ago', '', 'P', 'PT', 'P1DT', 'P0001-02-03T04:05:06', 'P00010203',
            'P1', '24:00', '00:00:60', '-00:00:00.000001', '178956970 years', '178956971 years', '1 day 2 days',
            '2147483647 days', '2147483648 days', 'P-0.5S', 'PT-0.5S', 'PT.5S', '1 day -1', '12:30.5', '12:30:15.',
            '1 day ', '1', '1.5 days'));
}

sub uuid
{
    my $hex = join '', map { pick(0 .. 9, 'a' .. 'f', 'A' .. 'F') } 1 .. 32;

    return $hex if rand() < 0.2;
    $hex =~ s/(.{8})(.{4})(.{4})(.{4})/$1-$2-$3-$4-/;
    return rand() < 0.2 ? "{$hex}" : $hex;
}

sub json_string
{
    return '"' . join('', map { pick('a' .. 'c', 'é', '中', '😀', ' ', '/', '\\n', '\\/', '\\\\', '\\"', '\\t', '\\b',
            '\\u0041', '\\u00e9', '\\u20ac', '\\ud83d\\ude00', 'x' x rand(150),
            rand() < 0.01 ? pick('\\u0000', '\\ud83d', '\\x', "\t", "\\u12") : '') } 1 .. rand(pick(2, 6, 12))) . '"';
}

sub json_number
{
    return pick('', '-') . pick(0, 1 + int(rand(1e4)), '9' . digits(rand(150))) . pick('', '.' . digits(1 + rand(9)))
      . pick('', '', '', pick('e', 'E') . pick('', '-', '+') . int(rand(30)))
      if rand() < 0.95;
    return pick(decimal(), pick('0', '-0', '-0.0', '0.000', '1e5', '1E-5', '1.50e+3', '0e0', '012', '1.', '.5', '+1', '- 1',
            '0.' . digits(70), '1e131071', '1e200000', '1e-20000', 'NaN', '10000', '99990000.0001'));
}

sub json
{
    my $depth = shift // 0;
    my $kind = int(rand($depth > 3 ? 4 : 9));
    my $blank = pick(('') x 5, ' ', "\n", "\t ");

    return $blank . json_number() if $kind == 0;
    return pick('true', 'false', 'null') . $blank if $kind == 1;
    return json_string() if $kind < 4;
    return pick('[', '{"a":') x 3 . pick('[', '[', '[' x 50, '[' x 200) . ']' if rand() < 0.02;
    if (rand() < 0.03)
    {
        my $n = pick(1, 33, 70, 300);

        return '[' x $n . ']' x $n if $n < 40 || rand() < 0.5;
        return '{' . join(',', map { '"' . pick(1, 'k', 'kk') . int(rand($n)) . "\":$_" } 1 .. $n) . '}';
    }
    return '[' . join(",$blank", map { json($depth + 1) } 1 .. rand(pick(4, 4, 40))) . ']' if $kind < 6;

    # keys of all lengths, some of them twice
    return '{' . join(",$blank", map { pick("\"k$_\"", "\"k$_\"", '"' . digits(rand(3)) . '"', json_string(), '"\\u006b1"')
          . "$blank:$blank" . json($depth + 1) } 1 .. rand(pick(4, 9, 40))) . '}';
}

sub bytea { return pick('\\x' . unpack('H*', digits(rand(9))), '\\x ab cd', '\\\\000\\101', 'a' . word(), '\\xabc'); }

sub point
{
    my $number = sub { return pick(decimal(), float(), sprintf('%.5f', rand(360) - 180), int(rand(99))); };

    return pick('(', '(', '(', '', ' ( ', '((') . $number->() . pick(',', ',', ',', ', ', ' , ', ' ')
      . $number->() . pick(')', ')', ')', '', ' ) ', '))');
}

# One byte changed, left out or put in.
sub damage
{
    my $text = shift;
    my $at = int(rand(length($text) + 1));

    substr($text, $at, pick(0, 1)) = pick('', split(//, '0159+-.:eETZ, aW'), ' ')
      if $at < length($text);
    return rand() < 0.1 ? " $text" : rand() < 0.1 ? "$text " : $text;
}

#
# What only one way takes, by the types' names.
#

# Dates and times are ISO 8601, whatever else PostgreSQL reads.  What it takes of
# these forms must be taken here.
my $DAY = qr/\d{4}-\d\d-\d\d/;
my $TIME = qr/\d\d:\d\d(?::\d\d(?:\.\d+)?)?/;
my $ZONE = qr/Z|[-+]\d\d(?::?\d\d)?/;
my %plain_forms = (
    date => qr/^(?:$DAY|-?infinity)$/,
    time => qr/^$TIME$/,
    timestamp => qr/^(?:$DAY(?:[T ]$TIME)?|-?infinity)$/,
    timestamptz => qr/^(?:$DAY(?:[T ]$TIME(?:$ZONE)?)?|-?infinity)$/);

# What ISO 8601 has and PostgreSQL does not, or not in each combination.
my @other_forms = (
    qr/W\d\d-?\d/,                      # weeks
    qr/^\s*\d{4}-?\d{3}(?!\d)/,         # days of the year
    qr/^\s*[-+]?\d{5,6}-/,              # years of more digits
    qr/^\s*0000/,                       # year 0
    qr/^\s*\d{8}(?:\D|$)|[Tt]\d{4,6}/,  # basic dates and times
    qr/\d,\d/,                          # a comma before the fraction
    qr/[Tt ]\d\d(?:[.,:]\d+)?(?:$|$ZONE)/,  # hours, hours and minutes alone
    qr/^\s*\d\d(?:\d\d){0,2}(?:[.,]\d+)?\s*$/,
    qr/\dt\d|z\s*$/,                    # small letters
    qr/:60\.\d/);                       # a fraction of a leap second

# Does the list allow that one way alone takes the text?
sub is_listed
{
    my ($type, $way, $taken_by, $text) = @_;

    (my $name = $type) =~ s/\(.*//;
    my $is_time = exists $plain_forms{$name};

    if ($taken_by eq 'insert')
    {
        return 1 if $is_time && $text !~ $plain_forms{$name};

        # a JSON number is no date, time or interval
        return $way eq 'number' && ($is_time || $name eq 'interval');
    }
    return 1 if $is_time && grep { $text =~ $_ } @other_forms;

    # a JSON number that is whole is an integer, however it is written
    return $way eq 'number' && $type =~ /int|even/ && $text =~ /[.eE]/;
}

#
# The types
#

my @types = (
    [ 'boolean', \&boolean ], [ 'smallint', \&integer ], [ 'integer', \&integer ],
    [ 'bigint', \&integer ], [ 'even', \&integer ], [ 'real', \&float ],
    [ 'double precision', \&float ], [ 'numeric', \&float ],
    [ 'numeric(10,2)', \&decimal ], [ 'numeric(38,10)', \&decimal ],
    [ 'numeric(4,4)', \&decimal ], [ 'money2', \&decimal ],
    [ 'text', \&word ], [ 'varchar(5)', \&word ], [ 'char(5)', \&word ],
    [ 'date', \&day ], [ 'time', \&clock ], [ 'time(2)', \&clock ],
    [ 'timestamp', \&stamp ], [ 'timestamp(3)', \&stamp ],
    [ 'timestamptz', \&stamp ], [ 'interval', \&interval ], [ 'interval(0)', \&interval ],
    [ 'uuid', \&uuid ], [ 'json', \&json ], [ 'jsonb', \&json ], [ 'bytea', \&bytea ],
    [ 'point', \&point ],
    [ 'mood', sub { return pick('sad', 'ok', 'happy', 'very happy', 'OK', '', 'x'); } ],
    [ 'good_mood', sub { return pick('sad', 'ok', 'happy', 'very happy', 'o'); } ],
    [ 'inet', sub { return join('.', map { int(rand(260)) } 1 .. 4) . pick('', '/24', '/33'); } ],
    [ 'integer[]', sub { return '{' . join(',', map { integer() } 1 .. rand(4)) . '}'; } ]);

# What means another thing to PostgreSQL: it forgets the zone of a timestamp,
# 2004060 is a day of the year in ISO 8601 alone, and 10:20.5 a half minute.
sub is_comparable
{
    my ($type, $text) = @_;

    return 0 if $type =~ /^(?:date|timestamp)/ && $text =~ /^\s*\d{7}(?!\d)/;
    return 0 if $type =~ /^time/ && $text =~ /(?<!\d:)\b\d\d:\d\d[.,]/;
    return $type !~ /^timestamp(?!tz)/ || $text !~ /[Tt ]\S*[-+Zz]|UTC|z\s*$/i;
}

foreach my $case (@types)
{
    my ($type, $make) = @$case;
    my %texts;
    my @lines;

    for my $i (1 .. $TEXTS)
    {
        my $text = $make->();

        $text = damage($text) if $i % 4 == 0;
        utf8::encode($text) if utf8::is_utf8($text);
        $texts{$text} = 1 if is_comparable($type, $text);
    }
    my @all = sort keys %texts;
    for my $n (0 .. $#all)
    {
        (my $quoted = $all[$n]) =~ s/'/''/g;
        push @lines, "($n, '$quoted')";
    }

    my @ways = ('quoted', 'plain', $type =~ /json/ ? () : 'string',
        $type eq 'jsonb' ? 'nested' : (),
        $type =~ /int|even|real|double|numeric|money|text/ && $type !~ /\[/ ? 'number' : ());
    my $rows = join(",\n", @lines);
    my $tables = join "\n", map { "CREATE TABLE by_$_ (n int, v $type);" } 'insert', @ways;
    my $uploads = join "\n", map { qq{
        SELECT upload_texts('$_', array_agg(n)) FROM texts
            WHERE n NOT IN (SELECT n FROM refused WHERE way = 'insert');
        SELECT upload_texts('$_', ARRAY[n]) FROM texts
            WHERE n IN (SELECT n FROM refused WHERE way = 'insert'); } } @ways;
    my $answers = join "\nUNION ALL\n", map { qq{
        SELECT '$_', n, i.n IS NOT NULL, u.n IS NOT NULL,
            coalesce(i *= u, true), i.v::text, u.v::text
        FROM texts LEFT JOIN by_insert i USING (n) LEFT JOIN by_$_ u USING (n)
        WHERE line_of('$_', n, t) IS NOT NULL } } @ways;

    my $out = $node->safe_psql('postgres', qq{
        SET standard_conforming_strings = on;
        TRUNCATE texts, refused;
        DROP TABLE IF EXISTS by_insert, by_quoted, by_plain, by_string, by_number, by_nested;
        $tables
        INSERT INTO texts VALUES $rows;
        DO \$\$ BEGIN PERFORM insert_texts(); END \$\$;
        SET client_min_messages = warning;
        \\o /dev/null
        $uploads
        \\o
        SELECT way, n, i, u, same, encode(convert_to(iv, 'UTF8'), 'escape'),
            encode(convert_to(uv, 'UTF8'), 'escape')
        FROM ($answers) a (way, n, i, u, same, iv, uv)
        WHERE NOT same OR i <> u;
        SELECT 'both', count(*) FROM by_insert;
    });
    my @bad;
    my $taken = 0;

    foreach my $line (split /\n/, $out)
    {
        my ($way, $n, $by_insert, $by_upload, $same, @values) = split /\|/, $line;

        if ($way eq 'both')
        {
            $taken = $n;
            next;
        }
        next if $by_insert ne $by_upload &&
          is_listed($type, $way, $by_insert eq 't' ? 'insert' : 'upload', $all[$n]);
        push @bad, "$way \"$all[$n]\": INSERT "
          . ($by_insert eq 't' ? $values[0] // '' : 'refuses') . ', upload '
          . ($by_upload eq 't' ? $values[1] // '' : 'refuses');
    }
    ok(!@bad, "$type: uploads and INSERT agree on " . @all . " texts, of which $taken are values");
    diag(join "\n", @bad[ 0 .. (@bad > 15 ? 14 : $#bad) ]) if @bad;
    cmp_ok($taken, '>=', 3, "$type: there are values among them");
}

done_testing();
