-- Functions of 070_writes_equal_plain_statements.pl: the same records into a
-- table by an upload and into its twin by plain statements.

CREATE ROLE loader;
GRANT USAGE ON SCHEMA intake TO loader;

-- The records of a step: their numbers, and each as an object.
-- The table is temporary; each session makes it.
SET check_function_bodies = off;
CREATE FUNCTION load_records(file text) RETURNS void LANGUAGE sql AS $$
    TRUNCATE rec;
    INSERT INTO rec
    SELECT n, line::jsonb
    FROM string_to_table(pg_read_file(file), E'\n') WITH ORDINALITY t(line, n)
    WHERE line <> '';
$$;

-- Counters, or the SQLSTATE and the record that CONTEXT names.
CREATE FUNCTION try_upload(target text, payload text, format text, mode text,
    sys_op int, options jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    u intake.upload_result;
    state text;
    message text;
    context text;
BEGIN
    IF mode = 'delete' THEN
        SELECT * INTO u FROM intake.delete_partitions(target::regclass,
            payload::jsonb, options => options);
    ELSE
        SELECT * INTO u FROM intake.upload(target::regclass, payload, format,
            NULL, mode, sys_op, options);
    END IF;
    SET CONSTRAINTS ALL IMMEDIATE;
    RETURN concat_ws(' ', 'received', u.rows_received, 'inserted',
        u.rows_inserted, 'updated', u.rows_updated, 'deleted', u.rows_deleted,
        'skipped', u.rows_skipped);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE,
        message = MESSAGE_TEXT, context = PG_EXCEPTION_CONTEXT;
    RETURN format('error %s record %s: %s', state,
        coalesce(substring(context FROM 'record (\d+)'), 'none'), message);
END $$;

-- INSERT of the columns that the record gives; how many rows.
CREATE FUNCTION plain_insert(target text, r jsonb) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
    names text;
    literals text;
    n int;
BEGIN
    SELECT string_agg(quote_ident(key), ', '),
        string_agg(quote_nullable(value), ', ')
    INTO names, literals FROM jsonb_each_text(r) WHERE key <> 'sys_op';
    EXECUTE CASE WHEN names IS NULL THEN
        format('INSERT INTO %s DEFAULT VALUES', target)
    ELSE
        format('INSERT INTO %s (%s) VALUES (%s)', target, names, literals)
    END;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END $$;

-- UPDATE of the whole row; what the record leaves out gets its default.
CREATE FUNCTION plain_update(target text, r jsonb, condition text)
RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    assignments text;
    n int;
BEGIN
    SELECT string_agg(format('%I = %s', attname,
        CASE WHEN r ? attname THEN quote_nullable(r->>attname)
            ELSE 'DEFAULT' END), ', ')
    INTO assignments FROM pg_attribute
    WHERE attrelid = target::regclass AND attnum > 0 AND NOT attisdropped AND
        attgenerated = '' AND attidentity <> 'a';
    EXECUTE format('UPDATE %s SET %s WHERE %s', target, assignments,
        condition);
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END $$;

-- DELETE of the rows whose key is any of those in the table "keys"; expr is
-- over the target's columns.
CREATE FUNCTION plain_delete(target text, key jsonb) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
    condition text;
    n int;
BEGIN
    SELECT string_agg(format('(%s) IS NOT DISTINCT FROM keys.key_%s',
        item->>'expr', i), ' AND ')
    INTO condition
    FROM jsonb_array_elements(key) WITH ORDINALITY k(item, i);
    EXECUTE format('DELETE FROM %s WHERE EXISTS (SELECT FROM keys WHERE %s)',
        target, condition);
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END $$;

CREATE FUNCTION plain_replace_keys(target text, key jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    exprs text;
BEGIN
    SELECT string_agg(format('(%s) AS key_%s', item->>'expr', i), ', ')
    INTO exprs FROM jsonb_array_elements(key) WITH ORDINALITY k(item, i);
    EXECUTE format('CREATE TEMP TABLE keys ON COMMIT DROP AS
        SELECT DISTINCT %s
        FROM rec, LATERAL jsonb_populate_record(NULL::%s, rec_r)',
        exprs, target);
END $$;

CREATE FUNCTION plain_delete_keys(key jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    exprs text;
BEGIN
    SELECT string_agg(format('(rec_r->>%L)::%s AS key_%s', item->>'name',
        item->>'type', i), ', ')
    INTO exprs FROM jsonb_array_elements(key) WITH ORDINALITY k(item, i);
    EXECUTE format('CREATE TEMP TABLE keys ON COMMIT DROP AS
        SELECT DISTINCT %s FROM rec', exprs);
END $$;

-- The last record of each key: deletes, then updates and inserts.
CREATE FUNCTION plain_merge(target text, key jsonb, request_op int,
    keeps bool, OUT inserted int, OUT updated int, OUT deleted int,
    OUT skipped int) LANGUAGE plpgsql AS $$
DECLARE
    names text;
    r jsonb;
    op int;
    condition text;
    is_there bool;
    n int;
BEGIN
    inserted := 0; updated := 0; deleted := 0; skipped := 0;
    SELECT string_agg(quote_ident(item->>'expr'), ', ') INTO names
    FROM jsonb_array_elements(key) item;
    EXECUTE format('CREATE TEMP TABLE last ON COMMIT DROP AS
        SELECT DISTINCT ON (%s) rec_r AS r,
            coalesce($1, (rec_r->>''sys_op'')::int, 0) AS op
        FROM rec, LATERAL jsonb_populate_record(NULL::%s, rec_r)
        ORDER BY %s, rec_n DESC', names, target, names) USING request_op;
    FOR r, op IN SELECT l.r, l.op FROM last l ORDER BY l.op DESC LOOP
        SELECT string_agg(format('%I = %L', item->>'expr',
            r->>(item->>'expr')), ' AND ')
        INTO condition FROM jsonb_array_elements(key) item;
        IF op = 1 THEN
            EXECUTE format('DELETE FROM %s WHERE %s', target, condition);
            GET DIAGNOSTICS n = ROW_COUNT;
            deleted := deleted + n;
            CONTINUE;
        END IF;
        EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE %s)', target,
            condition) INTO is_there;
        n := 0;
        IF is_there AND NOT keeps THEN
            n := plain_update(target, r, condition);
            updated := updated + n;
        ELSIF NOT is_there THEN
            n := plain_insert(target, r);
            inserted := inserted + n;
        END IF;
        skipped := skipped + 1 - n;
    END LOOP;
END $$;

CREATE FUNCTION try_plain(target text, mode text, key jsonb, sys_op int,
    options jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    received int;
    inserted int := 0;
    updated int := 0;
    deleted int := 0;
    skipped int := 0;
    is_emptied bool := coalesce((options->>'truncate')::bool, false);
    m record;
    r jsonb;
    state text;
    message text;
BEGIN
    SELECT count(*) INTO received FROM rec;
    IF is_emptied THEN
        EXECUTE format('DELETE FROM %s', target);
        GET DIAGNOSTICS deleted = ROW_COUNT;
    END IF;
    IF mode = 'replace' AND NOT is_emptied THEN
        PERFORM plain_replace_keys(target, key);
        deleted := plain_delete(target, key);
    ELSIF mode = 'delete' THEN
        PERFORM plain_delete_keys(key);
        deleted := plain_delete(target, key);
    END IF;
    IF mode = 'merge' THEN
        SELECT * INTO m FROM plain_merge(target, key, sys_op,
            options->>'existing' IS NOT DISTINCT FROM 'keep');
        inserted := m.inserted; updated := m.updated;
        deleted := deleted + m.deleted; skipped := m.skipped;
    ELSIF mode <> 'delete' THEN
        FOR r IN SELECT rec_r FROM rec ORDER BY rec_n LOOP
            inserted := inserted + plain_insert(target, r);
        END LOOP;
        skipped := received - inserted;
    END IF;
    SET CONSTRAINTS ALL IMMEDIATE;
    RETURN concat_ws(' ', 'received', received, 'inserted', inserted,
        'updated', updated, 'deleted', deleted, 'skipped', skipped);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
    RETURN format('error %s: %s', state, message);
END $$;

-- Where tables of the two sides differ; "@" stands for the side, and loose
-- columns are not compared.  NULL when they are equal.
CREATE FUNCTION differences(names text[], loose text[]) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    name text;
    query text;
    found text;
    result text;
BEGIN
    FOREACH name IN ARRAY names LOOP
        query := CASE WHEN name LIKE '%.fired'
            THEN 'SELECT DISTINCT to_jsonb(t)::text FROM %s t'
            ELSE 'SELECT (to_jsonb(t) - $1)::text FROM %s t' END;
        EXECUTE format('
            WITH up AS (%s), st AS (%s)
            SELECT string_agg(d, E''\n'') FROM (
                (SELECT ''upload '' || u FROM
                    (TABLE up EXCEPT ALL TABLE st) u(u) LIMIT 3)
                UNION ALL
                (SELECT ''plain  '' || s FROM
                    (TABLE st EXCEPT ALL TABLE up) s(s) LIMIT 3)) d(d)',
            format(query, replace(name, '@', 'up')),
            format(query, replace(name, '@', 'st')))
        INTO found USING loose;
        result := concat_ws(E'\n', result,
            replace(name, '@.', '') || E':\n' || found);
    END LOOP;
    RETURN result;
END $$;

-- "ok", or what is wrong.  bad is the record at fault in a step that is to
-- fail; 0: it need not be named.
CREATE FUNCTION report(label text, up text, st text, bad bigint,
    differing text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    is_error bool := up LIKE 'error%' AND st LIKE 'error%';
    is_right bool;
BEGIN
    IF bad IS NULL THEN
        is_right := up = st AND NOT is_error;
    ELSE
        is_right := is_error AND left(up, 11) = left(st, 11) AND
            substring(up FROM 'record (\w+)') =
                ANY (CASE WHEN bad = 0 THEN ARRAY['none']
                    ELSE ARRAY[bad::text] END);
    END IF;
    RETURN format('@%s@%s', label, CASE
        WHEN is_right AND coalesce(differing, '') = '' THEN 'ok'
        ELSE concat_ws(E'\n', 'upload: ' || up, 'plain:  ' || st,
            'at fault: ' || bad, nullif(differing, '')) END);
END $$;

-- Row triggers: logged on their side; they change rows and leave rows out.
CREATE FUNCTION log_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('INSERT INTO %I.log VALUES ($1, $2, $3, $4, $5)',
        TG_ARGV[0])
    USING TG_NAME, TG_OP, TG_TABLE_NAME,
        CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END,
        CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
    IF TG_WHEN = 'AFTER' THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN CASE WHEN OLD.v IS DISTINCT FROM 'stay' THEN OLD END;
    END IF;
    IF NEW.v = 'skip' THEN
        RETURN NULL;
    END IF;
    IF NEW.n % 5 = 0 THEN
        NEW.v := NEW.v || CASE TG_OP WHEN 'INSERT' THEN '+' ELSE '~' END;
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION log_statement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('INSERT INTO %I.fired VALUES ($1, $2)', TG_ARGV[0])
    USING TG_WHEN, TG_OP;
    RETURN NULL;
END $$;

-- Each row of a transition table is logged.
CREATE FUNCTION log_new_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('INSERT INTO %I.log SELECT ''NEW'', $1, $2, NULL,
        to_jsonb(r) FROM new_rows r', TG_ARGV[0]) USING TG_OP, TG_TABLE_NAME;
    RETURN NULL;
END $$;

CREATE FUNCTION log_old_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('INSERT INTO %I.log SELECT ''OLD'', $1, $2, to_jsonb(r),
        NULL FROM old_rows r', TG_ARGV[0]) USING TG_OP, TG_TABLE_NAME;
    RETURN NULL;
END $$;

-- INSTEAD OF triggers of a view over a table named base.
CREATE FUNCTION write_base() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('INSERT INTO %I.log VALUES ($1, $2, $3, $4, $5)',
        TG_ARGV[0])
    USING TG_NAME, TG_OP, TG_TABLE_NAME,
        CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END,
        CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
    IF TG_OP = 'DELETE' THEN
        IF OLD.v = 'stay' THEN
            RETURN NULL;
        END IF;
        EXECUTE format('DELETE FROM %I.base WHERE id = $1', TG_ARGV[0])
        USING OLD.id;
        RETURN OLD;
    END IF;
    IF NEW.v = 'skip' THEN
        RETURN NULL;
    END IF;
    EXECUTE format('INSERT INTO %I.base SELECT ($1).*', TG_ARGV[0])
    USING NEW;
    RETURN NEW;
END $$;
