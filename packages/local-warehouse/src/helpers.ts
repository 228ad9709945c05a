/**
 * Redshift functions that PostgreSQL lacks, as PostgreSQL functions in the schema `redshift`, which is on every session's search
 * path: they serve translated SQL and people in psql alike. Sources: https://docs.aws.amazon.com/redshift/latest/dg/c_SQL_functions.html
 */
export const HELPERS = `
CREATE SCHEMA IF NOT EXISTS redshift;
GRANT USAGE ON SCHEMA redshift TO PUBLIC;

CREATE OR REPLACE FUNCTION redshift.getdate() RETURNS timestamp LANGUAGE sql STABLE AS
  $$ SELECT date_trunc('second', statement_timestamp() AT TIME ZONE 'UTC') $$;

-- DATEDIFF counts the boundaries crossed between two times, not the time that passed.
CREATE OR REPLACE FUNCTION redshift.datediff(part text, earlier timestamp, later timestamp) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE unit text := lower(part);
BEGIN
  RETURN CASE
    WHEN unit IN ('year', 'years', 'y', 'yr', 'yrs') THEN extract(year FROM later) - extract(year FROM earlier)
    WHEN unit IN ('quarter', 'quarters', 'qtr', 'qtrs') THEN (extract(year FROM later) - extract(year FROM earlier)) * 4 + extract(quarter FROM later) - extract(quarter FROM earlier)
    WHEN unit IN ('month', 'months', 'mon', 'mons') THEN (extract(year FROM later) - extract(year FROM earlier)) * 12 + extract(month FROM later) - extract(month FROM earlier)
    -- Redshift's weeks begin on Sunday here; 1970-01-04 was one.
    WHEN unit IN ('week', 'weeks', 'w') THEN floor((later::date - date '1970-01-04') / 7.0) - floor((earlier::date - date '1970-01-04') / 7.0)
    WHEN unit IN ('day', 'days', 'd') THEN later::date - earlier::date
    WHEN unit IN ('hour', 'hours', 'h', 'hr', 'hrs') THEN extract(epoch FROM date_trunc('hour', later) - date_trunc('hour', earlier)) / 3600
    WHEN unit IN ('minute', 'minutes', 'm', 'min', 'mins') THEN extract(epoch FROM date_trunc('minute', later) - date_trunc('minute', earlier)) / 60
    WHEN unit IN ('second', 'seconds', 's', 'sec', 'secs') THEN extract(epoch FROM date_trunc('second', later) - date_trunc('second', earlier))
    WHEN unit IN ('millisecond', 'milliseconds', 'ms', 'msec', 'msecs') THEN extract(epoch FROM date_trunc('milliseconds', later) - date_trunc('milliseconds', earlier)) * 1000
    WHEN unit IN ('microsecond', 'microseconds', 'us', 'usec', 'usecs') THEN extract(epoch FROM later - earlier) * 1000000
    ELSE NULL
  END::bigint;
END $$;

CREATE OR REPLACE FUNCTION redshift.dateadd(part text, amount bigint, moment timestamp) RETURNS timestamp LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  unit text := CASE lower(part) WHEN 'd' THEN 'day' WHEN 'h' THEN 'hour' WHEN 'm' THEN 'minute' WHEN 's' THEN 'second' WHEN 'w' THEN 'week' WHEN 'y' THEN 'year' ELSE lower(part) END;
  months int := CASE WHEN unit LIKE 'mon%' THEN 1 WHEN unit LIKE 'q%t%r%' THEN 3 WHEN unit LIKE 'y%r%' THEN 12 END;
BEGIN
  IF months IS NOT NULL THEN RETURN redshift.add_months(moment, amount * months); END IF;
  RETURN moment + (amount::text || ' ' || unit)::interval;
END $$;

CREATE OR REPLACE FUNCTION redshift.last_day(moment timestamp) RETURNS date LANGUAGE sql IMMUTABLE AS
  $$ SELECT (date_trunc('month', moment) + interval '1 month' - interval '1 day')::date $$;
-- The last day of a month stays the last day.
CREATE OR REPLACE FUNCTION redshift.add_months(moment timestamp, months bigint) RETURNS timestamp LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN moment::date = redshift.last_day(moment)
    THEN redshift.last_day(date_trunc('month', moment) + make_interval(months => months::int)) + moment::time
    ELSE moment + make_interval(months => months::int) END $$;
CREATE OR REPLACE FUNCTION redshift.round(value double precision, digits int) RETURNS double precision LANGUAGE sql IMMUTABLE AS
  $$ SELECT pg_catalog.round(value::numeric, digits)::double precision $$;
CREATE OR REPLACE FUNCTION redshift.nvl(VARIADIC anycompatiblearray) RETURNS anycompatible LANGUAGE sql IMMUTABLE AS
  $$ SELECT candidate FROM unnest($1) WITH ORDINALITY AS list (candidate, place) WHERE candidate IS NOT NULL ORDER BY place LIMIT 1 $$;
-- An array in FROM gives its elements; anything else gives none.
CREATE OR REPLACE FUNCTION redshift.super_elements(value jsonb) RETURNS SETOF jsonb LANGUAGE sql IMMUTABLE AS
  $$ SELECT jsonb_array_elements(CASE WHEN jsonb_typeof(value) = 'array' THEN value ELSE '[]'::jsonb END) $$;
-- A SUPER scalar as text, for a cast to anything else.
CREATE OR REPLACE FUNCTION redshift.super_text(value jsonb) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT value #>> '{}' $$;
`;
