/* pg_intake 1.0 */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION pg_intake" to load this file. \quit

CREATE SCHEMA intake;
COMMENT ON SCHEMA intake IS 'pg_intake: exactly-once bulk intake';

--
-- Types
--

CREATE TYPE intake.upload_result AS (
    operation uuid,
    replayed bool,
    partial bool,
    sys_cn bigint,
    started_at timestamptz,
    finished_at timestamptz,
    expires_at timestamptz,
    bytes_received bigint,
    rows_received bigint,
    rows_inserted bigint,
    rows_updated bigint,
    rows_deleted bigint,
    rows_skipped bigint,
    rows_rejected bigint,
    rows_affected bigint,
    errors jsonb
);
COMMENT ON TYPE intake.upload_result IS 'What an operation did; a repeat gets the stored one with replayed = true.';

--
-- Operations
--

CREATE SEQUENCE intake.sys_cn;
COMMENT ON SEQUENCE intake.sys_cn IS 'Numbers operations in the order in which they begin to write.';

CREATE TABLE intake.operation (
    operation uuid NOT NULL,
    role_name name NOT NULL,
    role_oid oid NOT NULL,
    cluster bigint NOT NULL,
    login_name name,
    door text NOT NULL,
    state "char" NOT NULL,
    target text NOT NULL,
    mode text NOT NULL,
    request text NOT NULL,
    digest bytea NOT NULL,
    sys_cn bigint,
    started_at timestamptz NOT NULL,
    finished_at timestamptz NOT NULL,
    expires_at timestamptz,
    bytes_received bigint NOT NULL,
    rows_received bigint NOT NULL,
    rows_inserted bigint NOT NULL,
    rows_updated bigint NOT NULL,
    rows_deleted bigint,
    rows_skipped bigint NOT NULL,
    rows_rejected bigint NOT NULL,
    errors jsonb,
    error jsonb,
    query_id text,
    request_id text,
    subject text,
    answer jsonb
);
COMMENT ON TABLE intake.operation IS 'Records of operations; written by the extension''s code only. Its children are time slices.';
REVOKE ALL ON intake.operation FROM PUBLIC;

-- Eight slices, as operation_record.c expects.
CREATE TABLE intake.operation_0 () INHERITS (intake.operation);
CREATE TABLE intake.operation_1 () INHERITS (intake.operation);
CREATE TABLE intake.operation_2 () INHERITS (intake.operation);
CREATE TABLE intake.operation_3 () INHERITS (intake.operation);
CREATE TABLE intake.operation_4 () INHERITS (intake.operation);
CREATE TABLE intake.operation_5 () INHERITS (intake.operation);
CREATE TABLE intake.operation_6 () INHERITS (intake.operation);
CREATE TABLE intake.operation_7 () INHERITS (intake.operation);
CREATE INDEX ON intake.operation_0 (operation);
CREATE INDEX ON intake.operation_1 (operation);
CREATE INDEX ON intake.operation_2 (operation);
CREATE INDEX ON intake.operation_3 (operation);
CREATE INDEX ON intake.operation_4 (operation);
CREATE INDEX ON intake.operation_5 (operation);
CREATE INDEX ON intake.operation_6 (operation);
CREATE INDEX ON intake.operation_7 (operation);
REVOKE ALL ON intake.operation_0, intake.operation_1, intake.operation_2, intake.operation_3,
    intake.operation_4, intake.operation_5, intake.operation_6, intake.operation_7 FROM PUBLIC;
COMMENT ON TABLE intake.operation_0 IS 'A time slice of intake.operation.';
COMMENT ON TABLE intake.operation_1 IS 'A time slice of intake.operation.';
COMMENT ON TABLE intake.operation_2 IS 'A time slice of intake.operation.';
COMMENT ON TABLE intake.operation_3 IS 'A time slice of intake.operation.';
COMMENT ON TABLE intake.operation_4 IS 'A time slice of intake.operation.';
COMMENT ON TABLE intake.operation_5 IS 'A time slice of intake.operation.';
COMMENT ON TABLE intake.operation_6 IS 'A time slice of intake.operation.';
COMMENT ON TABLE intake.operation_7 IS 'A time slice of intake.operation.';

-- Empty until the first rotation: then the slice that was opened last takes
-- new records.
CREATE TABLE intake.operation_slice (
    slice int NOT NULL PRIMARY KEY CHECK (slice BETWEEN 0 AND 7),
    opened_at timestamptz NOT NULL
);
COMMENT ON TABLE intake.operation_slice IS 'When each time slice of intake.operation was opened.';
REVOKE ALL ON intake.operation_slice FROM PUBLIC;

-- Bad records that operations have set aside: in the slice of their operation.
CREATE TABLE intake.reject (
    sys_cn bigint NOT NULL,
    target oid NOT NULL,
    record bigint NOT NULL,
    lineno bigint,
    line text,
    colname text,
    raw_field_value text,
    err_message text NOT NULL,
    err_detail text,
    errorcode text NOT NULL
);
COMMENT ON TABLE intake.reject IS 'Bad records that operations have set aside; written by the extension''s code only, read view intake.rejects. Its children are time slices.';
REVOKE ALL ON intake.reject FROM PUBLIC;

CREATE TABLE intake.reject_0 () INHERITS (intake.reject);
CREATE TABLE intake.reject_1 () INHERITS (intake.reject);
CREATE TABLE intake.reject_2 () INHERITS (intake.reject);
CREATE TABLE intake.reject_3 () INHERITS (intake.reject);
CREATE TABLE intake.reject_4 () INHERITS (intake.reject);
CREATE TABLE intake.reject_5 () INHERITS (intake.reject);
CREATE TABLE intake.reject_6 () INHERITS (intake.reject);
CREATE TABLE intake.reject_7 () INHERITS (intake.reject);
CREATE INDEX ON intake.reject_0 (sys_cn);
CREATE INDEX ON intake.reject_1 (sys_cn);
CREATE INDEX ON intake.reject_2 (sys_cn);
CREATE INDEX ON intake.reject_3 (sys_cn);
CREATE INDEX ON intake.reject_4 (sys_cn);
CREATE INDEX ON intake.reject_5 (sys_cn);
CREATE INDEX ON intake.reject_6 (sys_cn);
CREATE INDEX ON intake.reject_7 (sys_cn);
REVOKE ALL ON intake.reject_0, intake.reject_1, intake.reject_2, intake.reject_3,
    intake.reject_4, intake.reject_5, intake.reject_6, intake.reject_7 FROM PUBLIC;
