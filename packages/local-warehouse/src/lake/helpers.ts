/**
 * Functions and operators of Trino that PostgreSQL lacks or computes otherwise, in the schema `trino`, which comes first on the path of a
 * lake session. Sources: https://trino.io/docs/current/functions.html. They are immutable, because a session has one time zone: only
 * constants that are known when a query is planned keep partitions from being read.
 */
export const TRINO_HELPERS = `
CREATE SCHEMA IF NOT EXISTS trino;
GRANT USAGE ON SCHEMA trino TO PUBLIC;

CREATE OR REPLACE FUNCTION trino.round(value double precision, digits int) RETURNS double precision LANGUAGE sql IMMUTABLE AS
  $$ SELECT pg_catalog.round(value::numeric, digits)::double precision $$;
-- Trino rounds halves away from zero, PostgreSQL to even.
CREATE OR REPLACE FUNCTION trino.round(value double precision) RETURNS double precision LANGUAGE sql IMMUTABLE AS
  $$ SELECT pg_catalog.round(value::numeric)::double precision $$;

CREATE OR REPLACE FUNCTION trino.from_iso8601_timestamp(value text) RETURNS timestamptz LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN RETURN value::timestamptz; END $$;
CREATE OR REPLACE FUNCTION trino.to_date(value text) RETURNS date LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN value::date; END $$;
CREATE OR REPLACE FUNCTION trino.to_date(value timestamptz) RETURNS date LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN RETURN (value AT TIME ZONE 'UTC')::date; END $$;
CREATE OR REPLACE FUNCTION trino.to_date(value date) RETURNS date LANGUAGE sql IMMUTABLE AS $$ SELECT value $$;

-- Whole units that have passed, towards zero.
CREATE OR REPLACE FUNCTION trino.date_diff(unit text, earlier timestamptz, later timestamptz) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE seconds double precision := extract(epoch FROM later - earlier);
BEGIN
  CASE lower(unit)
    WHEN 'millisecond' THEN RETURN trunc(seconds * 1000);
    WHEN 'second' THEN RETURN trunc(seconds);
    WHEN 'minute' THEN RETURN trunc(seconds / 60);
    WHEN 'hour' THEN RETURN trunc(seconds / 3600);
    WHEN 'day' THEN RETURN trunc(seconds / 86400);
    WHEN 'week' THEN RETURN trunc(seconds / 604800);
    ELSE RAISE EXCEPTION 'date_diff by % is not supported by the local Athena: use millisecond to week', unit;
  END CASE;
END $$;

CREATE OR REPLACE FUNCTION trino.date_add(unit text, amount bigint, moment timestamptz) RETURNS timestamptz LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN RETURN moment + (amount::text || ' ' || unit)::interval; END $$;
CREATE OR REPLACE FUNCTION trino.date_add(unit text, amount bigint, moment date) RETURNS date LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN RETURN (moment + (amount::text || ' ' || unit)::interval)::date; END $$;

-- A date and whole days make a date, where PostgreSQL makes a time.
CREATE OR REPLACE FUNCTION trino.date_plus(moment date, span interval) RETURNS date LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN RETURN (moment::timestamp + span)::date; END $$;
CREATE OR REPLACE FUNCTION trino.date_minus(moment date, span interval) RETURNS date LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN RETURN (moment::timestamp - span)::date; END $$;
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_operator WHERE oprnamespace = 'trino'::regnamespace) THEN
    CREATE OPERATOR trino.+ (LEFTARG = date, RIGHTARG = interval, FUNCTION = trino.date_plus);
    CREATE OPERATOR trino.- (LEFTARG = date, RIGHTARG = interval, FUNCTION = trino.date_minus);
  END IF;
END $$;

-- The format is MySQL's.
CREATE OR REPLACE FUNCTION trino.date_format(moment timestamp, format text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE pattern text := format;
BEGIN
  IF format ~ '%[^YmdHisf]' THEN
    RAISE EXCEPTION 'date_format knows only %%Y, %%m, %%d, %%H, %%i, %%s and %%f in the local Athena, got %', format;
  END IF;
  pattern := replace(replace(replace(replace(replace(replace(replace(pattern, '%Y', 'YYYY'), '%m', 'MM'), '%d', 'DD'), '%H', 'HH24'), '%i', 'MI'), '%s', 'SS'), '%f', 'US');
  RETURN to_char(moment, pattern);
END $$;
CREATE OR REPLACE FUNCTION trino.date_format(moment timestamptz, format text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN RETURN trino.date_format(moment AT TIME ZONE 'UTC', format); END $$;
CREATE OR REPLACE FUNCTION trino.date_format(moment date, format text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN RETURN trino.date_format(moment::timestamp, format); END $$;

-- Members by name and elements by index; null for objects and arrays, as Trino has it.
CREATE OR REPLACE FUNCTION trino.json_extract_scalar(document text, path text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE found jsonb;
BEGIN
  IF path !~ '^[$]([.][A-Za-z_][A-Za-z0-9_]*|\\[[0-9]+\\])*$' THEN
    RAISE EXCEPTION 'json_extract_scalar reads paths like $.name[0] in the local Athena, got %', path;
  END IF;
  found := jsonb_path_query_first(document::jsonb, path::jsonpath);
  RETURN CASE WHEN jsonb_typeof(found) IN ('object', 'array', 'null') THEN NULL ELSE found #>> '{}' END;
END $$;

CREATE OR REPLACE FUNCTION trino.to_unixtime(moment timestamptz) RETURNS double precision LANGUAGE sql IMMUTABLE AS
  $$ SELECT extract(epoch FROM moment)::double precision $$;
CREATE OR REPLACE FUNCTION trino.from_unixtime(seconds double precision) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS
  $$ SELECT to_timestamp(seconds) $$;

-- A sum of whole numbers is one, where PostgreSQL makes a decimal.
DO $$ BEGIN
  IF to_regprocedure('trino.sum(bigint)') IS NULL THEN
    CREATE AGGREGATE trino.sum (bigint) (SFUNC = int8pl, STYPE = bigint, COMBINEFUNC = int8pl, PARALLEL = SAFE);
  END IF;
END $$;
`;
