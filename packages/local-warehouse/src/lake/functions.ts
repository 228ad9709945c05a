/**
 * Trino's functions that the lake computes as Trino does: those of the same name in PostgreSQL, those of ./helpers.ts, and those that are
 * written otherwise here. Any other one is refused by name.
 */
import { DialectError } from "../dialect/lexer";

type Call = (args: readonly string[], name: string) => string;

const exactly =
  (count: number, write: (args: readonly string[]) => string): Call =>
  (args, name) => {
    if (args.length !== count)
      throw new DialectError(
        `${name} takes ${count} argument(s) in the local Athena, got ${args.length}. Write it with ${count}.`,
      );
    return write(args);
  };

const CALLS: Readonly<Record<string, Call>> = {
  avg: exactly(1, ([value]) => `avg((${value})::double precision)`),
  approx_distinct: exactly(1, ([value]) => `count(DISTINCT ${value})`),
  approx_percentile: exactly(2, ([value, share]) => `percentile_disc(${share}) WITHIN GROUP (ORDER BY ${value})`),
  cardinality: exactly(1, ([array]) => `cardinality(${array})::bigint`),
  // PostgreSQL's concat takes null for empty text.
  concat: (args) => `(${args.map((text) => `(${text})`).join(" || ")})`,
  contains: exactly(2, ([array, element]) => `((${element}) = ANY (${array}))`),
  count_if: exactly(1, ([condition]) => `count(*) FILTER (WHERE ${condition})`),
  date: exactly(1, ([value]) => `to_date(${value})`),
  element_at: exactly(2, ([array, index]) => `(${array})[${index}]`),
  array_join: exactly(2, ([array, separator]) => `array_to_string(${array}, ${separator})`),
  json_array_length: exactly(1, ([value]) => `jsonb_array_length((${value})::jsonb)::bigint`),
  substr: (args) => `substr(${args.join(", ")})`,
};

/** The same here and there. */
const SAME = new Set(
  (
    "abs array_agg bool_and bool_or ceil ceiling coalesce corr count current_date current_timestamp date_add date_diff date_format date_trunc " +
    "dense_rank exp extract first_value floor from_iso8601_timestamp from_unixtime json_extract_scalar lag last_value lead length ln lower ltrim " +
    "max min mod now ntile nullif percent_rank power rank replace round row_number rtrim split_part sqrt stddev stddev_pop stddev_samp strpos " +
    "substring sum to_unixtime trim unnest upper var_pop var_samp variance"
  ).split(" "),
);

/** What a call is written as; undefined where it stays. @throws DialectError for a function that isn't known */
export function rewriteCall(name: string, args: readonly string[]): string | undefined {
  const call = Object.hasOwn(CALLS, name) ? CALLS[name] : undefined;
  if (call !== undefined) return call(args, name);
  if (SAME.has(name)) return undefined;
  const known = [...SAME, ...Object.keys(CALLS)].sort().join(", ");
  throw new DialectError(`The function ${name} is not supported by the local Athena. Supported: ${known}.`);
}