COMMENT ON TABLE intake.reject_0 IS 'A time slice of intake.reject.';
COMMENT ON TABLE intake.reject_1 IS 'A time slice of intake.reject.';
COMMENT ON TABLE intake.reject_2 IS 'A time slice of intake.reject.';
COMMENT ON TABLE intake.reject_3 IS 'A time slice of intake.reject.';
COMMENT ON TABLE intake.reject_4 IS 'A time slice of intake.reject.';
COMMENT ON TABLE intake.reject_5 IS 'A time slice of intake.reject.';
COMMENT ON TABLE intake.reject_6 IS 'A time slice of intake.reject.';
COMMENT ON TABLE intake.reject_7 IS 'A time slice of intake.reject.';

SELECT pg_catalog.pg_extension_config_dump('intake.sys_cn', '');
SELECT pg_catalog.pg_extension_config_dump('intake.operation_0', '');
SELECT pg_catalog.pg_extension_config_dump('intake.operation_1', '');
SELECT pg_catalog.pg_extension_config_dump('intake.operation_2', '');
SELECT pg_catalog.pg_extension_config_dump('intake.operation_3', '');
SELECT pg_catalog.pg_extension_config_dump('intake.operation_4', '');
SELECT pg_catalog.pg_extension_config_dump('intake.operation_5', '');
SELECT pg_catalog.pg_extension_config_dump('intake.operation_6', '');
SELECT pg_catalog.pg_extension_config_dump('intake.operation_7', '');
SELECT pg_catalog.pg_extension_config_dump('intake.operation_slice', '');
SELECT pg_catalog.pg_extension_config_dump('intake.reject_0', '');
SELECT pg_catalog.pg_extension_config_dump('intake.reject_1', '');
SELECT pg_catalog.pg_extension_config_dump('intake.reject_2', '');
SELECT pg_catalog.pg_extension_config_dump('intake.reject_3', '');
SELECT pg_catalog.pg_extension_config_dump('intake.reject_4', '');
SELECT pg_catalog.pg_extension_config_dump('intake.reject_5', '');
SELECT pg_catalog.pg_extension_config_dump('intake.reject_6', '');
SELECT pg_catalog.pg_extension_config_dump('intake.reject_7', '');

CREATE VIEW intake.operations WITH (security_barrier) AS
SELECT o.operation,
       o.role_name AS role,
       o.login_name AS "session_user",
       o.door,
       CASE o.state WHEN 'f' THEN 'failed' ELSE 'succeeded' END AS status,
       o.state = 'p' AS partial,
       o.target,
       o.mode,
       o.request,
       o.digest,
       o.sys_cn,
       o.started_at,
       o.finished_at,
       o.expires_at,
       o.bytes_received,
       o.rows_received,
       o.rows_inserted,
       o.rows_updated,
       o.rows_deleted,
       o.rows_skipped,
       o.rows_rejected,
       o.rows_inserted + o.rows_updated + o.rows_deleted AS rows_affected,
       CASE WHEN o.is_own OR pg_catalog.pg_has_role('pg_read_all_data', 'USAGE') THEN o.errors END AS errors,
       o.query_id,
       o.request_id,
       o.subject,
       CASE WHEN o.is_own OR pg_catalog.pg_has_role('pg_read_all_data', 'USAGE') THEN o.error END AS error,
       CASE WHEN o.is_own OR pg_catalog.pg_has_role('pg_read_all_data', 'USAGE') THEN o.answer END AS answer
  FROM (SELECT x.*,
               CASE WHEN x.cluster = (SELECT s.system_identifier FROM pg_catalog.pg_control_system() s)
                    THEN x.role_oid = (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = CURRENT_USER)
                    ELSE x.role_name = CURRENT_USER END AS is_own
          FROM intake.operation x) o
 WHERE o.is_own OR pg_catalog.pg_has_role('pg_monitor', 'USAGE')
 ORDER BY o.started_at DESC;
COMMENT ON VIEW intake.operations IS 'One row an operation, newest first: the caller''s own; all of them for members of pg_monitor.';
COMMENT ON COLUMN intake.operations.role IS 'the principal: the role the operation ran as';
COMMENT ON COLUMN intake.operations."session_user" IS 'who had logged in; NULL over HTTP, where nobody does';
COMMENT ON COLUMN intake.operations.subject IS 'over HTTP, the subject of the token that was shown';
COMMENT ON COLUMN intake.operations.door IS 'sql, file, query, copy or http';
COMMENT ON COLUMN intake.operations.digest IS 'XXH3-128 of the payload, inflated; of upload_query, of the query''s text';
COMMENT ON COLUMN intake.operations.request IS 'mode, sys_op, format and options as they were given; a repeat must give the same';
COMMENT ON COLUMN intake.operations.rows_deleted IS 'NULL after truncate => ''fast''';
COMMENT ON COLUMN intake.operations.errors IS 'the first of the bad records that were set aside; for the principal and members of pg_read_all_data, since it shows values';
COMMENT ON COLUMN intake.operations.error IS 'of a failure what happened and where, of a part why it is one; for the same readers as errors';
COMMENT ON COLUMN intake.operations.answer IS 'what the answer told beyond the counters, for repeats: over the DataLens methods only; for the same readers as errors';
GRANT SELECT ON intake.operations TO PUBLIC;

