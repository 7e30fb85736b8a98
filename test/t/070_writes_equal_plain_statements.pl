# Each kind of relation, each mode: records from a fixed seed go into one
# table by an upload and into its twin by plain INSERT, UPDATE and DELETE
# statements.  Tables, trigger logs, counters and SQLSTATEs must be equal, and
# an error names the record.
#
# WRITES_SEED chooses other records, WRITES_ROUNDS how often all is done,
# WRITES_KINDS="heap view ..." the kinds, WRITES_BIG=1 payloads of several
# batches for each of them.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{WRITES_SEED} // 70;
my $rounds = $ENV{WRITES_ROUNDS} // 1;
my $big_records = 20_500;
my $sql = __FILE__ =~ s/\.pl$/.sql/r;

my @init = (extra => [ '--no-locale', '--encoding=UTF8' ]);
my $remote = PostgreSQL::Test::Cluster->new('remote');
$remote->init(@init);
$remote->append_conf('postgresql.conf', 'fsync = off');
$remote->start;

my $node = PostgreSQL::Test::Cluster->new('writes');
$node->init(@init);
$node->append_conf('postgresql.conf',
    "fsync = off\nautovacuum = off\nrestart_after_crash = on\n");

# Memory that has been freed does not keep its contents.
local $ENV{MALLOC_PERTURB_} = 165;
$node->start;
$node->safe_psql(
    'postgres', sprintf q{
    CREATE EXTENSION pg_intake;
    CREATE EXTENSION postgres_fdw;
    CREATE SERVER remote FOREIGN DATA WRAPPER postgres_fdw
        OPTIONS (host '%s', port '%s', dbname 'postgres');
    CREATE USER MAPPING FOR CURRENT_USER SERVER remote;
    }, $remote->host, $remote->port);

#
# Relations.  "@" is the side: up or st.
#

my $columns = q{day date, code text, k numeric, v text DEFAULT 'none',
    n int DEFAULT 7};
my $log = q{
    CREATE TABLE @.log (tg text, op text, tab text, old jsonb, new jsonb);
    CREATE TABLE @.fired (tg text, op text);
    GRANT ALL ON ALL TABLES IN SCHEMA @ TO loader;};
my $row_triggers = q{
    CREATE TRIGGER b BEFORE INSERT OR UPDATE OR DELETE ON @.target
        FOR EACH ROW EXECUTE FUNCTION log_row('@');
    CREATE TRIGGER a AFTER INSERT OR UPDATE OR DELETE ON @.target
        FOR EACH ROW EXECUTE FUNCTION log_row('@');
    CREATE TRIGGER w AFTER UPDATE ON @.target FOR EACH ROW
        WHEN (OLD.v IS DISTINCT FROM NEW.v) EXECUTE FUNCTION log_row('@');
    CREATE TRIGGER o AFTER UPDATE OF n ON @.target FOR EACH ROW
        EXECUTE FUNCTION log_row('@');
    CREATE CONSTRAINT TRIGGER c AFTER INSERT OR UPDATE OR DELETE ON @.target
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
        EXECUTE FUNCTION log_row('@');
    CREATE TRIGGER bs BEFORE INSERT OR UPDATE OR DELETE ON @.target
        EXECUTE FUNCTION log_statement('@');
    CREATE TRIGGER as1 AFTER INSERT OR UPDATE OR DELETE ON @.target
        EXECUTE FUNCTION log_statement('@');};
my $transition_triggers = q{
    CREATE TRIGGER ni AFTER INSERT ON @.target REFERENCING NEW TABLE AS
        new_rows EXECUTE FUNCTION log_new_rows('@');
    CREATE TRIGGER nu AFTER UPDATE ON @.target REFERENCING NEW TABLE AS
        new_rows EXECUTE FUNCTION log_new_rows('@');
    CREATE TRIGGER ou AFTER UPDATE ON @.target REFERENCING OLD TABLE AS
        old_rows EXECUTE FUNCTION log_old_rows('@');
    CREATE TRIGGER od AFTER DELETE ON @.target REFERENCING OLD TABLE AS
        old_rows EXECUTE FUNCTION log_old_rows('@');};

# Two levels; columns in other orders, dropped ones and other defaults.
my $partitions = q{
    CREATE TABLE @.jan PARTITION OF @.target
        FOR VALUES FROM ('2020-01-01') TO ('2020-02-01');
    CREATE TABLE @.feb (gone int, v text DEFAULT 'feb', n int, k numeric,
        code text, day date NOT NULL, id int NOT NULL,
        CONSTRAINT few CHECK (n < 1000)) PARTITION BY RANGE (id);
    ALTER TABLE @.feb DROP COLUMN gone;
    CREATE TABLE @.feb_low (id int NOT NULL, x int, day date NOT NULL,
        v text, y int, code text, k numeric, n int,
        CONSTRAINT few CHECK (n < 1000));
    ALTER TABLE @.feb_low DROP COLUMN x, DROP COLUMN y;
    ALTER TABLE @.feb ATTACH PARTITION @.feb_low
        FOR VALUES FROM (MINVALUE) TO (50);
    CREATE TABLE @.feb_high PARTITION OF @.feb DEFAULT;
    ALTER TABLE @.target ATTACH PARTITION @.feb
        FOR VALUES FROM ('2020-02-01') TO ('2020-03-01');};
my $march = q{
    CREATE TABLE @.mar PARTITION OF @.target
        FOR VALUES FROM ('2020-03-01') TO ('2020-04-01');};

