import { classified, decimal, digest, flag, integer, json, type Line, named, orNull, rare, text, time } from "./line-columns";

/**
 * One line of an archive object and, field by field, one row of `risk.risk_events`. The stream processor and the REST scoring function
 * write it, the warehouse loader reads it (COPY … JSON 'auto'). A new field needs a declaration here and a migration in `sql/`.
 *
 * Personal fields are tokenised (`tok_…`) or coarsened before they get here: see `x-classification` in the schemas.
 */
export const ARCHIVE_COLUMNS = {
  event_id: text(512, "`transaction_id` of a transaction, id of a REST score. Unique across the warehouse."),
  profile: text(64, "`fraud`, `lead`, `churn` or `device`."),
  source: text(64, "The trigger: `kinesis`, `eventbridge`, `firehose`, `rest` or `s3`."),
  source_position: text(
    512,
    "Where it came from: `shardId-000000000000:4959…`, `eventbridge:` and the envelope's id, `events:` and request and number, `firehose:<delivery stream>:<record>`, object and row of a file, or the id of the API request.",
  ),
  user_id: classified("personal", orNull(text(512, "Token of the user, card or account; null where the profile has none."))),
  occurred_at: named('"timestamp"', time("When it happened.")),
  scored_at: time("When it was first scored."),
  score: decimal("In the profile's scale."),
  score_scale: decimal("Upper end of the profile's scale: 1 or 100."),
  band: text(64, "Name of the policy's band that the score falls in."),
  model_version: text(256, "The model that answered."),
  policy_version: text(256, "The policy that decided."),
  model_role: rare(text(64, "`challenger` or `fallback`; absent when the champion answered at once.")),
  model_fallback: rare(
    text(4096, "Models that should have answered and why they could not: `churn-endpoint: timeout; churn-trees-2: artifact`."),
  ),
  challengers: rare(
    json<readonly { readonly model: string; readonly score: number; readonly band: string }[]>(
      "The decision with each model that ran in shadow.",
      "array<struct<model:string,score:double,band:string>>",
    ),
  ),
  flags: json<readonly string[]>("Ids of the rules that fired.", "array<string>"),
  reasons: json<readonly { readonly code: string; readonly text: string; readonly contribution: number }[]>(
    "What moved the score, largest contribution first; they add up to it.",
    "array<struct<code:string,text:string,contribution:double>>",
  ),
  geo_flag: flag("A rule about places fired: impossible travel, a location mismatch, clock and address apart."),
  velocity_flag: flag("A rule about frequency fired: many transactions in a short time, many accounts on a device."),
  amount_flag: flag("A rule about the amount fired: a high, an extreme or an unusual one."),
  hour_flag: flag("The rule about the hour fired: at night."),
  amount: orNull(decimal("In the currency, as sent; negative for a refund. The feature `amount` is in the reference currency.")),
  currency: orNull(text(64, "ISO 4217; null is the reference currency.")),
  category: orNull(text(512, "Merchant category.")),
  country: orNull(text(256, "ISO 3166 code of the place.")),
  latitude: classified(
    "location",
    orNull(decimal("Degrees, rounded to 0.1° (about 11 km): enough for geography, too coarse for an address.")),
  ),
  longitude: classified("location", orNull(decimal("As the latitude."))),
  distance_km: orNull(decimal("From the newest known place of the user; of a device, from the account's usual place.")),
  speed_kmh: orNull(decimal("Needed between both places.")),
  features: json<Readonly<Record<string, number | null>>>("Values by name that the score was computed from."),
  input: json<Readonly<Record<string, unknown>>>("The input with personal fields tokenised."),
  input_hash: digest("SHA-256 of the canonical input: tells a duplicate from a conflict."),
} as const;

export type ArchiveRecord = Line<typeof ARCHIVE_COLUMNS>;

/** One line of a quarantine object and one row of `risk.quarantined_events`. */
export const QUARANTINE_COLUMNS = {
  source_position: text(
    512,
    "Unique: `shardId-…:sequence`, `eventbridge:…`, `events:…`, `firehose:…`, object and row of a file, or `rest:messageId` of the archiver.",
  ),
  source: text(64, "`kinesis`, `eventbridge`, `firehose`, `rest` or `s3`."),
  profile: text(64, "Profile of the stream; `rest` for a message that holds no score."),
  arrived_at: time("When the source got it."),
  reason: text(
    256,
    "`not_base64`, `too_large`, `aggregated_corrupt`, `compressed_corrupt`, `compressed_twice`, `unpacked_too_large`, `avro_corrupt`, `unknown_schema`, `incompatible_schema`, `not_utf8`, `not_json`, `duplicate_name`, `not_an_object`, `invalid`, `timestamp_out_of_range`, `duplicate_conflict`, `scoring_error`, `processing_error` or `invalid_envelope`.",
  ),
  detail: text(
    65_535,
    "Every problem, in sentences: which fields, and what was expected of them. Nothing of the record is quoted.",
  ),
  event_id: orNull(text(65_535, "Id of an event that its schema accepts, which was refused for another reason.")),
  size_bytes: integer("Size of the record as it arrived."),
  raw_key: text(1100, "Object of the raw bucket that holds the whole record; only the redrive role can read it."),
  raw_line: integer("Line of that object, from 1."),
} as const;

export type QuarantineRecord = Line<typeof QUARANTINE_COLUMNS>;