-- OIDs mean something in the cluster that wrote them.
CREATE VIEW intake.rejects WITH (security_barrier) AS
SELECT o.started_at AS starttime,
       CASE WHEN o.is_here THEN o.role_oid
            ELSE (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = o.role_name) END AS userid,
       CASE WHEN o.is_here THEN j.target END AS copy_tbl,
       j.lineno,
       j.line,
       j.colname,
       j.raw_field_value,
       j.err_message,
       j.err_detail,
       j.errorcode,
       o.operation,
       j.record
  FROM (SELECT x.*,
               x.cluster = (SELECT s.system_identifier FROM pg_catalog.pg_control_system() s) AS is_here
          FROM intake.operation x) o
  JOIN intake.reject j ON j.sys_cn = o.sys_cn
 WHERE CASE WHEN o.is_here
            THEN o.role_oid = (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = CURRENT_USER)
            ELSE o.role_name = CURRENT_USER END
    OR pg_catalog.pg_has_role('pg_read_all_data', 'USAGE')
    OR o.is_here AND EXISTS (
       SELECT FROM pg_catalog.pg_class c
        WHERE c.oid = j.target AND pg_catalog.pg_has_role(c.relowner, 'USAGE'));
COMMENT ON VIEW intake.rejects IS 'One row a bad record that an operation has set aside: for the role that ran it, the target''s owner, and members of pg_read_all_data.';
COMMENT ON COLUMN intake.rejects.starttime IS 'when the operation started';
COMMENT ON COLUMN intake.rejects.userid IS 'the role that ran the operation';
COMMENT ON COLUMN intake.rejects.copy_tbl IS 'the target; NULL after a restore in another cluster';
COMMENT ON COLUMN intake.rejects.lineno IS 'the line on which the record starts; NULL for Avro and jsonb';
COMMENT ON COLUMN intake.rejects.line IS 'the record as it came; what a constraint refused as a JSON object; NULL for Avro that could not be read; cut at 10 kB';
COMMENT ON COLUMN intake.rejects.colname IS 'the column at fault, where it is one';
COMMENT ON COLUMN intake.rejects.raw_field_value IS 'its value';
COMMENT ON COLUMN intake.rejects.errorcode IS 'the SQLSTATE';
COMMENT ON COLUMN intake.rejects.record IS 'the number of the record in the payload, from 1';
GRANT SELECT ON intake.rejects TO PUBLIC;

CREATE FUNCTION intake.operation_status(operation uuid) RETURNS text
LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'intake_operation_status';
COMMENT ON FUNCTION intake.operation_status(uuid) IS 'succeeded, running, failed or unknown: of the caller''s own operation';

CREATE FUNCTION intake.operation_uuid(VARIADIC parts text[]) RETURNS uuid
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'intake_operation_uuid';
COMMENT ON FUNCTION intake.operation_uuid(text[]) IS 'The version 5 UUID of a list of texts: the same job gets the same operation each time it is run.';

CREATE FUNCTION intake.forget_operation(operation uuid) RETURNS bool
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'intake_forget_operation';
COMMENT ON FUNCTION intake.forget_operation(uuid) IS 'Forgets an operation, so that its UUID runs again; for the target''s owner. False when there is none.';

CREATE FUNCTION intake.record_failure(operation uuid, target regclass, error jsonb DEFAULT '{}') RETURNS bool
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'intake_record_failure';
COMMENT ON FUNCTION intake.record_failure(uuid, regclass, jsonb) IS 'Records that an operation of the caller''s failed, after its rows were rolled back; it may run again. False when it has succeeded meanwhile.';

CREATE FUNCTION intake.operation_retention() RETURNS interval
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'intake_operation_retention_interval';
COMMENT ON FUNCTION intake.operation_retention() IS 'pg_intake.operation_retention as an interval; zero keeps operations for ever.';

CREATE FUNCTION intake.rotate_operations() RETURNS int
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    slices CONSTANT int := 8;
    retention CONSTANT interval := intake.operation_retention();
    current_one int;
    opened timestamptz;
    one int;
    closed timestamptz;
    truncated int := 0;
BEGIN
    -- one rotation at a time; uploads go on
    LOCK TABLE intake.operation_slice IN SHARE ROW EXCLUSIVE MODE;
    SELECT s.slice, s.opened_at INTO current_one, opened
      FROM intake.operation_slice s ORDER BY s.opened_at DESC LIMIT 1;
    IF NOT FOUND THEN
        INSERT INTO intake.operation_slice VALUES (0, clock_timestamp());
        RETURN 0;
    END IF;
    IF retention = interval '0' THEN
        RETURN 0;
    END IF;

    -- A slice is closed when the next one was opened; from then on its last
    -- record is as old as that.
    FOR one, closed IN
        SELECT s.slice, n.opened_at
          FROM intake.operation_slice s, LATERAL (
               SELECT x.opened_at FROM intake.operation_slice x
                WHERE x.opened_at > s.opened_at ORDER BY x.opened_at LIMIT 1) n
         ORDER BY s.opened_at
    LOOP
        EXIT WHEN closed + retention > clock_timestamp();
        BEGIN
            EXECUTE format('LOCK TABLE intake.operation_%1$s, intake.reject_%1$s IN ACCESS EXCLUSIVE MODE NOWAIT', one);
            EXECUTE format('TRUNCATE ONLY intake.operation_%1$s, ONLY intake.reject_%1$s', one);
            DELETE FROM intake.operation_slice WHERE slice = one;
            truncated := truncated + 1;
        EXCEPTION WHEN lock_not_available THEN
            EXIT;               -- somebody reads it; the next rotation gets it
        END;
    END LOOP;

    -- Open the next slice when this one has taken its share of the time and
    -- the next one is free.
    one := (current_one + 1) % slices;
    IF opened + retention / (slices - 2) <= clock_timestamp()
       AND NOT EXISTS (SELECT FROM intake.operation_slice s WHERE s.slice = one) THEN
        INSERT INTO intake.operation_slice VALUES (one, clock_timestamp());
    END IF;
    RETURN truncated;
