-- What logical types mean, for the views of generate.py.

CREATE FUNCTION decimal_of(raw bytea, scale int) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    number numeric := 0;
BEGIN
    FOR i IN 0 .. length(raw) - 1 LOOP
        number := number * 256 + get_byte(raw, i);
    END LOOP;
    IF length(raw) > 0 AND get_byte(raw, 0) >= 128 THEN
        number := number - 256::numeric ^ length(raw);
    END IF;
    RETURN number * ('1e-' || scale)::numeric;
END
$$;

CREATE FUNCTION little_endian(raw bytea, start int) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
    SELECT get_byte(raw, start) + (get_byte(raw, start + 1) << 8)
        + (get_byte(raw, start + 2) << 16)
        + (get_byte(raw, start + 3)::bigint << 24)
$$;

CREATE FUNCTION duration_of(raw bytea) RETURNS interval
LANGUAGE sql IMMUTABLE AS $$
    SELECT make_interval(
        months => little_endian(raw, 0)::int,
        days => little_endian(raw, 4)::int,
        secs => little_endian(raw, 8) / 1000.0)
$$;

-- A timestamp in units of which a day has per_day.  Days are split off since
-- an interval is multiplied in floating point.
CREATE FUNCTION instant_of(units bigint, per_day bigint) RETURNS timestamp
LANGUAGE sql IMMUTABLE AS $$
    SELECT date '1970-01-01' + floor(units::numeric / per_day)::int
        + mod(mod(units, per_day) + per_day, per_day)
        * (86400000000 / per_day) * interval '1 microsecond'
$$;
