/** Which table an object's lines belong to, and which column each field of a line fills. */
import { ARCHIVE_COLUMNS, QUARANTINE_COLUMNS } from "../scoring/core/archive-record";
import { GENERATION_COLUMNS } from "../scoring/core/generation-record";
import { LABEL_COLUMNS } from "../scoring/core/label-record";
import type { LineColumns } from "../scoring/core/line-columns";

export interface LoadTarget {
  /** Table in the schema `risk`; its staging table is `<table>_staging`. */
  readonly table: "risk_events" | "quarantined_events" | "risk_labels" | "decision_generations";
  /** Objects under this prefix are loaded into it. */
  readonly prefix: string;
  /** Columns that identify a row; the first one distributes the table. */
  readonly key: readonly [string, ...string[]];
  /** Column that says which of two rows with one key is newer; if they are equal, the existing row stays. */
  readonly version: string;
  /** Order that decides between lines with the same key and version, so that a load always gives the same result. */
  readonly tieBreak: string;
  /** The only column with content besides the key: a newer line with the same value is a duplicate. */
  readonly content?: string;
  /** Time of the newest line, for the freshness metric. */
  readonly newest: string;
  /** By the line's field. */
  readonly columns: LineColumns;
}

export const TARGETS: readonly LoadTarget[] = [
  {
    table: "risk_events",
    prefix: "archive/",
    key: ["event_id"],
    version: "scored_at",
    tieBreak: "source_position",
    newest: "occurred_at",
    columns: ARCHIVE_COLUMNS,
  },
  {
    table: "quarantined_events",
    prefix: "quarantine/",
    key: ["source_position"],
    version: "arrived_at",
    tieBreak: "source_position",
    newest: "arrived_at",
    columns: QUARANTINE_COLUMNS,
  },
  {
    table: "risk_labels",
    prefix: "labels/",
    key: ["event_id", "source", "labelled_at"],
    // Of two verdicts with the same source and time, the later arrival counts.
    version: "received_at",
    tieBreak: "label DESC",
    content: "label",
    // The time of arrival: verdicts are months old, and freshness measures the way from arrival to the warehouse.
    newest: "received_at",
    columns: LABEL_COLUMNS,
  },
  {
    table: "decision_generations",
    prefix: "generations/",
    key: ["event_id", "decision_generation"],
    version: "scored_at",
    tieBreak: "model_version",
    newest: "scored_at",
    columns: GENERATION_COLUMNS,
  },
];

export function targetOf(key: string): LoadTarget | undefined {
  return TARGETS.find((target) => key.startsWith(target.prefix));
}
