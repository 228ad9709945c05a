/** Which table the lines of an object belong to, and how its columns correspond to the lines' fields. */
import type { ArchiveRecord, QuarantineRecord } from "../core/archive-record";
import type { LabelRecord } from "../core/label-record";

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
  /** Field of the line → column of the table. */
  readonly columns: readonly (readonly [field: string, column: string])[];
}

/** Every field of the record must be named: the compiler tells when one is missing. */
const archiveColumns: Readonly<Record<keyof ArchiveRecord, string>> = {
  event_id: "event_id",
  profile: "profile",
  source: "source",
  source_position: "source_position",
  user_id: "user_id",
  occurred_at: '"timestamp"',
  scored_at: "scored_at",
  score: "score",
  score_scale: "score_scale",
  band: "band",
  model_version: "model_version",
  policy_version: "policy_version",
  model_role: "model_role",
  model_fallback: "model_fallback",
  challengers: "challengers",
  flags: "flags",
  reasons: "reasons",
  geo_flag: "geo_flag",
  velocity_flag: "velocity_flag",
  amount_flag: "amount_flag",
  hour_flag: "hour_flag",
  amount: "amount",
  currency: "currency",
  category: "category",
  country: "country",
  latitude: "latitude",
  longitude: "longitude",
  distance_km: "distance_km",
  speed_kmh: "speed_kmh",
  features: "features",
  input: "input",
  input_hash: "input_hash",
};

const quarantineColumns: Readonly<Record<keyof QuarantineRecord, string>> = {
  source_position: "source_position",
  source: "source",
  profile: "profile",
  arrived_at: "arrived_at",
  reason: "reason",
  detail: "detail",
  event_id: "event_id",
  payload: "payload",
};

const labelColumns: Readonly<Record<keyof LabelRecord, string>> = {
  event_id: "event_id",
  label: "label",
  labelled_at: "labelled_at",
  source: "source",
  received_at: "received_at",
};

export const TARGETS: readonly LoadTarget[] = [
  {
    table: "risk_events",
    prefix: "archive/",
    key: ["event_id"],
    version: "scored_at",
    tieBreak: "source_position",
    newest: "occurred_at",
    columns: Object.entries(archiveColumns),
  },
  {
    table: "quarantined_events",
    prefix: "quarantine/",
    key: ["source_position"],
    version: "arrived_at",
    tieBreak: "source_position",
    newest: "arrived_at",
    columns: Object.entries(quarantineColumns),
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
    columns: Object.entries(labelColumns),
  },
];

export function targetOf(key: string): LoadTarget | undefined {
  return TARGETS.find((target) => key.startsWith(target.prefix));
}
