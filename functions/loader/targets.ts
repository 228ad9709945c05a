/** Which table the lines of an object belong to, and how its columns correspond to the lines' fields. */
import { ARCHIVE_COLUMNS, QUARANTINE_COLUMNS } from "../scoring/core/archive-record";
import { LABEL_COLUMNS } from "../scoring/core/label-record";
import type { LineColumns } from "../scoring/core/line-columns";

export interface LoadTarget {
  /** Table in the schema `risk`; its staging table is `<table>_staging`. */
  readonly table: "risk_events" | "quarantined_events" | "risk_labels";
  /** Objects under this prefix are loaded into it. */
  readonly prefix: string;
  /** Columns that together tell one row from another; the first one distributes the table. */
  readonly key: readonly [string, ...string[]];
  /** Column that says which of two rows with one key is newer; at equality the row that is there stays. */
  readonly version: string;
  /** Order that decides between lines of one key and version, so that a load comes out the same each time. */
  readonly tieBreak: string;
  /** Column that is all that a row says besides its key: a newer line that says the same is a duplicate. */
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
    // Of two verdicts of one source and time the one that arrived later counts.
    version: "received_at",
    tieBreak: "label DESC",
    content: "label",
    // When it arrived: verdicts are months old, and freshness is about the way from there to here.
    newest: "received_at",
    columns: LABEL_COLUMNS,
  },
];

export function targetOf(key: string): LoadTarget | undefined {
  return TARGETS.find((target) => key.startsWith(target.prefix));
}
