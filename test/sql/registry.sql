-- Registration: kinds, keys, public names, indexes, and what is refused.
CREATE SCHEMA registry;
SET search_path = registry, public;
\set SHOW_CONTEXT never
\pset format unaligned
\pset tuples_only on
SET client_min_messages = notice;

-- An error as a client gets it, SQLSTATE included.
CREATE FUNCTION try(statement text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	message text;
	detail text;
	hint text;
BEGIN
	EXECUTE statement;
	RETURN 'done';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(E'\n  ', SQLSTATE || ' ' || message,
		'DETAIL ' || nullif(detail, ''), 'HINT ' || nullif(hint, ''));
END
$$;
CREATE FUNCTION try_key(VARIADIC items text[]) RETURNS text
LANGUAGE sql AS $$
	SELECT try(format('SELECT intake.register_table(''sales'', replacing_key => %L, create_index => false)', items))
$$;

CREATE TABLE sales (
	country text, city text, qty int, "Goods qty" int, "lower(city)" text,
	day date, at timestamptz, local timestamp,
	doc json, place point, xid xid,
	double int GENERATED ALWAYS AS (qty * 2) STORED,
	id int GENERATED ALWAYS AS IDENTITY);
CREATE TABLE places (uid int PRIMARY KEY, name text);

-- Kind by default: a primary key makes a logical table, a replacing key a
-- proxy one.
SELECT intake.register_table('sales');
SELECT intake.register_table('places');
SELECT target, kind, datamart, entity, mode, replacing_key, partition_key,
	options, state, registered_by = current_user
FROM intake.entities WHERE datamart = 'registry' ORDER BY entity;
SELECT intake.register_table('places', replacing_key => '{uid}');
SELECT kind FROM intake.entities WHERE target = 'places'::regclass;
SELECT intake.register_table('places', kind => 'standalone', datamart => 'dm',
	entity => 'Places', mode => 'merge');
SELECT kind, datamart, entity, mode FROM intake.entities
WHERE target = 'places'::regclass;

-- Items: columns by name or by reference, expressions, date_trunc; the index
-- for the longer key comes first and is made of them.
SELECT intake.register_table('sales',
	replacing_key => ARRAY['country', 'Goods qty', 'lower(city)', 'QTY',
		'lower(sales.city)'],
	partition_key => ARRAY[$$date_trunc('month', day)$$,
		$$date_trunc('day', at)$$, 'country']);
SELECT replacing_key, partition_key FROM intake.entities
WHERE datamart = 'registry' AND entity = 'sales';
SELECT replacing_sql, partition_sql FROM intake.entity
WHERE datamart = 'registry' AND entity = 'sales';
SELECT pg_get_indexdef(indexrelid) FROM pg_index
WHERE indrelid = 'sales'::regclass ORDER BY 1;

-- The same call changes nothing, whatever the session's settings.
SELECT ctid AS before FROM intake.entity WHERE datamart = 'registry' AND entity = 'sales' \gset
SET DateStyle = german;
SET quote_all_identifiers = on;
SELECT intake.register_table('sales',
	replacing_key => ARRAY['country', 'Goods qty', 'lower(city)', 'QTY',
		'lower(sales.city)'],
	partition_key => ARRAY[$$date_trunc('month', day)$$,
		$$date_trunc('day', at)$$, 'country']);
RESET DateStyle;
RESET quote_all_identifiers;
SELECT ctid = :'before' FROM intake.entity WHERE datamart = 'registry' AND entity = 'sales';

-- Names of functions, operators and types are found under any search_path.
CREATE FUNCTION lower(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION plus(int, int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1';
CREATE OPERATOR + (LEFTARG = int, RIGHTARG = int, FUNCTION = plus);
CREATE TYPE mood AS ENUM ('glad', 'sad');
CREATE TABLE odd (word text, n int, m mood);
SET search_path = registry, pg_catalog;
SELECT intake.register_table('odd', replacing_key =>
	ARRAY['lower(word)', 'n + 1', $$m = 'sad'$$, 'm'], create_index => false);
SET search_path = registry, public;
SELECT unnest(replacing_sql) FROM intake.entity WHERE target = 'odd'::regclass;
DROP OPERATOR registry.+ (int, int);
DROP FUNCTION registry.lower(text), registry.plus(int, int);

-- and a literal keeps its letters whatever standard_conforming_strings says
SELECT intake.register_table('odd', replacing_key => ARRAY[$$word || '\'$$],
	create_index => false);
SET standard_conforming_strings = off;
ALTER TABLE odd RENAME word TO term;
RESET standard_conforming_strings;
SELECT unnest(replacing_key), unnest(replacing_sql) FROM intake.entity
WHERE target = 'odd'::regclass;

-- What a key cannot be.
SELECT try_key('nosuch');
SELECT try_key('qty + nosuch');
SELECT try_key('qty, city');
SELECT try_key('qty q');
SELECT try_key('*');
SELECT try_key('qty FROM sales');
SELECT try_key('qty LIMIT 1');
SELECT try_key('qty; DROP TABLE sales');
SELECT try_key('');
SELECT try_key('$1');
SELECT try_key('(SELECT qty)');
SELECT try_key('sum(qty)');
SELECT try_key('rank() OVER (ORDER BY qty)');
SELECT try_key('generate_series(1, qty)');
SELECT try_key('ctid');
SELECT try_key('sales');
SELECT try_key('1 + 1');
SELECT try_key('qty + random()');
SELECT try_key('at::date');
SELECT try_key($$date_trunc('month', at, 'Asia/Tokyo')$$);
SELECT try_key('doc');
SELECT try_key('place');
SELECT try_key('xid');
SELECT try_key('ROW(qty, city)');
SELECT try_key('double');
SELECT try_key('double + 1');
SELECT try_key('id');
SELECT try_key('qty', 'city', '"qty"');
SELECT try_key('qty + 1', '(qty+1)');
SELECT try_key(NULL, 'qty');
SELECT try_key(VARIADIC '{}');
SELECT try_key(VARIADIC '{{qty},{city}}');
SELECT try_key(VARIADIC array_agg('qty + ' || i)) FROM generate_series(1, 33) i;
-- a long item is cut
SELECT try_key('qty' || repeat(' + qty', 60) || ' + random()');
SELECT try($$SELECT intake.register_table('sales', partition_key => '{nosuch}')$$);
SELECT try($$SELECT intake.register_table('sales', partition_key => '{doc}')$$);
-- a partition key may use a generated column
SELECT try($$SELECT intake.register_table('sales', partition_key => '{double}', create_index => false)$$);

-- What a table, a kind, a mode cannot be.
CREATE TABLE marked (id int PRIMARY KEY, sys_op int);
CREATE TABLE late (id int PRIMARY KEY DEFERRABLE);
CREATE VIEW shown AS SELECT uid FROM places;
CREATE MATERIALIZED VIEW stored AS SELECT 1 AS one;
CREATE SEQUENCE counter;
CREATE TYPE pair AS (a int, b int);
CREATE TEMP TABLE passing (id int);
SELECT try($$SELECT intake.register_table('sales', 'logical')$$);
SELECT try($$SELECT intake.register_table('late', 'logical')$$);
SELECT try($$SELECT intake.register_table('places', 'logical', replacing_key => '{uid}')$$);
SELECT try($$SELECT intake.register_table('marked')$$);
SELECT try($$SELECT intake.register_table('marked', 'proxy')$$);
SELECT try($$SELECT intake.register_table('sales', 'table')$$);
SELECT try($$SELECT intake.register_table('sales', mode => 'upsert')$$);
SELECT try($$SELECT intake.register_table('sales', mode => 'delete')$$);
SELECT try($$SELECT intake.register_table('sales', mode => 'replace')$$);
SELECT try($$SELECT intake.register_table('sales', mode => 'merge')$$);
SELECT try($$SELECT intake.register_table('shown', mode => 'merge')$$);
SELECT try($$SELECT intake.register_table('shown', replacing_key => '{uid}', mode => 'replace')$$);
SELECT try($$SELECT intake.register_table('stored')$$);
SELECT try($$SELECT intake.register_table('counter')$$);
SELECT try($$SELECT intake.register_table('places_pkey')$$);
SELECT try($$SELECT intake.register_table('pair')$$);
SELECT try($$SELECT intake.register_table('passing')$$);
SELECT try($$SELECT intake.register_table('pg_catalog.pg_class')$$);
SELECT try($$SELECT intake.register_table(4294967295::oid)$$);
SELECT try($$SELECT intake.register_table(NULL)$$);
SELECT try($$SELECT intake.register_table('sales', create_index => NULL)$$);
SELECT try($$SELECT intake.register_table('sales', options => NULL)$$);
SELECT try($$SELECT intake.register_table('sales', entity => '')$$);
SELECT try($$SELECT intake.register_table('sales', datamart => 'dm', entity => 'Places')$$);
SELECT try($$SELECT intake.unregister_table(NULL)$$);
SELECT try($$SELECT intake.unregister_table('late')$$);
SELECT try($$SET LOCAL transaction_read_only = on; SELECT intake.register_table('sales')$$);
SELECT try($$SET LOCAL transaction_read_only = on; SELECT intake.unregister_table('sales')$$);

-- Only the owner registers; the table of entries is nobody's, the view
-- everybody's.
CREATE ROLE regress_intake_other;
GRANT USAGE ON SCHEMA registry, intake TO regress_intake_other;
SET ROLE regress_intake_other;
SELECT try($$SELECT intake.register_table('sales')$$);
SELECT try($$SELECT intake.unregister_table('sales')$$);
SELECT try($$SELECT FROM intake.entity$$);
SELECT try($$INSERT INTO intake.entity VALUES ('sales')$$);
SELECT count(*) > 0 FROM intake.entities;
-- an owner who may not create in the schema gets the statement
RESET ROLE;
CREATE TABLE lent (a int);
ALTER TABLE lent OWNER TO regress_intake_other;
SET ROLE regress_intake_other;
SELECT intake.register_table('lent', replacing_key => '{a}');
RESET ROLE;

-- Indexes: one serves both keys when it can, an index that is there is used.
CREATE TABLE both_keys (a int, b int, c int);
SELECT intake.register_table('both_keys', replacing_key => '{a,b,c}',
	partition_key => '{c,b}');
SELECT pg_get_indexdef(indexrelid) FROM pg_index
WHERE indrelid = 'both_keys'::regclass;
CREATE TABLE served (a int, b text);
CREATE INDEX ON served (lower(b), a DESC) INCLUDE (b);
SELECT intake.register_table('served', replacing_key => '{a,lower(b)}');
CREATE TABLE unserved (a int, b text);
CREATE INDEX ON unserved (a) WHERE a > 0;
CREATE INDEX ON unserved USING hash (a);
CREATE INDEX ON unserved (b, a);
SELECT intake.register_table('unserved', replacing_key => '{a}',
	partition_key => '{b}', create_index => false);
SELECT intake.register_table('unserved', replacing_key => '{a}',
	partition_key => ARRAY['b COLLATE "C"']);
-- 1,001 pages are too many
CREATE TABLE big (a int, pad text);
ALTER TABLE big ALTER pad SET STORAGE PLAIN;
INSERT INTO big SELECT i, repeat('x', 7000) FROM generate_series(1, 1001) i;
SELECT intake.register_table('big', replacing_key => '{a}');
CREATE TABLE parted (a int, b int) PARTITION BY RANGE (a);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
SELECT intake.register_table('parted', replacing_key => '{b}',
	create_index => false);
SELECT intake.register_table('parted', replacing_key => '{b}');
SELECT pg_get_indexdef(indexrelid) FROM pg_index
WHERE indrelid = 'parted_1'::regclass;

-- Keys follow renames: of columns, of inherited ones, of a type's attributes.
SELECT intake.register_table('sales', partition_key =>
	ARRAY['city', $$date_trunc('month', day)$$, $$city || ' city' || sales.city$$],
	create_index => false);
ALTER TABLE sales RENAME city TO "Town";
ALTER TABLE sales RENAME day TO city;
ALTER TABLE sales RENAME TO sold;
SELECT unnest(partition_key), unnest(partition_sql) FROM intake.entity
WHERE target = 'sold'::regclass;
SELECT intake.register_table('parted_1', replacing_key => '{b}');
ALTER TABLE parted RENAME b TO beta;
SELECT target, replacing_key FROM intake.entities
WHERE target IN ('parted'::regclass, 'parted_1'::regclass) ORDER BY entity;
CREATE TABLE typed OF pair;
SELECT intake.register_table('typed', replacing_key => '{a + b}',
	create_index => false);
ALTER TYPE pair RENAME ATTRIBUTE a TO alpha CASCADE;
SELECT replacing_key FROM intake.entities WHERE target = 'typed'::regclass;
SELECT intake.register_table('shown', replacing_key => '{uid}');
ALTER VIEW shown RENAME uid TO id;
SELECT replacing_key FROM intake.entities WHERE target = 'shown'::regclass;

-- A dropped column suspends; the view tells.
ALTER TABLE sold DROP country;
SELECT state FROM intake.entities WHERE target = 'sold'::regclass;
ALTER TABLE sold DROP "Town";
SELECT state FROM intake.entities WHERE target = 'sold'::regclass;

-- Unregistering and dropping remove the entry.
SELECT intake.unregister_table('sold');
SELECT try($$SELECT intake.unregister_table('sold')$$);
BEGIN;
DROP TABLE typed;
SELECT count(*) FROM intake.entity WHERE datamart = 'registry' AND entity = 'typed';
ROLLBACK;
SELECT count(*) FROM intake.entity WHERE datamart = 'registry' AND entity = 'typed';
DROP VIEW shown;
SELECT count(*) FROM intake.entity WHERE datamart = 'registry' AND entity = 'shown';
DROP OWNED BY regress_intake_other;
SELECT count(*) FROM intake.entity WHERE datamart = 'registry' AND entity = 'lent';
SET session_replication_role = replica;
DROP TABLE big;
RESET session_replication_role;
SELECT count(*) FROM intake.entity WHERE datamart = 'registry' AND entity = 'big';
SET client_min_messages = warning;
DROP SCHEMA registry CASCADE;
SELECT count(*) FROM intake.entity WHERE datamart IN ('registry', 'dm');
DROP ROLE regress_intake_other;