# Each kind: ddl; modes; tables that are compared; errors that its constraints
# raise; payloads of several batches.
my @kinds = (
    {
        name => 'heap',
        ddl => qq{CREATE TABLE @.target (id int PRIMARY KEY, $columns
            CHECK (n < 1000)); CREATE INDEX ON @.target (k)},
        modes => 'append replace merge delete truncate',
        bad => [ 'check', 'null', 'twice' ],
        big => 'append replace shuffled sorted',
    },
    {
        name => 'unlogged',
        ddl => qq{CREATE UNLOGGED TABLE @.target (id int PRIMARY KEY,
            $columns CHECK (n < 1000))},
        modes => 'append replace merge delete truncate',
        bad => [ 'check', 'null', 'twice' ],
    },
    {
        name => 'temporary',
        target => 'target_@',
        ddl => qq{CREATE TEMP TABLE target_@ (id int PRIMARY KEY, $columns
            CHECK (n < 1000))},
        modes => 'append replace merge delete truncate',
        bad => [ 'check', 'null', 'twice' ],
    },
    {
        name => 'unique',
        ddl => qq{
            CREATE DOMAIN @.short AS text CHECK (length(value) < 60);
            CREATE TABLE @.target (gone int, id int PRIMARY KEY, $columns
                CHECK (n < 1000), UNIQUE (code), UNIQUE (day, id));
            ALTER TABLE @.target ALTER v TYPE @.short, DROP COLUMN gone;
            CREATE UNIQUE INDEX ON @.target (upper(code));
            CREATE UNIQUE INDEX ON @.target (id, k) WHERE n > 3},
        modes => 'append replace merge delete truncate code',
        bad => [ 'check', 'null', 'twice', 'domain', 'code' ],
        big => 'shuffled',
    },
    {
        name => 'partitioned',
        ddl => qq{CREATE TABLE @.target (id int, $columns,
            CONSTRAINT few CHECK (n < 1000), PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
            CREATE INDEX ON @.target (k, day); $partitions $march},
        key => [ 'id', 'day' ],
        compared => [ '@.target', '@.jan', '@.feb_low', '@.feb_high' ],
        modes => 'append replace merge delete truncate',
        bad => [ 'check', 'null', 'twice', 'no_partition' ],
        big => 'replace shuffled sorted',
    },
    {
        # a key of one column; foreign keys both ways; kept and generated
        # columns; hash partitions, one of them with a default partition
        name => 'partitioned_by_id',
        ddl => qq{CREATE TABLE @.parent (p int PRIMARY KEY);
            INSERT INTO @.parent SELECT generate_series(0, 9);
            CREATE TABLE @.target (a int GENERATED ALWAYS AS IDENTITY,
                id int PRIMARY KEY, $columns,
                CONSTRAINT few CHECK (n < 1000),
                g text GENERATED ALWAYS AS (v || ':' || n) STORED,
                p int REFERENCES @.parent) PARTITION BY HASH (id);
            CREATE TABLE @.h0 PARTITION OF @.target
                FOR VALUES WITH (MODULUS 3, REMAINDER 0);
            CREATE TABLE @.h1 (gone int, p int, g text GENERATED ALWAYS AS
                (v || ':' || n) STORED, v text DEFAULT 'h1', n int,
                id int PRIMARY KEY, k numeric, day date, code text,
                a int NOT NULL, CONSTRAINT few CHECK (n < 1000))
                PARTITION BY RANGE (id);
            ALTER TABLE @.h1 DROP COLUMN gone;
            CREATE TABLE @.h1_low PARTITION OF @.h1
                FOR VALUES FROM (MINVALUE) TO (5000);
            CREATE TABLE @.h1_rest PARTITION OF @.h1 DEFAULT;
            CREATE UNIQUE INDEX ON @.h1_rest (id DESC);
            ALTER TABLE @.target ATTACH PARTITION @.h1
                FOR VALUES WITH (MODULUS 3, REMAINDER 1);
            CREATE TABLE @.h2 PARTITION OF @.target
                FOR VALUES WITH (MODULUS 3, REMAINDER 2);
            ALTER TABLE @.h2 ADD CHECK (g <> 'no:1');
            CREATE TABLE @.child (id int REFERENCES @.target
                ON UPDATE CASCADE ON DELETE CASCADE)},
        after_append => q{INSERT INTO @.child SELECT id FROM @.target
            WHERE id % 2 = 0 AND id NOT IN (SELECT id FROM @.child)},
        columns => [qw(id day code k v n p)],
        compared => [ '@.target', '@.h0', '@.h1_low', '@.h1_rest', '@.child' ],
        modes => 'append replace merge delete truncate',
        bad => [ 'check', 'null', 'twice', 'orphan' ],
        big => 'shuffled sorted',
    },
    {
        # triggers of partitions alone; those of statements fire for the root
        name => 'partition_triggers',
        ddl => qq{CREATE TABLE @.target (id int, $columns,
            CONSTRAINT few CHECK (n < 1000), PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
            CREATE INDEX ON @.target (day, k); $partitions $march $log
            CREATE TRIGGER b BEFORE UPDATE ON @.feb_low
                FOR EACH ROW EXECUTE FUNCTION log_row('\@');
            CREATE TRIGGER o AFTER UPDATE OF n ON @.feb_low
                FOR EACH ROW EXECUTE FUNCTION log_row('\@');
            CREATE TRIGGER w AFTER INSERT OR UPDATE OR DELETE ON @.jan
                FOR EACH ROW EXECUTE FUNCTION log_row('\@');
            CREATE TRIGGER w AFTER INSERT OR UPDATE ON @.feb_high
                FOR EACH ROW WHEN (NEW.v = 'none')
                EXECUTE FUNCTION log_row('\@');
            CREATE TRIGGER b BEFORE INSERT OR UPDATE OR DELETE ON @.mar
                FOR EACH ROW EXECUTE FUNCTION log_row('\@');
            CREATE TRIGGER s AFTER UPDATE ON @.jan
                EXECUTE FUNCTION log_statement('\@');
            CREATE TRIGGER bs BEFORE INSERT OR UPDATE OR DELETE ON @.target
                EXECUTE FUNCTION log_statement('\@');},
        key => [ 'id', 'day' ],
        compared => [ '@.target', '@.jan', '@.feb_low', '@.log' ],
        modes => 'append replace merge delete truncate',
        bad => [ 'check', 'null', 'twice', 'no_partition' ],
        has_before => 1,
        big => 'shuffled',
    },
    {
        name => 'partitioned_foreign',
        remote => qq{CREATE TABLE @.mar (id int NOT NULL, $columns
            CHECK (n < 1000))},
        ddl => qq{CREATE TABLE @.target (id int NOT NULL, $columns,
            CONSTRAINT few CHECK (n < 1000)) PARTITION BY RANGE (day);
            ALTER TABLE @.target ALTER day SET NOT NULL; $partitions
            CREATE FOREIGN TABLE @.mar PARTITION OF @.target
            FOR VALUES FROM ('2020-03-01') TO ('2020-04-01')
            SERVER remote OPTIONS (schema_name '\@', table_name 'mar')},
        compared => [ '@.target', '@.jan', '@.mar' ],
        modes => 'append replace delete truncate',
        bad => [ 'check', 'null', 'no_partition' ],
    },
    {
        name => 'inheritance',
        ddl => qq{CREATE TABLE @.target (id int PRIMARY KEY, $columns
            CHECK (n < 1000));
            CREATE TABLE @.child (more text DEFAULT 'more')
                INHERITS (@.target);
            INSERT INTO @.child (id, day, code, k, v)
            SELECT 1000000 + i, '2020-02-01', 'child' || i, i, 'child'
            FROM generate_series(1, 10) i},
        compared => [ '@.target', '@.child' ],
        modes => 'append replace merge delete truncate',
        bad => [ 'check', 'null', 'twice' ],
    },
    {
        name => 'view',
        ddl => qq{CREATE TABLE @.base (other text DEFAULT 'other', n int
            DEFAULT 7, id int PRIMARY KEY, day date, code text, k numeric,
            v text DEFAULT 'none');
            INSERT INTO @.base (id, k, n) SELECT 1000000 + i, i, 2000
            FROM generate_series(1, 10) i;
            CREATE VIEW @.target AS SELECT id, day, code, k, v, n
            FROM @.base WHERE n < 1000 OR n IS NULL WITH CHECK OPTION;
            ALTER VIEW @.target ALTER v SET DEFAULT 'view'},
        compared => [ '@.base' ],
        modes => 'append replace delete truncate',
        bad => [ 'check', 'null', 'twice' ],
    },
    {
        name => 'view_instead',
        ddl => qq{CREATE TABLE @.base (id int PRIMARY KEY, $columns
            CHECK (n < 1000));
            CREATE VIEW @.target AS SELECT * FROM @.base; $log
            CREATE TRIGGER i INSTEAD OF INSERT OR DELETE ON @.target
            FOR EACH ROW EXECUTE FUNCTION write_base('\@')},
        compared => [ '@.base', '@.log' ],
        modes => 'append replace delete truncate',
        bad => [ 'check', 'null', 'twice' ],
    },
    {
        name => 'foreign',
        remote => qq{CREATE TABLE @.target (id int PRIMARY KEY, $columns
            CHECK (n < 1000))},
        ddl => qq{CREATE FOREIGN TABLE @.target (id int, $columns) SERVER
            remote OPTIONS (schema_name '\@', table_name 'target')},
        modes => 'append replace delete truncate',
        bad => [ 'check', 'null', 'twice' ],
    },
    {
        name => 'row_security',
        role => 'loader',
        ddl => qq{CREATE TABLE @.target (id int PRIMARY KEY, $columns);
            ALTER TABLE @.target ENABLE ROW LEVEL SECURITY;
            CREATE POLICY p ON @.target USING (n < 1000 OR n IS NULL);
            INSERT INTO @.target (id, k, n) SELECT 1000000 + i, i, 2000
            FROM generate_series(1, 10) i;},
        modes => 'append replace merge delete truncate',
        bad => [ 'check', 'null', 'twice' ],
        big => 'sorted',
    },
    {
        name => 'generated',
        ddl => qq{CREATE SEQUENCE @.seq;
            CREATE TABLE @.target (a int GENERATED ALWAYS AS IDENTITY,
            id int PRIMARY KEY, b int GENERATED BY DEFAULT AS IDENTITY,
            $columns CHECK (n < 1000), s bigint DEFAULT nextval('@.seq'),
            g text GENERATED ALWAYS AS (v || ':' || n) STORED,
            CHECK (g <> 'no:1'))},
        columns => [qw(id b day code k v n s)],
        modes => 'append replace merge delete truncate',
        bad => [ 'check', 'null', 'twice', 'generated' ],
        big => 'append',
    },
    {
        name => 'triggers',
        ddl => qq{CREATE TABLE @.target (id int PRIMARY KEY, $columns
            CHECK (n < 1000)); $log $row_triggers},
        compared => [ '@.target', '@.log' ],
        modes => 'append replace merge delete truncate',
        bad => [ 'check', 'null', 'twice' ],
        has_before => 1,
        big => 'shuffled',
    },
    {
        name => 'transitions',
        ddl => qq{CREATE TABLE @.target (id int PRIMARY KEY, $columns
            CHECK (n < 1000)); $log $transition_triggers},
        compared => [ '@.target', '@.log' ],
        modes => 'append replace merge delete truncate',
        bad => [ 'check', 'null', 'twice' ],
        big => 'append',
    },
    {
        name => 'partitioned_triggers',
        ddl => qq{CREATE TABLE @.target (id int, $columns,
            CONSTRAINT few CHECK (n < 1000), PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
            $partitions $march $log $row_triggers $transition_triggers},
        key => [ 'id', 'day' ],
        compared => [ '@.target', '@.jan', '@.feb_low', '@.log' ],
        modes => 'append replace merge delete truncate',
        bad => [ 'check', 'null', 'twice', 'no_partition' ],
        has_before => 1,
        big => 'append',
    },
    {
        name => 'partitioned_row_triggers',
        ddl => qq{CREATE TABLE @.target (id int, $columns,
            CONSTRAINT few CHECK (n < 1000), PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
            $partitions $march $log $row_triggers},
        key => [ 'id', 'day' ],
        compared => [ '@.target', '@.jan', '@.feb_low', '@.log' ],
        modes => 'append replace merge delete truncate',
        bad => [ 'check', 'null', 'twice', 'no_partition' ],
        has_before => 1,
        big => 'shuffled',
    },
    {
        name => 'deferrable',
        ddl => qq{CREATE TABLE @.parent (p int PRIMARY KEY);
            INSERT INTO @.parent SELECT generate_series(0, 9);
            CREATE TABLE @.target (id int PRIMARY KEY, $columns
            CHECK (n < 1000), p int REFERENCES @.parent DEFERRABLE
            INITIALLY DEFERRED, UNIQUE (code) DEFERRABLE INITIALLY DEFERRED)},
        columns => [qw(id day code k v n p)],
        modes => 'append replace merge delete truncate',
        bad => [ 'check', 'null', 'twice', 'orphan', 'code_late' ],
    },
    {
        name => 'foreign_keys',
        ddl => qq{CREATE TABLE @.parent (p int PRIMARY KEY);
            INSERT INTO @.parent SELECT generate_series(0, 9);
            CREATE TABLE @.target (id int PRIMARY KEY, $columns
            CHECK (n < 1000), p int REFERENCES @.parent);
            CREATE TABLE @.child (id int REFERENCES @.target
                ON UPDATE CASCADE ON DELETE CASCADE)},
        after_append => q{INSERT INTO @.child SELECT id FROM @.target
            WHERE id % 2 = 0 AND id NOT IN (SELECT id FROM @.child)},
        columns => [qw(id day code k v n p)],
        compared => [ '@.target', '@.child', '@.parent' ],
        modes => 'append replace merge delete truncate',
        bad => [ 'check', 'null', 'twice', 'orphan' ],
    },
    {
        name => 'odd_keys',
        is_odd => 1,
        ddl => qq{CREATE COLLATION IF NOT EXISTS public.blind
                (provider = icu, locale = 'und-u-ks-level2',
                deterministic = false);
            CREATE TABLE @.target (id int, day date, k numeric,
            code text COLLATE public.blind, v text DEFAULT 'none',
            n int DEFAULT 7 CHECK (n < 1000), PRIMARY KEY (code, k))},
        columns => [qw(id day k code v n)],
        key => [ 'code', 'k' ],
        modes => 'merge delete',
        bad => [ 'check' ],
    },
    {
        # equal keys that are not the same to the byte are of one partition
        name => 'partitioned_odd_keys',
        is_odd => 1,
        ddl => qq{CREATE COLLATION IF NOT EXISTS public.blind
                (provider = icu, locale = 'und-u-ks-level2',
                deterministic = false);
            CREATE TABLE @.target (id int, day date, k numeric,
            code text COLLATE public.blind, v text DEFAULT 'none',
            n int DEFAULT 7 CHECK (n < 1000), PRIMARY KEY (code, k))
            PARTITION BY HASH (k, code);
            CREATE TABLE @.even PARTITION OF @.target
                FOR VALUES WITH (MODULUS 2, REMAINDER 0)
                PARTITION BY LIST (code);
            CREATE TABLE @.even_some PARTITION OF @.even
                FOR VALUES IN ('c1', 'C3', 'c5');
            CREATE TABLE @.even_rest PARTITION OF @.even DEFAULT;
            CREATE TABLE @.odd PARTITION OF @.target
                FOR VALUES WITH (MODULUS 2, REMAINDER 1)
                PARTITION BY RANGE (k);
            CREATE TABLE @.odd_low PARTITION OF @.odd
                FOR VALUES FROM (MINVALUE) TO (2.00);
            CREATE TABLE @.odd_high PARTITION OF @.odd
                FOR VALUES FROM (2) TO (MAXVALUE)},
        columns => [qw(id day k code v n)],
        key => [ 'code', 'k' ],
        compared => [ '@.target', '@.even_some', '@.odd_low' ],
        modes => 'merge delete',
        bad => [ 'check' ],
        big => 'shuffled',
    });

#
# Records
#

my $next_id;

sub pick { return $_[ int(rand(@_)) ]; }

# A JSON literal.
sub quoted
{
    my ($text) = @_;

    return 'null' if !defined $text;
    return '"' . ($text =~ s/(["\\])/\\$1/gr) . '"';
}

# What belongs to an id is the same whenever it occurs.
sub day_of
{
    my ($id) = @_;

    return sprintf('2020-%02d-%02d', 1 + $id % 3, 1 + $id % 28);
}

# A record: column => JSON literal.
sub make_record
{
    my ($kind, $id) = @_;
    my %record = (
        id => $id,
        day => quoted(day_of($id)),
        code => rand() < 0.2 ? 'null' : quoted("c$id"),
        k => pick('null', '1', '1.0', '1.00', '2', '-3.5', '10', '"10.0"',
            int(rand(20))),
        v => quoted(
            pick(undef, 'none', '', 'skip', 'stay', "\xC3\xA9 \"x\"", ';,',
                'a' . int(rand(9)), 'A' . int(rand(9)))),
        n => pick('null', int(rand(500)), int(rand(20)) - 5));
    my %has = map { $_ => 1 } @{ $kind->{columns} };

    $record{b} = 500_000 + $id if $has{b};
    $record{s} = pick('null', $id) if $has{s};
    $record{p} = pick('null', int(rand(10))) if $has{p};
    if ($kind->{is_odd})
    {
        $record{code} = quoted((rand() < 0.5 ? 'C' : 'c') . int(rand(8)));
        $record{k} = pick('1', '1.0', '1.00', '2', '20e-1', '3');
    }
    foreach my $name (qw(v n b s p))
    {
        delete $record{$name} if exists $record{$name} && rand() < 0.15;
    }
    return \%record;
}

# The same as an object, with sys_op as a member.
sub object_of
{
    my ($record) = @_;

    return '{' . join(', ', map { "\"$_\": $record->{$_}" }
        sort keys %$record) . '}';
}

# A line of the payload: an object or, where all columns are there, an array.
sub line_of
{
    my ($kind, $record) = @_;
    my @names = @{ $kind->{columns} };

    return object_of($record)
      if rand() < 0.5 || exists $record->{sys_op} ||
      grep { !exists $record->{$_} } @names;
    return '[' . join(', ', map { $record->{$_} } @names) . ']';
}

# A CSV file of records, which all have all columns.
sub csv_of
{
    my ($kind, @records) = @_;
    my @names = sort { $a cmp $b } @{ $kind->{columns} };
    my @lines = (join(';', @names));

    foreach my $record (@records)
    {
        push @lines, join(';', map {
            my $value = $record->{$_};

            $value eq 'null' ? '' :
              $value =~ /^"(.*)"$/ ?
              '"' . ($1 =~ s/\\(.)/$1/gr =~ s/"/""/gr) . '"' : $value
        } @names);
    }
    return join("\n", @lines) . "\n";
}

#
# Steps
#

my $dir = PostgreSQL::Test::Utils::tempdir;
my $nfiles = 0;

sub write_file
{
    my ($text) = @_;
    my $file = sprintf('%s/payload_%d', $dir, ++$nfiles);

    open(my $out, '>:raw', $file) or die "cannot write $file: $!\n";
    print $out $text;
    close($out) or die "cannot write $file: $!\n";
    return $file;
}

sub literal
{
    my ($text) = @_;

    return 'NULL' if !defined $text;
    return "'" . ($text =~ s/'/''/gr) . "'";
}

# Key items for try_plain(): [expression, name, type].
sub key_of
{
    return '[' . join(', ', map {
        sprintf('{"expr": %s, "name": %s, "type": %s}', map { quoted($_) } @$_)
    } @_) . ']';
}

# SQL of a step.  Arguments: label, mode, what is asked for when that is not
# the mode, records, payload, format, options, key, sys_op, bad.
sub step_sql
{
    my ($kind, %step) = @_;
    my $target = $kind->{target};
    my $options = literal($step{options} // '{}');
    my $key = literal($step{key} // '[]');
    my $sys_op = $step{sys_op} // 'NULL';
    my $format = literal($step{format} // 'ndjson');
    my $records = write_file(join("\n", map { object_of($_) }
        @{ $step{records} }) . "\n");
    my $payload = $step{payload} //
      join("\n", map { line_of($kind, $_) } @{ $step{records} });
    my $file = write_file($payload);
    my @compared = @{ $kind->{compared} };
    my @loose = $kind->{is_loose} ? ('a', 'b', 's') : ();
    my $asked = literal(exists $step{asked} ? $step{asked} : $step{mode});
    my @logs = $kind->{ddl} =~ /(@\.(?:log|fired)) \(/g;
    my $sql = join('', map { 'TRUNCATE ' . ($_ =~ s/@/up/r) . ', ' .
          ($_ =~ s/@/st/r) . ";\n" } @logs) .
      "SELECT load_records('$records');\n" .
      "SELECT pg_read_file('$file') AS payload \\gset\n";

    push @compared, '@.fired'
      if $kind->{ddl} =~ /log_statement|\$row_triggers/ &&
      $step{mode} ne 'merge' && !defined $step{bad} &&
      @{ $step{records} } > 0;
    $sql .= "SET ROLE $kind->{role};\n" if $kind->{role};
    $sql .= sprintf("SELECT try_upload(%s, :'payload', %s, %s, %s, %s) AS up" .
          " \\gset\n",
        literal($target =~ s/@/up/r), $format, $asked, $sys_op, $options);
    $sql .= sprintf("SELECT try_plain(%s, %s, %s, %s, %s) AS st \\gset\n",
        literal($target =~ s/@/st/r), literal($step{mode}), $key, $sys_op,
        $options);
    $sql .= "RESET ROLE;\n" if $kind->{role};
    $sql .= sprintf("SELECT report(%s, :'up', :'st', %s, differences(%s, %s));\n",
        literal($step{label}), $step{bad} // 'NULL',
        "ARRAY[" . join(', ', map { literal($_) } @compared) . "]::text[]",
        "ARRAY[" . join(', ', map { literal($_) } @loose) . "]::text[]");

    # steps after one that differs start from equal tables
    $sql .= "SET session_replication_role = replica; TRUNCATE st.target;" .
      "INSERT INTO st.target TABLE up.target;" .
      "RESET session_replication_role;\n"
      if $kind->{has_before};
    return $sql;
}

sub new_records
{
    my ($kind, $count) = @_;

    return [ map { make_record($kind, $next_id++) } 1 .. $count ];
}

# Records of ids that are or were there, and new ones; each once.
sub known_records
{
    my ($kind, $count) = @_;
    my %ids = map { 1 + int(rand($next_id - 1)) => 1 } 1 .. $count;

    return [
        (map { make_record($kind, $_) } sort { $a <=> $b } keys %ids),
        @{ new_records($kind, 5) }
    ];
}

# Records for a merge: ids that are there, new ones, repeats.
sub merge_records
{
    my ($kind, $count, $deletes) = @_;
    my $range = $count > 1000 ? $count * 2 : 60;
    my @records = map { make_record($kind, int(rand($range))) } 1 .. $count;

    foreach my $record (@records)
    {
        next if rand() < 0.3;
        $record->{sys_op} =
          pick('null', '0', '"0"', $deletes ? ('1', '"1"') : ());
    }
    return \@records;
}

# One whose constraint refuses it, among good ones.
sub bad_records
{
    my ($kind, $name) = @_;
    my $records = new_records($kind, 3 + int(rand(30)));
    my $at = int(rand(@$records));
    my $record = $records->[$at];

    $_->{v} = '"good"' foreach @$records;
    $record->{code} = '"bad"' if $kind->{is_odd};
    $record->{n} = '1000' if $name eq 'check';
    $record->{id} = 'null' if $name eq 'null';
    $record->{id} = $kind->{present}
      if $name eq 'twice';
    $record->{day} = quoted(day_of($kind->{present})) if $name eq 'twice';
    $record->{day} = '"2021-01-01"' if $name eq 'no_partition';
    $record->{v} = quoted('x' x 60) if $name eq 'domain';
    @$record{ 'v', 'n' } = ('"no"', '1') if $name eq 'generated';
    $record->{p} = '99' if $name eq 'orphan';
    $record->{code} = quoted("c$kind->{present}") if $name =~ /^code/;
    return ($records, $name =~ /orphan|code_late/ ? 0 : $at + 1);
}

my @k = ([ 'k', 'k', 'numeric' ]);
my @k_code = (@k, [ 'code', 'code', 'text' ]);
my @k_day = (@k, [ 'day', 'day', 'date' ]);
my @month = ([
        q{date_trunc('month', day::timestamp)}, q{date_trunc('month', day)},
        'timestamp' ]);
my @exprs = ([ 'lower(v)', 'lower(v)', 'text' ], [ 'id % 3', 'id % 3', 'int' ]);

# A record that is there from now on.
sub present_step
{
    my ($kind) = @_;
    my $record = make_record($kind, $next_id++);

    $record->{code} = quoted("c$record->{id}");
    $record->{v} = '"there"';
    $kind->{present} = $record->{id};
    return step_sql($kind, label => 'one record', mode => 'append',
        records => [$record]);
}

sub append_steps
{
    my ($kind) = @_;
    my $sql = '';

    foreach my $count (1, 20 + int(rand(30)), int(rand(50)))
    {
        $sql .= step_sql($kind, label => 'append', mode => 'append',
            records => new_records($kind, $count));
    }
    my @full = map {
        my $record = make_record($kind, $next_id++);
        $record->{$_} //= 'null' foreach @{ $kind->{columns} };
        $record->{b} = 500_000 + $record->{id} if exists $record->{b};
        $record
    } 1 .. 20;
    $sql .= step_sql($kind, label => 'append CSV', mode => 'append',
        records => \@full, payload => csv_of($kind, @full), format => 'csv');
    if ($kind->{after_append})
    {
        $sql .= ($kind->{after_append} =~ s/@/$_/gr) . ";\n"
          foreach ('up', 'st');
    }
    return $sql;
}

# Registered expression keys; the mode is the target's default.
sub registered_steps
{
    my ($kind) = @_;
    my $target = literal($kind->{target} =~ s/@/up/r);
    my $sql = qq{
        SELECT intake.register_table($target, kind => 'proxy',
            replacing_key => ARRAY['lower(v)', 'id % 3'],
            partition_key => ARRAY[\$\$date_trunc('month', day)\$\$],
            create_index => false);\n};

    my $records = new_records($kind, 20);
    $_->{v} //= 'null' foreach @$records;
    $sql .= step_sql($kind, label => 'replace, expressions', mode => 'replace',
        asked => undef, records => $records, key => key_of(@exprs));
    $sql .= delete_step($kind, 'delete, expression',
        [ { q{date_trunc('month', day)} => '"2020-02-01"' } ], \@month);
    $sql .= "SELECT intake.unregister_table($target);\n";
    return $sql;
}

sub delete_step
{
    my ($kind, $label, $keys, $items, $options) = @_;

    return step_sql($kind, label => $label, mode => 'delete',
        records => $keys, key => key_of(@$items), options => $options,
        payload => '[' . join(', ', map { object_of($_) } @$keys) . ']');
}

sub replace_steps
{
    my ($kind) = @_;
    my $sql = '';

    foreach my $count (1, 5 + int(rand(20)), 30)
    {
        $sql .= step_sql($kind, label => 'replace by one column',
            mode => 'replace', records => new_records($kind, $count),
            options => '{"key": ["k"]}', key => key_of(@k));
        $sql .= step_sql($kind, label => 'replace by two columns',
            mode => 'replace', records => new_records($kind, $count),
            options => '{"key": ["k", "code"]}', key => key_of(@k_code));
        $sql .= step_sql($kind, label => 'replace by k and day',
            mode => 'replace', records => new_records($kind, $count),
            options => '{"key": ["day", "k"]}', key => key_of(@k_day));
    }
    # where triggers leave rows there they are in the way
    return $sql if $kind->{has_before} || $kind->{name} eq 'view_instead';
    $sql .= step_sql($kind, label => 'replace by the unique key',
        mode => 'replace', records => known_records($kind, 40),
        options => sprintf('{"key": [%s]}',
            join(', ', map { quoted($_) } @{ $kind->{key} })),
        key => key_of(map {
            [ $_, $_, $_ eq 'day' ? 'date' : 'int' ]
        } @{ $kind->{key} }));
    return $sql;
}

sub delete_steps
{
    my ($kind) = @_;

    return delete_step($kind, 'delete by one column',
        [ { k => '2.0' }, { k => 'null' }, { k => '77' } ],
        \@k, '{"key": ["k"]}') .
      delete_step($kind, 'delete by k and day',
        [ map { { k => pick(0 .. 19, 'null'),
            day => pick('null', '"2021-01-01"',
                map { quoted(day_of($_)) } 0 .. 83) } } 1 .. 200 ],
        \@k_day, '{"key": ["k", "day"]}') .
      delete_step($kind, 'delete by two columns',
        [ map { { k => pick('1', '3', 'null'), code => pick('null',
            quoted('c' . int(rand($next_id)))) } } 1 .. 30 ],
        \@k_code, '{"key": ["k", "code"]}');
}

sub truncate_steps
{
    my ($kind) = @_;

    return step_sql($kind, label => 'append, truncate', mode => 'append',
        records => new_records($kind, 30), options => '{"truncate": true}') .
      step_sql($kind, label => 'replace, truncate', mode => 'replace',
        records => new_records($kind, 30), key => key_of(@k),
        options => '{"truncate": true, "key": ["k"]}');
}

sub bad_steps
{
    my ($kind) = @_;
    my $sql = $kind->{modes} =~ /append/ ? present_step($kind) : '';

    foreach my $name (@{ $kind->{bad} })
    {
        if ($kind->{modes} =~ /append/)
        {
            my ($records, $bad) = bad_records($kind, $name);

            $sql .= step_sql($kind, label => "append, bad: $name",
                mode => 'append', records => $records, bad => $bad);
        }
        if ($kind->{modes} =~ /replace/)
        {
            my ($records, $bad) = bad_records($kind, $name);

            # the row that is in the way stays
            foreach my $record (@$records)
            {
                $record->{k} = '4711';
            }
            $sql .= step_sql($kind, label => "replace, bad: $name",
                mode => 'replace', records => $records, bad => $bad,
                options => '{"key": ["k"]}', key => key_of(@k));
        }
        next if $kind->{modes} !~ /merge/ || $name eq 'twice';

        # the records of the others are new or there
        my ($records, $bad) = bad_records($kind, $name);
        $sql .= step_sql($kind, label => "merge, bad: $name",
            mode => 'merge', records => $records, bad => $bad,
            key => merge_key($kind));
    }
    return $sql;
}

sub merge_key
{
    my ($kind) = @_;

    return key_of(map { [ $_, $_, '' ] } @{ $kind->{key} });
}

sub merge_steps
{
    my ($kind) = @_;
    my $key = merge_key($kind);
    my $sql = '';
    my $deletes = 0;

    # upserts only share the table's lock and go by another path
    foreach my $count (1, 30, 50, 50)
    {
        my $label = $deletes ? 'merge with deletes' : 'merge of upserts';

        $sql .= step_sql($kind, label => $label, mode => 'merge',
            records => merge_records($kind, $count, $deletes), key => $key);
        $deletes = 1 if $count > 1;
    }
    $sql .= step_sql($kind, label => 'merge, keep', mode => 'merge',
        records => merge_records($kind, 40, 1), key => $key,
        options => '{"existing": "keep"}');
    $sql .= step_sql($kind, label => "merge, sys_op $_", mode => 'merge',
        records => merge_records($kind, 20, 1), key => $key, sys_op => $_)
      foreach (0, 1);
    $sql .= step_sql($kind, label => 'merge, truncate', mode => 'merge',
        records => merge_records($kind, 40, 1), key => $key,
        options => '{"truncate": true}')
      if $kind->{modes} =~ /truncate/;
    return $sql;
}

# By another unique index: the ids are new ones.
sub code_steps
{
    my ($kind) = @_;
    my $sql = '';

    foreach my $deletes (0, 1)
    {
        my $records = merge_records($kind, 40, $deletes);

        foreach my $record (@$records)
        {
            $record->{code} = quoted("c$record->{id}");
            $record->{id} = 2_000_000 + $next_id++;
        }
        $sql .= step_sql($kind, label => 'merge by another key',
            mode => 'merge', records => $records,
            key => key_of([ 'code', 'code', 'text' ]),
            options => '{"key": ["code"]}');
    }

    # a row takes over what a deleted one had
    $sql .= step_sql($kind, label => 'two rows', mode => 'append',
        records => [
            { id => 3_000_000, code => '"one"' },
            { id => 3_000_001, code => '"two"' } ]);
    $sql .= step_sql($kind, label => 'merge, a code is taken over',
        mode => 'merge', key => merge_key($kind), records => [
            { id => 3_000_001, code => '"one"' },
            { id => 3_000_000, sys_op => '1' } ]);
    return $sql;
}

# Rows that exchange what must be unique at the end.
sub deferrable_steps
{
    my ($kind) = @_;

    return step_sql($kind, label => 'two rows', mode => 'append',
        records => [
            { id => 3_000_000, code => '"one"' },
            { id => 3_000_001, code => '"two"' } ]) .
      step_sql($kind, label => 'merge, codes change places',
        mode => 'merge', key => merge_key($kind), records => [
            { id => 3_000_000, code => '"two"' },
            { id => 3_000_001, code => '"one"' } ]);
}

# Half of the ids of a big merge, in both tables.
sub fill_sql
{
    my ($kind, $range) = @_;
    my $sql = qq{
        DELETE FROM $kind->{target};
        INSERT INTO $kind->{target} (id, day, code, k)
        SELECT i, make_date(2020, 1 + i % 3, 1 + i % 28), 'c' || i, i % 20
        FROM generate_series(0, $range, 2) i;\n};

    return "SET session_replication_role = replica;\n" .
      join('', map { $sql =~ s/@/$_/gr } 'up', 'st') .
      "RESET session_replication_role;\n";
}

# Payloads of several batches.
sub big_steps
{
    my ($kind, $steps) = @_;
    my $count = $big_records;
    my $sql = '';
    my %seen;

    if ($steps =~ /append/)
    {
        $sql .= step_sql($kind, label => 'append, big', mode => 'append',
            records => new_records($kind, $count),
            options => '{"truncate": true}');
    }
    if ($steps =~ /replace/)
    {
        $sql .= step_sql($kind, label => 'replace, big', mode => 'replace',
            records => new_records($kind, $count), key => key_of(@k),
            options => '{"key": ["k"]}');
    }
    if ($steps =~ /shuffled/)
    {
        $sql .= fill_sql($kind, 2 * $count);
        $sql .= step_sql($kind, label => 'merge, big', mode => 'merge',
            records => merge_records($kind, $count, 1),
            key => merge_key($kind));
    }
    if ($steps =~ /sorted/)
    {
        my @records = map { make_record($kind, $_) } 1 .. $count;

        $sql .= fill_sql($kind, 2 * $count);
        $sql .= step_sql($kind, label => 'merge, big, in order',
            mode => 'merge', records => \@records, key => merge_key($kind));
    }
    return $sql;
}

#
# Running
#

# Runs all steps of a kind.
sub run_kind
{
    my ($kind, $setting, $big) = @_;
    my ($out, $err) = ('', '');
    my $body = '';

    $kind->{is_loose} = 0;
    $next_id = 1;
    foreach my $side ('up', 'st')
    {
        if ($kind->{remote})
        {
            $remote->safe_psql('postgres',
                "SET client_min_messages = error;" .
                "DROP SCHEMA IF EXISTS $side CASCADE; CREATE SCHEMA $side;" .
                ($kind->{remote} =~ s/@/$side/gr));
        }
        $body .= ($kind->{ddl} =~ s/@/$side/gr) . ";\n";
        $body .= "GRANT ALL ON ALL TABLES IN SCHEMA $side TO loader;\n";
    }
    $body .= append_steps($kind) if $kind->{modes} =~ /append/;
    $body .= replace_steps($kind) if $kind->{modes} =~ /replace/;
    $body .= registered_steps($kind)
      if $kind->{modes} =~ /replace/ && $kind->{name} ne 'temporary';
    $body .= truncate_steps($kind) if $kind->{modes} =~ /truncate/;
    $body .= append_steps($kind) if $kind->{modes} =~ /append/;
    $kind->{is_loose} = 1;
    $body .= bad_steps($kind);
    $body .= merge_steps($kind) if $kind->{modes} =~ /merge/;
    $body .= deferrable_steps($kind) if $kind->{name} eq 'deferrable';
    $body .= delete_steps($kind) if $kind->{modes} =~ /delete/;
    $body .= code_steps($kind) if $kind->{modes} =~ /code/;
    $body .= big_steps($kind, $big);

    $node->psql(
        'postgres', "SET client_min_messages = error;
        DROP SCHEMA IF EXISTS up, st CASCADE;
        CREATE SCHEMA up; CREATE SCHEMA st;
        GRANT USAGE ON SCHEMA up, st TO loader;
        SET pg_intake.direct_write = $setting;
        CREATE TEMP TABLE rec (rec_n bigint, rec_r jsonb);
        GRANT SELECT ON rec TO PUBLIC;
        $body
        SELECT '\@end\@ok';\n",
        stdout => \$out, stderr => \$err, on_error_stop => 1);

    my @results = $out =~ /^@([^@\n]*)@((?:(?!^@).)*)/msg;
    my $name = "$kind->{name}, direct_write $setting";
    my ($steps, @wrong) = (0);

    while (my ($label, $result) = splice(@results, 0, 2))
    {
        $steps++;
        $result =~ s/\n+\z//;
        next if $result eq 'ok';
        push @wrong, "$label\n$result";
    }
    my $is_ended = $out =~ /^\@end\@ok$/m;

    ok(!@wrong && $is_ended, "$name: $steps steps")
      or diag(join("\n", @wrong, $err));
    if (!$is_ended)
    {
        # after a crash
        $node->stop('immediate');
        $node->start;
    }
    return;
}

$node->safe_psql('postgres', slurp_file($sql));

foreach my $round (0 .. $rounds - 1)
{
    my $number = 0;

    foreach my $kind (@kinds)
    {
        $kind->{target} //= '@.target';
        $kind->{compared} //= [ $kind->{target} ];
        $kind->{columns} //= [qw(id day code k v n)];
        $kind->{key} //= ['id'];
        $number++;
        next if $ENV{WRITES_KINDS} &&
          " $ENV{WRITES_KINDS} " !~ / $kind->{name} /;
        foreach my $setting ('on', 'off')
        {
            my $big = $setting eq 'on' ? $kind->{big} // '' : '';

            $big = 'append replace shuffled sorted'
              if $ENV{WRITES_BIG} && $kind->{modes} =~ /append.*merge/;
            srand(1000 * ($seed + $round) + $number);
            run_kind($kind, $setting, $big);
        }
    }
    note('seed ' . ($seed + $round));
}

$node->stop;
$remote->stop;
done_testing();