END
$$;
COMMENT ON FUNCTION intake.rotate_operations() IS 'Forgets operations older than pg_intake.operation_retention by truncating whole time slices; to be run once a day or so. Returns how many slices were emptied.';
REVOKE ALL ON FUNCTION intake.rotate_operations() FROM PUBLIC;

--
-- Registry
--

-- ---------------------------------------------------------------- registry

-- One row a registered target; only the extension's code writes it.
CREATE TABLE intake.entity (
	target regclass PRIMARY KEY,
	row_type regtype NOT NULL,
	kind text NOT NULL CHECK (kind IN ('logical', 'proxy', 'standalone')),
	datamart name NOT NULL,
	entity name NOT NULL,
	mode text CHECK (mode IN ('append', 'replace', 'merge')),
	replacing_key text[],
	replacing_sql text[],
	partition_key text[],
	partition_sql text[],
	options jsonb NOT NULL DEFAULT '{}',
	registered_at timestamptz NOT NULL,
	registered_by name NOT NULL,
	UNIQUE (datamart, entity)
);
REVOKE ALL ON intake.entity FROM PUBLIC;
COMMENT ON TABLE intake.entity IS
	'registered targets; written by pg_intake only, read view intake.entities';
COMMENT ON COLUMN intake.entity.row_type IS
	'composite type of the target: an entry whose target has another one is of a dropped table';
COMMENT ON COLUMN intake.entity.replacing_sql IS
	'items of replacing_key as canonical SQL, valid under any search_path';
COMMENT ON COLUMN intake.entity.partition_sql IS
	'items of partition_key as canonical SQL, valid under any search_path';

-- A dump leaves out entries whose table is gone: they could not be restored.
SELECT pg_catalog.pg_extension_config_dump('intake.entity',
	'WHERE EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = target AND c.reltype = row_type)');

CREATE FUNCTION intake.register_table(
	target regclass,
	kind text DEFAULT NULL,
	replacing_key text[] DEFAULT NULL,
	partition_key text[] DEFAULT NULL,
	datamart name DEFAULT NULL,
	entity name DEFAULT NULL,
	mode text DEFAULT NULL,
	create_index bool DEFAULT true,
	options jsonb DEFAULT '{}')
RETURNS void
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'intake_register_table';
COMMENT ON FUNCTION intake.register_table(regclass, text, text[], text[], name, name, text, bool, jsonb) IS
	'registers a table of the caller as a target: kind, keys, default mode and options, public name';

CREATE FUNCTION intake.unregister_table(target regclass)
RETURNS void
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'intake_unregister_table';
COMMENT ON FUNCTION intake.unregister_table(regclass) IS
	'forgets the registration of a table of the caller; the table stays as it is';

CREATE FUNCTION intake.entity_state(
	target regclass, replacing_sql text[], partition_sql text[])
RETURNS text
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'intake_entity_state';
COMMENT ON FUNCTION intake.entity_state(regclass, text[], text[]) IS
	'ready, or suspended if a column that a key uses is gone; for view intake.entities';

CREATE VIEW intake.entities AS
SELECT e.target, e.kind, e.datamart, e.entity, e.mode,
	e.replacing_key, e.partition_key, e.options,
	e.registered_at, e.registered_by,
	intake.entity_state(e.target, e.replacing_sql, e.partition_sql) AS state
FROM intake.entity e
JOIN pg_catalog.pg_class c
	ON c.oid OPERATOR(pg_catalog.=) e.target
	AND c.reltype OPERATOR(pg_catalog.=) e.row_type;
REVOKE ALL ON intake.entities FROM PUBLIC;
GRANT SELECT ON intake.entities TO PUBLIC;
COMMENT ON VIEW intake.entities IS
	'registered targets; state is suspended while a column of a key is missing';

-- Keys follow the renames of their columns.
CREATE FUNCTION intake.on_rename()
RETURNS event_trigger
LANGUAGE C
AS 'MODULE_PATHNAME', 'intake_on_rename';
REVOKE ALL ON FUNCTION intake.on_rename() FROM PUBLIC;
COMMENT ON FUNCTION intake.on_rename() IS
	'event trigger: rewrites the keys of registered tables whose columns are renamed';

CREATE EVENT TRIGGER pg_intake_on_rename ON ddl_command_end
	WHEN TAG IN ('ALTER TABLE', 'ALTER FOREIGN TABLE', 'ALTER VIEW',
		'ALTER MATERIALIZED VIEW', 'ALTER TYPE')
	EXECUTE FUNCTION intake.on_rename();
ALTER EVENT TRIGGER pg_intake_on_rename ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER pg_intake_on_rename IS
	'pg_intake: keys follow the renames of their columns';

-- Dropped tables lose their entries.  A failure leaves an entry that counts
-- no more (see row_type); it is never worth a DROP, hence the warning.
CREATE FUNCTION intake.on_drop()
RETURNS event_trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- A subtransaction only where there may be something to do.
	IF NOT EXISTS (
		SELECT FROM pg_catalog.pg_event_trigger_dropped_objects() d
		WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
			AND d.objsubid = 0 AND NOT d.is_temporary
			AND d.object_type IN ('table', 'view', 'foreign table'))
	THEN
		RETURN;
	END IF;

	BEGIN
		DELETE FROM intake.entity e
		USING pg_catalog.pg_event_trigger_dropped_objects() d
		WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
			AND d.objsubid = 0
			AND e.target = d.objid;
	EXCEPTION WHEN OTHERS THEN
		RAISE WARNING 'could not remove the registrations of dropped tables: %', SQLERRM;
	END;
END
$$;
REVOKE ALL ON FUNCTION intake.on_drop() FROM PUBLIC;
COMMENT ON FUNCTION intake.on_drop() IS
	'event trigger: removes the registrations of dropped tables';

CREATE EVENT TRIGGER pg_intake_on_drop ON sql_drop
	EXECUTE FUNCTION intake.on_drop();
ALTER EVENT TRIGGER pg_intake_on_drop ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER pg_intake_on_drop IS
	'pg_intake: dropped tables lose their registrations';

--
-- Uploads
--

