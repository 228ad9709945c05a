/** The file of entities: a column `user_id` with tokens as the archive has them, a column `as_of` if each row has its own moment, and any others. */
import { parseTimestamp } from "../../functions/scoring/core/timestamp";
import { type Format, readRows } from "../ingest/rows";
import { UsageError } from "../options";
import type { Moment } from "./point-in-time";

export interface EntityRow {
  readonly cells: Readonly<Record<string, unknown>>;
  readonly moment: Moment;
}

export interface MomentOptions {
  /** For rows without `as_of`. */
  readonly asOf: string | undefined;
  /** Default: the moment itself. */
  readonly knownBy: string | undefined;
}

/** @throws UsageError naming the first line that has no entity or no moment */
export async function readEntities(file: string, format: Format, options: MomentOptions): Promise<EntityRow[]> {
  const asOfMs = timeOption("--as-of", options.asOf);
  const knownByMs = timeOption("--known-by", options.knownBy);
  const rows: EntityRow[] = [];
  for await (const row of readRows(file, format)) {
    const at = `${file}, line ${row.line}`;
    if (row.kind === "unreadable") throw new UsageError(`${at}: ${row.reason}`);
    const { user_id: entity, as_of: own } = row.cells;
    if (typeof entity !== "string" || entity === "") throw new UsageError(`${at}: expected a user_id, a token of the archive.`);
    const moment = own === undefined || own === "" ? asOfMs : timeOf(own);
    if (moment === undefined || Number.isNaN(moment))
      throw new UsageError(`${at}: expected as_of as an ISO 8601 time with a date, or --as-of for all rows.`);
    rows.push({ cells: row.cells, moment: { entity, asOfMs: moment, knownByMs: knownByMs ?? moment } });
  }
  if (rows.length === 0) throw new UsageError(`${file}: expected at least one row with a user_id, got none.`);
  return rows;
}

/** Of the times that events may have, only those with a date: a bare number would be seconds. */
const timeOf = (value: unknown): number =>
  typeof value === "string" && value.includes("-") ? parseTimestamp(value) : Number.NaN;

function timeOption(name: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const time = timeOf(value);
  if (Number.isNaN(time))
    throw new UsageError(`${name}: expected an ISO 8601 time such as 2026-11-21T09:00:00Z, got "${value}".`);
  return time;
}
