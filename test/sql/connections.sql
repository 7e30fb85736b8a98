-- Partner connections, the SQL side: what a connection is made of, who may
-- make, change and see it, and what is left when something of it is dropped.
-- Ids and secrets are random; only their forms are shown.
\set VERBOSITY terse
\set SHOW_CONTEXT never
CREATE ROLE regress_conn_maker;
CREATE ROLE regress_conn_member IN ROLE regress_conn_maker;
CREATE ROLE regress_conn_other;
CREATE ROLE regress_conn_watcher IN ROLE pg_monitor;
CREATE ROLE regress_conn_reader;
CREATE ROLE regress_conn_super SUPERUSER;
GRANT USAGE ON SCHEMA intake TO regress_conn_maker, regress_conn_other,
    regress_conn_watcher;
CREATE SCHEMA regress_conn;
-- Says what a statement does with ids put out of the way.
CREATE PROCEDURE regress_conn.try(statement text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RAISE INFO 'done';
EXCEPTION WHEN OTHERS THEN
    RAISE INFO '%: %', SQLSTATE,
        regexp_replace(SQLERRM, '[a-z2-7]{20}', 'ID', 'g');
END
$$;
GRANT USAGE ON SCHEMA regress_conn TO PUBLIC;

--
-- Rights: EXECUTE and CREATE on the database, nothing else
--

SET ROLE regress_conn_maker;
CALL regress_conn.try($$SELECT * FROM intake.create_connection('x')$$);
RESET ROLE;
GRANT EXECUTE ON FUNCTION intake.create_connection, intake.drop_connection,
    intake.rotate_key, intake.grant_read
    TO regress_conn_maker, regress_conn_other;
SET ROLE regress_conn_maker;
CALL regress_conn.try($$SELECT * FROM intake.create_connection('x')$$);
RESET ROLE;
SELECT format('GRANT CREATE ON DATABASE %I TO regress_conn_maker',
    current_database()) \gexec

--
-- Arguments
--

SET ROLE regress_conn_maker;
CALL regress_conn.try($$SELECT intake.create_connection(NULL)$$);
CALL regress_conn.try($$SELECT intake.create_connection('')$$);
CALL regress_conn.try($$SELECT intake.create_connection(repeat('x', 1025))$$);
CALL regress_conn.try($$SELECT intake.create_connection('x', NULL)$$);
CALL regress_conn.try($$SELECT intake.create_connection('x', schema => 'regress_conn')$$);
CALL regress_conn.try($$SELECT intake.create_connection('x', schema => 'pg_mine')$$);
CALL regress_conn.try($$SELECT intake.create_connection('x', schema => '')$$);
CALL regress_conn.try($$SELECT intake.rotate_key(NULL)$$);
CALL regress_conn.try($$SELECT intake.rotate_key('x')$$);
CALL regress_conn.try($$SELECT intake.drop_connection(NULL)$$);
CALL regress_conn.try($$SELECT intake.drop_connection('x')$$);
CALL regress_conn.try($$SELECT intake.grant_read(NULL, 'regress_conn_reader')$$);
CALL regress_conn.try($$SELECT intake.grant_read('x', 'regress_conn_reader')$$);
START TRANSACTION READ ONLY;
CALL regress_conn.try($$SELECT intake.create_connection('x')$$);
CALL regress_conn.try($$SELECT intake.rotate_key('x')$$);
CALL regress_conn.try($$SELECT intake.drop_connection('x')$$);
CALL regress_conn.try($$SELECT intake.grant_read('x', 'regress_conn_reader')$$);
ROLLBACK;
SELECT count(*) FROM intake.connections;

--
-- What it is made of
--

SELECT * FROM intake.create_connection(E'O''Neil "\\" ; --') \gset one_
SELECT * FROM intake.create_connection(repeat('é', 512), true, 'Regress "s"; --') \gset two_
SELECT folder_id = current_database() AS folder_is_database,
    ids ~ '^([a-z2-7]{20} ?){3}$' AS ids,
    key ~ E'^-----BEGIN PRIVATE KEY-----\n([A-Za-z0-9+/]{64}\n)+[A-Za-z0-9+/=]+\n-----END PRIVATE KEY-----\n$' AS key,
    :'two_oauth_token' ~ '^oauth_[A-Za-z0-9_-]{43}$' AS oauth_token
FROM (VALUES (:'one_folder_id',
    concat_ws(' ', :'one_connection_id', :'one_service_account_id', :'one_svc_acct_key_id'),
    :'one_svc_acct_private_key')) v (folder_id, ids, key);
\echo [:one_oauth_token]
\x
SELECT left(title, 20) AS title, state,
    replace(schema, connection_id, 'ID') AS schema,
    replace(role, connection_id, 'ID') AS role, owner, with_oauth, client_id,
    tokens, tables, rows, last_upload
FROM intake.connections ORDER BY created_at;
\x
RESET ROLE;
SELECT rolcanlogin, rolsuper, rolcreaterole, rolcreatedb, rolreplication,
    rolbypassrls, shobj_description(r.oid, 'pg_authid') AS description,
    obj_description(n.oid, 'pg_namespace') AS schema_description,
    n.nspowner = r.oid AS owns_schema,
    has_schema_privilege(r.oid, 'intake', 'USAGE') AS usage,
    pg_has_role('regress_conn_maker', r.oid, 'USAGE') AS maker_is_member
FROM intake.connection c
    JOIN pg_roles r ON r.rolname = c.role_name
    JOIN pg_namespace n ON n.nspname = c.schema_name
WHERE connection_id = :'one_connection_id' \gx
-- Of the secrets a digest and a public key are kept.
SELECT oauth_hash = sha256(:'two_oauth_token'::bytea) AS oauth_token,
    (SELECT string_agg(key, ' ' ORDER BY key) FROM jsonb_object_keys(public_key) key) AS public_key
FROM intake.connection WHERE connection_id = :'two_connection_id';
-- A superuser needs no membership, and the role gets near none.
SET ROLE regress_conn_super;
SELECT * FROM intake.create_connection('Three') \gset three_
RESET ROLE;
SELECT count(*) FROM pg_auth_members m
    JOIN pg_roles r ON r.oid IN (m.roleid, m.member)
WHERE r.rolname = 'intake_' || :'three_connection_id';
-- Rolled back, it never was.
BEGIN;
SELECT * FROM intake.create_connection('Never') \gset never_
ROLLBACK;
SELECT (SELECT count(*) FROM intake.connections WHERE title = 'Never') AS connections,
    to_regrole('intake_' || :'never_connection_id') AS role,
    to_regnamespace('intake_' || :'never_connection_id') AS schema;

--
-- Who sees it and may change it: the owner, his members, superusers; members
-- of pg_monitor see all
--

SET ROLE regress_conn_member;
SELECT left(title, 20) AS title FROM intake.connections ORDER BY created_at;
SET ROLE regress_conn_watcher;
SELECT left(title, 20) AS title FROM intake.connections ORDER BY created_at;
SET ROLE regress_conn_other;
SELECT left(title, 20) AS title FROM intake.connections ORDER BY created_at;
CALL regress_conn.try(format('SELECT intake.rotate_key(%L)', :'one_connection_id'));
CALL regress_conn.try(format('SELECT intake.drop_connection(%L)', :'one_connection_id'));
CALL regress_conn.try(format('SELECT intake.grant_read(%L, ''regress_conn_reader'')', :'one_connection_id'));
SET ROLE regress_conn_maker;
CALL regress_conn.try(format('SELECT intake.rotate_key(%L)', :'three_connection_id'));
CALL regress_conn.try('TABLE intake.connection');
CALL regress_conn.try('TABLE intake.connection_token');
CALL regress_conn.try('TABLE intake.connection_table');

--
-- A new key
--

SET ROLE regress_conn_member;
SELECT * FROM intake.rotate_key(:'one_connection_id') \gset new_
SELECT :'new_connection_id' = :'one_connection_id' AS connection_id,
    :'new_folder_id' = :'one_folder_id' AS folder_id,
    :'new_service_account_id' = :'one_service_account_id' AS service_account_id,
    :'new_svc_acct_key_id' = :'one_svc_acct_key_id' AS svc_acct_key_id,
    :'new_svc_acct_private_key' = :'one_svc_acct_private_key' AS svc_acct_private_key;
\echo [:new_oauth_token]
SELECT * FROM intake.rotate_key(:'two_connection_id') \gset new_
SELECT :'new_oauth_token' ~ '^oauth_[A-Za-z0-9_-]{43}$' AS is_token,
    :'new_oauth_token' = :'two_oauth_token' AS is_old_one;

--
-- Readers
--

RESET ROLE;
-- The partner's first table, as the gateway makes it.
SELECT 'intake_' || :'one_connection_id' AS one, 'Regress "s"; --' AS two \gset
CREATE TABLE :one."T ""1"""(x int);
ALTER TABLE :one."T ""1""" OWNER TO :one;
CREATE TABLE :one.foreign_one(x int);
INSERT INTO intake.connection_table
    VALUES (:'one_connection_id', 'T "1"', '{}', '2024-02-29 12:00+00');
INSERT INTO :one."T ""1""" SELECT generate_series(1, 7);
ANALYZE :one."T ""1""";
SET ROLE regress_conn_maker;
SELECT tables, rows, last_upload = '2024-02-29 12:00+00' AS last_upload
FROM intake.connections WHERE connection_id = :'one_connection_id';
CALL regress_conn.try(format('SELECT intake.grant_read(%L, NULL)', :'one_connection_id'));
CALL regress_conn.try(format('SELECT intake.grant_read(%L, ''0'')', :'one_connection_id'));
CALL regress_conn.try(format('SELECT intake.grant_read(%L, ''4294967290'')', :'one_connection_id'));
SELECT intake.grant_read(:'one_connection_id', 'regress_conn_reader');
SELECT intake.grant_read(:'one_connection_id', 'regress_conn_reader');
SELECT intake.grant_read(:'two_connection_id', 'regress_conn_reader');
-- The owner is one of the tables' owners.
CREATE INDEX ON :one."T ""1""" (x);
SET ROLE :one;
CREATE TABLE :one.t2 AS SELECT 2 AS x;
SET ROLE regress_conn_reader;
SELECT count(*) FROM :one."T ""1""";
SELECT count(*) FROM :one.t2;
SELECT count(*) FROM :one.foreign_one;
INSERT INTO :one.t2 VALUES (1);
CALL regress_conn.try(format('CREATE TABLE %I.t3()', :'one'));

--
-- The end of it
--

SET ROLE regress_conn_maker;
CREATE VIEW :one.v AS SELECT * FROM :one.t2;
CALL regress_conn.try(format('SELECT intake.drop_connection(%L, NULL)', :'one_connection_id'));
-- somebody's view is in the way, and somebody's table
CALL regress_conn.try(format('SELECT intake.drop_connection(%L, true)', :'one_connection_id'));
SELECT state FROM intake.connections WHERE connection_id = :'one_connection_id';
-- kept, the tables are the owner's, and readers still read
SELECT intake.drop_connection(:'one_connection_id');
RESET ROLE;
SELECT c.relname, c.relowner::regrole
FROM pg_class c WHERE c.relnamespace = (:'one')::regnamespace
ORDER BY c.relname COLLATE "C";
SELECT nspowner::regrole FROM pg_namespace WHERE nspname = :'one';
SELECT to_regrole(:'one') AS role,
    (SELECT count(*) FROM intake.connections WHERE connection_id = :'one_connection_id') AS connections,
    (SELECT count(*) FROM intake.connection_table WHERE connection_id = :'one_connection_id') AS definitions,
    (SELECT count(*) FROM pg_default_acl a WHERE a.defaclnamespace = (:'one')::regnamespace) AS defaults;
SET ROLE regress_conn_reader;
SELECT count(*) FROM :one.t2;
SET ROLE regress_conn_maker;
CALL regress_conn.try(format('SELECT intake.drop_connection(%L)', :'one_connection_id'));
-- dropped with all it has
SELECT intake.drop_connection(:'two_connection_id', true);
SELECT to_regnamespace(quote_ident(:'two')) AS schema,
    to_regrole('intake_' || :'two_connection_id') AS role;
RESET ROLE;

--
-- What else may happen to its parts
--

SELECT * FROM intake.create_connection('Four', schema => 'regress_conn_four') \gset four_
SELECT 'intake_' || :'four_connection_id' AS four \gset
ALTER SCHEMA regress_conn_four RENAME TO regress_conn_5;
SELECT state FROM intake.connections WHERE title = 'Four';
CALL regress_conn.try(format('SELECT intake.grant_read(%L, ''regress_conn_reader'')', :'four_connection_id'));
ALTER SCHEMA regress_conn_5 RENAME TO regress_conn_four;
ALTER SCHEMA regress_conn_four OWNER TO regress_conn_maker;
SELECT state FROM intake.connections WHERE title = 'Four';
CALL regress_conn.try(format('SELECT intake.grant_read(%L, ''regress_conn_reader'')', :'four_connection_id'));
ALTER SCHEMA regress_conn_four OWNER TO :four;
ALTER ROLE :four RENAME TO regress_conn_four;
SELECT state FROM intake.connections WHERE title = 'Four';
CALL regress_conn.try(format('SELECT intake.grant_read(%L, ''regress_conn_reader'')', :'four_connection_id'));
ALTER ROLE regress_conn_four RENAME TO :four;
SELECT state FROM intake.connections WHERE title = 'Four';
SELECT intake.grant_read(:'four_connection_id', 'regress_conn_reader');
-- A role of that name is not that role.
DROP OWNED BY :four;
DROP ROLE :four;
CREATE ROLE :four;
CREATE SCHEMA regress_conn_four AUTHORIZATION :four;
SELECT state FROM intake.connections WHERE title = 'Four';
CALL regress_conn.try(format('SELECT intake.grant_read(%L, ''regress_conn_reader'')', :'four_connection_id'));
-- Its key can still be changed, which does not make it the role.
SELECT svc_acct_key_id ~ '^[a-z2-7]{20}$' AS svc_acct_key_id
FROM intake.rotate_key(:'four_connection_id');
SELECT state FROM intake.connections WHERE title = 'Four';
\set VERBOSITY sqlstate
SELECT intake.drop_connection(:'four_connection_id');
\set VERBOSITY terse
DROP SCHEMA regress_conn_four;
DROP ROLE :four;

-- The maker is dropped: superusers take over.
SET ROLE regress_conn_maker;
SELECT * FROM intake.create_connection('Five', schema => 'regress_conn_five') \gset five_
RESET ROLE;
REASSIGN OWNED BY regress_conn_maker TO regress_conn_other;
DROP OWNED BY regress_conn_maker;
DROP ROLE regress_conn_maker;
SELECT state, owner FROM intake.connections WHERE title = 'Five';
SET ROLE regress_conn_other;
CALL regress_conn.try(format('SELECT intake.rotate_key(%L)', :'five_connection_id'));
SET ROLE regress_conn_super;
CREATE TABLE regress_conn_five.t();
-- no superuser inherits what others may have made
\set VERBOSITY sqlstate
SELECT intake.drop_connection(:'five_connection_id');
\set VERBOSITY terse
SELECT nspowner::regrole::text = 'intake_' || :'five_connection_id' AS is_role
FROM pg_namespace WHERE nspname = 'regress_conn_five';
SELECT 'intake_' || :'five_connection_id' AS five \gset
DROP OWNED BY :five CASCADE;
DROP ROLE :five;
SELECT intake.drop_connection(:'three_connection_id', true);
RESET ROLE;
SELECT count(*) FROM intake.connections;

\set VERBOSITY sqlstate
DROP SCHEMA regress_conn, :one CASCADE;
DROP OWNED BY regress_conn_member, regress_conn_other, regress_conn_watcher,
    regress_conn_reader, regress_conn_super;
DROP ROLE regress_conn_member, regress_conn_other, regress_conn_watcher,
    regress_conn_reader, regress_conn_super;