CREATE FUNCTION intake.upload(
    target regclass,
    payload bytea,
    format text DEFAULT 'ndjson',
    operation uuid DEFAULT NULL,
    mode text DEFAULT NULL,
    sys_op int DEFAULT NULL,
    options jsonb DEFAULT '{}'
) RETURNS intake.upload_result
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'intake_upload_bytea';
COMMENT ON FUNCTION intake.upload(regclass, bytea, text, uuid, text, int, jsonb) IS 'Uploads a payload (ndjson, csv or avro) into a table, once for each operation UUID.';

CREATE FUNCTION intake.upload(
    target regclass,
    payload text,
    format text DEFAULT 'ndjson',
    operation uuid DEFAULT NULL,
    mode text DEFAULT NULL,
    sys_op int DEFAULT NULL,
    options jsonb DEFAULT '{}'
) RETURNS intake.upload_result
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'intake_upload_text';
COMMENT ON FUNCTION intake.upload(regclass, text, text, uuid, text, int, jsonb) IS 'Uploads a payload (ndjson or csv) in the database''s encoding.';

CREATE FUNCTION intake.upload(
    target regclass,
    payload jsonb,
    format text DEFAULT 'ndjson',
    operation uuid DEFAULT NULL,
    mode text DEFAULT NULL,
    sys_op int DEFAULT NULL,
    options jsonb DEFAULT '{}'
) RETURNS intake.upload_result
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'intake_upload_jsonb';
COMMENT ON FUNCTION intake.upload(regclass, jsonb, text, uuid, text, int, jsonb) IS 'Uploads one jsonb array of rows or objects.';

CREATE FUNCTION intake.upload_file(
    target regclass,
    path text,
    format text DEFAULT 'ndjson',
    operation uuid DEFAULT NULL,
    mode text DEFAULT NULL,
    sys_op int DEFAULT NULL,
    options jsonb DEFAULT '{}'
) RETURNS intake.upload_result
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'intake_upload_file';
COMMENT ON FUNCTION intake.upload_file(regclass, text, text, uuid, text, int, jsonb) IS 'Uploads a file on the server, plain or compressed by gzip or zstd; for members of pg_read_server_files.';

CREATE FUNCTION intake.upload_query(
    target regclass,
    query text,
    operation uuid DEFAULT NULL,
    mode text DEFAULT NULL,
    sys_op int DEFAULT NULL,
    options jsonb DEFAULT '{}'
) RETURNS intake.upload_result
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'intake_upload_query';
COMMENT ON FUNCTION intake.upload_query(regclass, text, uuid, text, int, jsonb) IS 'Uploads the rows of a query, whose columns are matched by name; a repeat is known by the text of the query.';

CREATE FUNCTION intake.last_upload() RETURNS intake.upload_result
LANGUAGE c VOLATILE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'intake_last_upload';
COMMENT ON FUNCTION intake.last_upload() IS 'What the session''s last operation was answered, whichever way it came; NULL before the first one. A transaction that is rolled back leaves the one before it.';

CREATE FUNCTION intake.delete_partitions(
    target regclass,
    partitions jsonb,
    operation uuid DEFAULT NULL,
    options jsonb DEFAULT '{}'
) RETURNS intake.upload_result
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'intake_delete_partitions';
COMMENT ON FUNCTION intake.delete_partitions(regclass, jsonb, uuid, jsonb) IS 'Deletes the rows whose partition key is one of those given: an array of objects, one member for each item of the key.';

CREATE FUNCTION intake.options(
    OUT name text, OUT type text, OUT default_value text, OUT calls text[], OUT description text
) RETURNS SETOF record
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'intake_options_list';
COMMENT ON FUNCTION intake.options() IS 'The options of upload, delete_partitions and register_table.';

-- How a batch of rows reaches the statements that write it; outside of them
-- these functions raise an error.
CREATE FUNCTION intake.batch_support(internal) RETURNS internal
LANGUAGE c STRICT
AS 'MODULE_PATHNAME', 'intake_batch_support';
COMMENT ON FUNCTION intake.batch_support(internal) IS 'Tells the planner how many rows a batch has.';

CREATE FUNCTION intake.batch_rows() RETURNS SETOF record
LANGUAGE c VOLATILE PARALLEL UNSAFE
SUPPORT intake.batch_support
AS 'MODULE_PATHNAME', 'intake_batch_rows';
COMMENT ON FUNCTION intake.batch_rows() IS 'The rows of the batch that the extension is writing; for its own statements.';

CREATE FUNCTION intake.batch_at(record bigint, line bigint) RETURNS bool
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'intake_batch_at';
COMMENT ON FUNCTION intake.batch_at(bigint, bigint) IS 'Notes which record of the batch is being written; for the extension''s own statements.';

CREATE FUNCTION intake.batch_conflict() RETURNS bool
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'intake_batch_conflict';
COMMENT ON FUNCTION intake.batch_conflict() IS 'Notes that the record being written has a row already; for the extension''s own statements.';

CREATE FUNCTION intake.batch_written() RETURNS bool
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'intake_batch_written';
COMMENT ON FUNCTION intake.batch_written() IS 'Counts the record that was written; for the extension''s own statements.';

CREATE FUNCTION intake.batch_replaces(place int, version anyelement) RETURNS bool
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'intake_batch_replaces';
COMMENT ON FUNCTION intake.batch_replaces(int, anyelement) IS 'Whether a record of the batch may replace a row of that version (option newer_by); for the extension''s own statements.';

CREATE FUNCTION intake.batch_sets(place int, "column" int, version anyelement) RETURNS bool
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'intake_batch_sets';
COMMENT ON FUNCTION intake.batch_sets(int, int, anyelement) IS 'Whether a record of the batch sets a column of the row that is there (option update_columns); for the extension''s own statements.';

CREATE FUNCTION intake.batch_value(place int, "column" int, value anyelement) RETURNS anyelement
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'intake_batch_value';
COMMENT ON FUNCTION intake.batch_value(int, int, anyelement) IS 'The value that a record of the batch gives, or the column''s default (option update_columns); for the extension''s own statements.';

