/**
 * One line of an archive object (gzip NDJSON) and, field by field, one row of `risk.risk_events`.
 * Written by the stream processor and by the archiver of REST scores; read by the warehouse loader (COPY … JSON 'auto').
 * Adding a field is a migration in `sql/`; the names are the column names.
 *
 * Personal fields are tokenised (`tok_…`) or coarsened before they get here: see `x-classification` in the schemas.
 */
export interface ArchiveRecord {
  /** `transaction_id` of a transaction, id of a REST score. Unique across the warehouse. */
  readonly event_id: string;
  /** `fraud`, `lead`, `churn`, … */
  readonly profile: string;
  /** `kinesis` or `rest`. */
  readonly source: string;
  /** Where it came from: `shardId-000000000000:4959…` or the API request id. */
  readonly source_position: string;
  /** Token of the user, card or account; null where the profile has none. */
  readonly user_id: string | null;
  /** ISO 8601 UTC with milliseconds: when it happened. */
  readonly occurred_at: string;
  /** ISO 8601 UTC with milliseconds: when it was first scored. */
  readonly scored_at: string;
  readonly score: number;
  /** Upper end of the profile's scale: 1 or 100. */
  readonly score_scale: number;
  readonly band: string;
  readonly model_version: string;
  readonly policy_version: string;
  /** `champion`, `challenger` or `fallback`; absent when the champion answered at once, and in objects from before models had roles. */
  readonly model_role?: string;
  /** Models that should have answered and why they could not: `churn-endpoint: timeout; churn-trees-2: artifact`. */
  readonly model_fallback?: string;
  /** The decision with each model that ran in shadow. */
  readonly challengers?: readonly { readonly model: string; readonly score: number; readonly band: string }[];
  readonly flags: readonly string[];
  readonly reasons: readonly { readonly code: string; readonly text: string; readonly contribution: number }[];
  /** Impossible travel or a location mismatch. */
  readonly geo_flag: boolean;
  readonly velocity_flag: boolean;
  readonly amount_flag: boolean;
  readonly hour_flag: boolean;
  readonly amount: number | null;
  readonly currency: string | null;
  readonly category: string | null;
  readonly country: string | null;
  /** Degrees, rounded to 0.1° (about 11 km): enough for geography, too coarse for an address. */
  readonly latitude: number | null;
  readonly longitude: number | null;
  readonly distance_km: number | null;
  readonly speed_kmh: number | null;
  /** Named feature values that the score was computed from. */
  readonly features: Readonly<Record<string, number | null>>;
  /** The input with personal fields tokenised. */
  readonly input: Readonly<Record<string, unknown>>;
  /** SHA-256 (hex) of the canonical input: tells a duplicate from a conflict. */
  readonly input_hash: string;
}

/** One line of a quarantine object and one row of `risk.quarantined_events`. */
export interface QuarantineRecord {
  /** Unique: `shardId-…:sequence` or `rest:requestId`. */
  readonly source_position: string;
  readonly source: string;
  readonly profile: string;
  /** ISO 8601 UTC: arrival, from the source. */
  readonly arrived_at: string;
  /** `not_base64`, `not_json`, `not_an_object`, `invalid`, `duplicate_conflict`, `timestamp_out_of_range`, `scoring_error`, … */
  readonly reason: string;
  /** Every problem, in sentences. */
  readonly detail: string;
  /** Event id when one could be read. */
  readonly event_id: string | null;
  /** What arrived: parsed and tokenised when it was an object, else the raw bytes in base64 (of at most 65,535 characters). */
  readonly payload: unknown;
}
