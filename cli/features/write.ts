/** Rows of an export: the columns of the file of entities, then the event, then the features in the order of the registry. */
import type { Format } from "../ingest/rows";
import type { EntityRow } from "./entities";
import type { KnownEvent } from "./point-in-time";

const EVENT = ["event_id", "occurred_at", "scored_at"] as const;

/** Every row of the input is there; what was not known is null, or empty in CSV. */
export function exportText(
  rows: readonly EntityRow[],
  found: readonly (KnownEvent | undefined)[],
  features: readonly string[],
  format: Format,
): string {
  const given = [...new Set(rows.flatMap(({ cells }) => Object.keys(cells)))];
  const objects = rows.map(({ cells }, index) => ({
    ...Object.fromEntries(given.map((name) => [name, cells[name] ?? null])),
    ...eventColumns(found[index]),
    ...Object.fromEntries(features.map((name) => [name, found[index]?.features[name] ?? null])),
  }));
  if (format === "ndjson") return objects.map((object) => `${JSON.stringify(object)}\n`).join("");
  const columns = [...new Set([...given, ...EVENT, ...features])];
  const line = (values: readonly unknown[]) => `${values.map(csvField).join(",")}\n`;
  return [
    line(columns),
    ...objects.map((object: Readonly<Record<string, unknown>>) => line(columns.map((name) => object[name]))),
  ].join("");
}

function eventColumns(event: KnownEvent | undefined): Record<(typeof EVENT)[number], string | null> {
  if (event === undefined) return { event_id: null, occurred_at: null, scored_at: null };
  const { eventId, occurredAtMs, scoredAtMs } = event;
  return { event_id: eventId, occurred_at: new Date(occurredAtMs).toISOString(), scored_at: new Date(scoredAtMs).toISOString() };
}

/** RFC 4180. */
function csvField(value: unknown): string {
  const text = value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