--
-- Tokens
--

-- One row a key; only the extension's code writes it.
CREATE TABLE intake.trusted_key (
    kid text COLLATE "C" PRIMARY KEY,
    jwk jsonb NOT NULL,
    added_at timestamptz NOT NULL,
    added_by name NOT NULL
);
-- read without a snapshot that could fetch what is stored elsewhere
ALTER TABLE intake.trusted_key ALTER COLUMN jwk SET STORAGE MAIN;
REVOKE ALL ON intake.trusted_key FROM PUBLIC;
COMMENT ON TABLE intake.trusted_key IS 'Public keys that sign tokens; written by pg_intake only, read view intake.trusted_keys.';

-- One row a subject; only the extension's code writes it.
CREATE TABLE intake.principal (
    subject text COLLATE "C" PRIMARY KEY,
    role_name name NOT NULL,
    role_oid oid NOT NULL,
    cluster bigint NOT NULL,
    mapped_at timestamptz NOT NULL,
    mapped_by name NOT NULL
);
REVOKE ALL ON intake.principal FROM PUBLIC;
COMMENT ON TABLE intake.principal IS 'Roles of tokens'' subjects; written by pg_intake only, read view intake.principals.';
COMMENT ON COLUMN intake.principal.cluster IS 'system identifier of the cluster in which role_oid is the role''s OID; elsewhere its name alone counts';

SELECT pg_catalog.pg_extension_config_dump('intake.trusted_key', '');
SELECT pg_catalog.pg_extension_config_dump('intake.principal', '');

CREATE FUNCTION intake.trust_key(kid text, jwk jsonb) RETURNS void
LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'intake_trust_key';
REVOKE ALL ON FUNCTION intake.trust_key(text, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION intake.trust_key(text, jsonb) IS 'Trusts tokens that name the key kid and are signed by it: a public JWK, RSA of 2048 to 8192 bits or EC P-256.';

CREATE FUNCTION intake.distrust_key(kid text) RETURNS bool
LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'intake_distrust_key';
REVOKE ALL ON FUNCTION intake.distrust_key(text) FROM PUBLIC;
COMMENT ON FUNCTION intake.distrust_key(text) IS 'Forgets a key of intake.trust_key(). False when there is none.';

CREATE FUNCTION intake.map_principal(subject text, role regrole) RETURNS void
LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'intake_map_principal';
REVOKE ALL ON FUNCTION intake.map_principal(text, regrole) FROM PUBLIC;
COMMENT ON FUNCTION intake.map_principal(text, regrole) IS 'Lets the bearer of a token with this subject act as the role; for those who have ADMIN OPTION on it. A superuser, or a member of one, is refused.';

CREATE FUNCTION intake.unmap_principal(subject text) RETURNS bool
LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'intake_unmap_principal';
REVOKE ALL ON FUNCTION intake.unmap_principal(text) FROM PUBLIC;
COMMENT ON FUNCTION intake.unmap_principal(text) IS 'Forgets the role of a subject; for those who have ADMIN OPTION on the role. False when there is none.';

CREATE FUNCTION intake.verify_token(
    authorization text,
    OUT subject text, OUT role regrole, OUT roles text[], OUT expires_at timestamptz
) RETURNS record
LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'intake_verify_token';
REVOKE ALL ON FUNCTION intake.verify_token(text) FROM PUBLIC;
COMMENT ON FUNCTION intake.verify_token(text) IS 'Who the bearer of a token is ("Bearer ..."), as an upload over HTTP would be told; an error says why it is refused. NULL: who a request without a token is.';

CREATE FUNCTION intake.all_trusted_keys(
    OUT kid text, OUT kty text, OUT alg text, OUT thumbprint text, OUT source text,
    OUT added_at timestamptz, OUT added_by name
) RETURNS SETOF record
LANGUAGE c STABLE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'intake_all_trusted_keys';
REVOKE ALL ON FUNCTION intake.all_trusted_keys() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION intake.all_trusted_keys() TO pg_monitor;
COMMENT ON FUNCTION intake.all_trusted_keys() IS 'The keys of intake.trust_key() and those of pg_intake.jwks_file; for view intake.trusted_keys.';

CREATE VIEW intake.trusted_keys AS
SELECT k.kid, k.kty, k.alg, k.thumbprint, k.source, k.added_at, k.added_by
  FROM intake.all_trusted_keys() k;
REVOKE ALL ON intake.trusted_keys FROM PUBLIC;
GRANT SELECT ON intake.trusted_keys TO pg_monitor;
COMMENT ON VIEW intake.trusted_keys IS 'Keys that sign tokens; for superusers and members of pg_monitor.';
COMMENT ON COLUMN intake.trusted_keys.alg IS 'the only algorithm that the key is for; NULL: RS256 and PS256 for RSA, ES256 for EC';
COMMENT ON COLUMN intake.trusted_keys.thumbprint IS 'SHA-256 of the key in base64url (RFC 7638)';
COMMENT ON COLUMN intake.trusted_keys.source IS 'table, or file: that of pg_intake.jwks_file. A key of the table goes before one of the file';

CREATE VIEW intake.principals AS
SELECT p.subject,
       p.role_name AS role,
       CASE WHEN EXISTS (
                SELECT FROM pg_catalog.pg_roles r
                 WHERE r.rolname = p.role_name
                   AND (r.oid = p.role_oid
                        OR p.cluster <> (SELECT s.system_identifier FROM pg_catalog.pg_control_system() s)))
            THEN 'ready' ELSE 'suspended' END AS state,
       p.mapped_at,
       p.mapped_by
  FROM intake.principal p;
REVOKE ALL ON intake.principals FROM PUBLIC;
GRANT SELECT ON intake.principals TO pg_monitor;
COMMENT ON VIEW intake.principals IS 'Roles of tokens'' subjects; for superusers and members of pg_monitor.';
COMMENT ON COLUMN intake.principals.state IS 'ready, or suspended: the role was dropped or renamed since';

--
-- Partner connections
--

-- One row a connection; only the extension's code writes it.
CREATE TABLE intake.connection (
    connection_id text COLLATE "C" PRIMARY KEY,
    title text NOT NULL,
    schema_name name NOT NULL,
    role_name name NOT NULL,
    role_oid oid NOT NULL,
    owner_name name NOT NULL,
    owner_oid oid NOT NULL,
    cluster bigint NOT NULL,
    service_account_id text COLLATE "C" NOT NULL UNIQUE,
    key_id text COLLATE "C" NOT NULL UNIQUE,
    public_key jsonb NOT NULL,
    oauth_hash bytea UNIQUE,
    client_id text COLLATE "C",
    last_client_id text COLLATE "C",
    created_at timestamptz NOT NULL
);
-- read without a snapshot that could fetch what is stored elsewhere
ALTER TABLE intake.connection ALTER COLUMN title SET STORAGE MAIN;
ALTER TABLE intake.connection ALTER COLUMN public_key SET STORAGE MAIN;
REVOKE ALL ON intake.connection FROM PUBLIC;
COMMENT ON TABLE intake.connection IS 'Partner connections; written by pg_intake only, read view intake.connections.';
COMMENT ON COLUMN intake.connection.cluster IS 'system identifier of the cluster in which role_oid and owner_oid are the roles'' OIDs; elsewhere their names alone count';
COMMENT ON COLUMN intake.connection.key_id IS 'name of the key that the partner signs JWTs by; a new one ends all tokens';
COMMENT ON COLUMN intake.connection.oauth_hash IS 'SHA-256 of the OAuth token; NULL: it has none';
COMMENT ON COLUMN intake.connection.last_client_id IS 'client_id, or the last one of a connection that was unlinked: linking again gives the same';

-- One row a token that was issued; only the extension's code writes it.
CREATE TABLE intake.connection_token (
    hash bytea PRIMARY KEY,
    connection_id text COLLATE "C" NOT NULL,
    key_id text COLLATE "C" NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX ON intake.connection_token (expires_at);
CREATE INDEX ON intake.connection_token (connection_id, expires_at);
REVOKE ALL ON intake.connection_token FROM PUBLIC;
COMMENT ON TABLE intake.connection_token IS 'SHA-256 of the tokens of partner connections; written by pg_intake only.';
COMMENT ON COLUMN intake.connection_token.key_id IS 'the connection''s key when it was issued; it is good as long as that is the connection''s';

-- One row a table that a partner has defined; only the extension's code
-- writes it.
CREATE TABLE intake.connection_table (
    connection_id text COLLATE "C" NOT NULL,
    table_name name NOT NULL,
    definition jsonb NOT NULL,
    uploaded_at timestamptz,
    PRIMARY KEY (connection_id, table_name)
);
REVOKE ALL ON intake.connection_table FROM PUBLIC;
COMMENT ON TABLE intake.connection_table IS 'Definitions of partners'' tables; written by pg_intake only.';
COMMENT ON COLUMN intake.connection_table.uploaded_at IS 'when data was written last; NULL: never';

SELECT pg_catalog.pg_extension_config_dump('intake.connection', '');
SELECT pg_catalog.pg_extension_config_dump('intake.connection_table', '');

CREATE FUNCTION intake.create_connection(
    title text,
    with_oauth bool DEFAULT false,
    schema name DEFAULT NULL,
    OUT connection_id text, OUT folder_id text, OUT service_account_id text,
    OUT svc_acct_key_id text, OUT svc_acct_private_key text, OUT oauth_token text
) RETURNS record
LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'intake_create_connection';
REVOKE ALL ON FUNCTION intake.create_connection(text, bool, name) FROM PUBLIC;
COMMENT ON FUNCTION intake.create_connection(text, bool, name) IS 'Makes a partner connection, with a role and a schema of its own, and returns what the partner needs. The private key and the OAuth token are not kept. Needs CREATE on the database.';

CREATE FUNCTION intake.rotate_key(
    INOUT connection_id text,
    OUT folder_id text, OUT service_account_id text,
    OUT svc_acct_key_id text, OUT svc_acct_private_key text, OUT oauth_token text
) RETURNS record
LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'intake_rotate_key';
REVOKE ALL ON FUNCTION intake.rotate_key(text) FROM PUBLIC;
COMMENT ON FUNCTION intake.rotate_key(text) IS 'Gives a connection a new key, and a new OAuth token if it has one, and ends all of its tokens; for its owner.';

CREATE FUNCTION intake.drop_connection(connection_id text, drop_tables bool DEFAULT false) RETURNS void
LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'intake_drop_connection';
REVOKE ALL ON FUNCTION intake.drop_connection(text, bool) FROM PUBLIC;
COMMENT ON FUNCTION intake.drop_connection(text, bool) IS 'Drops a connection with its key, tokens and role, and with drop_tables its schema and tables; else they become the owner''s. For its owner.';

CREATE FUNCTION intake.grant_read(connection_id text, role regrole) RETURNS void
LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'intake_grant_read';
REVOKE ALL ON FUNCTION intake.grant_read(text, regrole) FROM PUBLIC;
COMMENT ON FUNCTION intake.grant_read(text, regrole) IS 'Lets a role read the tables of a connection, those included that the partner will define; for its owner.';

-- OIDs mean something in the cluster that wrote them.
CREATE VIEW intake.connections WITH (security_barrier) AS
SELECT c.connection_id,
       c.title,
       CASE WHEN EXISTS (
                SELECT FROM pg_catalog.pg_roles r
                  JOIN pg_catalog.pg_namespace n ON n.nspowner = r.oid
                 WHERE n.nspname = c.schema_name AND r.rolname = c.role_name
                   AND (r.oid = c.role_oid OR NOT c.is_here))
            THEN 'ready' ELSE 'suspended' END AS state,
       c.schema_name AS schema,
       c.role_name AS role,
       c.owner_name AS owner,
       c.service_account_id,
       c.key_id AS svc_acct_key_id,
       c.oauth_hash IS NOT NULL AS with_oauth,
       c.client_id,
       (SELECT pg_catalog.count(*) FROM intake.connection_token k
         WHERE k.connection_id = c.connection_id AND k.key_id = c.key_id
           AND k.expires_at > pg_catalog.clock_timestamp()) AS tokens,
       t.tables,
       t.rows,
       t.last_upload,
       c.created_at
  FROM (SELECT x.*,
               x.cluster = (SELECT s.system_identifier FROM pg_catalog.pg_control_system() s) AS is_here
          FROM intake.connection x) c
 CROSS JOIN LATERAL (
       SELECT pg_catalog.count(*) AS tables,
              COALESCE(pg_catalog.sum(
                  CASE WHEN pg_catalog.pg_stat_get_live_tuples(l.oid) > 0
                       THEN pg_catalog.pg_stat_get_live_tuples(l.oid)
                       ELSE GREATEST(l.reltuples, 0)::bigint END), 0)::bigint AS rows,
              pg_catalog.max(d.uploaded_at) AS last_upload
         FROM intake.connection_table d
         LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = c.schema_name
         LEFT JOIN pg_catalog.pg_class l ON l.relnamespace = n.oid AND l.relname = d.table_name
        WHERE d.connection_id = c.connection_id) t
 WHERE pg_catalog.pg_has_role('pg_monitor', 'USAGE')
    OR EXISTS (
       SELECT FROM pg_catalog.pg_roles r
        WHERE r.rolname = c.owner_name AND (r.oid = c.owner_oid OR NOT c.is_here)
          AND pg_catalog.pg_has_role(r.oid, 'USAGE'));
GRANT SELECT ON intake.connections TO PUBLIC;
COMMENT ON VIEW intake.connections IS 'Partner connections: the caller''s own; all of them for members of pg_monitor.';
COMMENT ON COLUMN intake.connections.state IS 'ready, or suspended: its role or schema was dropped, renamed or given away';
COMMENT ON COLUMN intake.connections.schema IS 'where its tables are';
COMMENT ON COLUMN intake.connections.role IS 'owns them, and is the principal of the partner''s uploads';
COMMENT ON COLUMN intake.connections.client_id IS 'the client that is linked; NULL: none';
COMMENT ON COLUMN intake.connections.tokens IS 'tokens that are good now';
COMMENT ON COLUMN intake.connections.rows IS 'in all of its tables; an estimate';
COMMENT ON COLUMN intake.connections.last_upload IS 'when data was written last; NULL: never';

--
-- Counters of the gateway
--

CREATE FUNCTION intake.read_stat(
    OUT route text, OUT status int, OUT requests bigint, OUT seconds float8
) RETURNS SETOF record
LANGUAGE c VOLATILE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'intake_read_stat';
REVOKE ALL ON FUNCTION intake.read_stat() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION intake.read_stat() TO pg_monitor;
COMMENT ON FUNCTION intake.read_stat() IS 'Requests over HTTP by route and status; for view intake.stat.';

CREATE VIEW intake.stat AS
SELECT s.route, s.status, s.requests, s.seconds
  FROM intake.read_stat() s;
REVOKE ALL ON intake.stat FROM PUBLIC;
GRANT SELECT ON intake.stat TO pg_monitor;
COMMENT ON VIEW intake.stat IS 'Requests over HTTP by route and status, since the server''s start; for superusers and members of pg_monitor.';
COMMENT ON COLUMN intake.stat.route IS 'the gateway''s word for a group of paths; http: none was found, other: those beyond 127 rows';
COMMENT ON COLUMN intake.stat.status IS 'of the answer; 0: the client went away before there was one';
COMMENT ON COLUMN intake.stat.seconds IS 'from the requests'' heads to the ends of their answers, summed';

CREATE FUNCTION intake.read_stat_gateway(
    OUT bytes_in bigint, OUT bytes_out bigint, OUT rows bigint,
    OUT loaders int, OUT loaders_busy int, OUT queued int, OUT connections int,
    OUT rejected jsonb, OUT certificate_expires timestamptz
) RETURNS record
LANGUAGE c VOLATILE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'intake_read_stat_gateway';
REVOKE ALL ON FUNCTION intake.read_stat_gateway() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION intake.read_stat_gateway() TO pg_monitor;
COMMENT ON FUNCTION intake.read_stat_gateway() IS 'What the gateway has done and does; for view intake.stat_gateway.';

CREATE VIEW intake.stat_gateway AS
SELECT s.bytes_in, s.bytes_out, s.rows, s.loaders, s.loaders_busy, s.queued,
       s.connections, s.rejected, s.certificate_expires
  FROM intake.read_stat_gateway() s;
REVOKE ALL ON intake.stat_gateway FROM PUBLIC;
GRANT SELECT ON intake.stat_gateway TO pg_monitor;
COMMENT ON VIEW intake.stat_gateway IS 'One row: what the gateway has done since the server''s start, and what it does now; NULLs when pg_intake is not preloaded; for superusers and members of pg_monitor.';
COMMENT ON COLUMN intake.stat_gateway.bytes_in IS 'from clients, TLS taken off';
COMMENT ON COLUMN intake.stat_gateway.bytes_out IS 'to clients, before TLS';
COMMENT ON COLUMN intake.stat_gateway.rows IS 'records in uploads';
COMMENT ON COLUMN intake.stat_gateway.loaders IS 'loaders there are now';
COMMENT ON COLUMN intake.stat_gateway.loaders_busy IS 'those of them at work';
COMMENT ON COLUMN intake.stat_gateway.queued IS 'requests that wait for a loader now';
COMMENT ON COLUMN intake.stat_gateway.connections IS 'open connections now';
COMMENT ON COLUMN intake.stat_gateway.rejected IS 'what the HTTP program itself has refused, by reason';
COMMENT ON COLUMN intake.stat_gateway.certificate_expires IS 'when the TLS certificate ends; NULL: there is none';
