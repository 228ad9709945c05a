/**
 * The feature registry: for every feature of every profile what the code that computes it doesn't say. Name, kind, unit and description
 * are those of the profile's definitions; owner, source, history and version stand here. docs/features.md, the comments of the catalog and
 * `npm run features` are made from both, and tests hold sources and histories against what the code does.
 */
import type { FeatureDefinition } from "../core/features";
import type { AnyProfile } from "../core/profile";
import type { FraudFeature } from "./fraud/features";

/** What is known of a feature beside its definition. */
export interface FeatureFacts {
  /** Fields of the record that it is computed from; none for a feature of the history alone. */
  readonly from: readonly string[];
  /** What it looks back over; absent for a feature of the record alone. */
  readonly history?: string;
  /** Version of the profile's list of features that had it first, with this meaning. */
  readonly since: number;
}

export interface RegisteredFeature extends Pick<FeatureDefinition, "name" | "description" | "unit" | "categories"> {
  readonly profile: string;
  /** `text`: archived as a hash. `category`: archived as an index of its categories. */
  readonly type: "number" | "boolean" | "category" | "text";
  /** Who answers questions about it and agrees to changes. */
  readonly owner: string;
  readonly source: readonly string[];
  readonly history: string | undefined;
  /** How old what it is made of may be when it is used. */
  readonly freshness: string;
  readonly since: number;
}

interface ProfileFacts {
  readonly owner: string;
  /** By feature. */
  readonly features: Readonly<Record<string, FeatureFacts>>;
}

const record = (...from: readonly string[]): FeatureFacts => ({ from, since: 1 });
const past = (history: string, ...from: readonly string[]): FeatureFacts => ({ from, history, since: 1 });

const PLACE = ["latitude", "longitude"] as const;
const HOME = ["home_latitude", "home_longitude"] as const;
const CATEGORY = ["category", "merchant_category"] as const;
/** See `FraudState`. */
const NEWEST = "the user's newest 200 transactions";
const NEWEST_PLACE = "the user's newest known place";
const SEEN = "what the user was seen with before";

const FRAUD_FACTS: Readonly<Record<FraudFeature, FeatureFacts>> = {
  amount: record("amount"),
  hour: record("hour", "timestamp"),
  is_night: record("hour", "timestamp"),
  location_mismatch: past("countries seen before", "location_mismatch", "country", ...PLACE, ...HOME),
  velocity_flag: past("an hour", "velocity_flag", "timestamp"),
  count_1m: past("a minute", "timestamp"),
  count_5m: past("five minutes", "timestamp"),
  count_1h: past("an hour", "timestamp"),
  count_24h: past("24 hours", "timestamp"),
  sum_1m: past("a minute", "amount", "timestamp"),
  sum_5m: past("five minutes", "amount", "timestamp"),
  sum_1h: past("an hour", "amount", "timestamp"),
  sum_24h: past("24 hours", "amount", "timestamp"),
  minutes_since_previous: past("24 hours", "timestamp"),
  distance_km: past(NEWEST_PLACE, ...PLACE),
  minutes_travelled: past(NEWEST_PLACE, ...PLACE, "timestamp"),
  speed_kmh: past(NEWEST_PLACE, ...PLACE, "timestamp"),
  impossible_travel: past(NEWEST_PLACE, ...PLACE, "timestamp"),
  home_distance_km: record(...PLACE, ...HOME),
  history_count: past(NEWEST),
  amount_mean: past(NEWEST),
  amount_zscore: past(NEWEST, "amount"),
  amount_ratio: past(NEWEST, "amount"),
  round_amount: record("amount"),
  new_country: past(SEEN, "country"),
  new_category: past(SEEN, ...CATEGORY),
  new_device: past(SEEN, "device_id"),
  card_present: record("card_present"),
  category: record(...CATEGORY),
};

/** Of a profile whose features are fields of the record, by other names or computed from one of them. */
const fields = (from: Readonly<Record<string, string>>): Readonly<Record<string, FeatureFacts>> =>
  Object.fromEntries(Object.entries(from).map(([name, field]) => [name, record(field)]));

/** Of a profile whose features all come from the same field, or have the names of their fields. */
const each = ({ features }: AnyProfile, field?: string): Readonly<Record<string, FeatureFacts>> =>
  Object.fromEntries(features.definitions.map(({ name }) => [name, record(field ?? name)]));

const factsOf = (profile: AnyProfile): ProfileFacts | undefined => {
  switch (profile.id) {
    case "fraud":
      return { owner: "payment fraud", features: FRAUD_FACTS };
    case "lead":
      return {
        owner: "sales",
        features: fields({ company_size: "companySize", engagement: "engagementMetrics", industry: "industry" }),
      };
    case "churn":
      return { owner: "customer care", features: each(profile, "data") };
    case "device":
      return { owner: "account security", features: each(profile) };
    default:
      return undefined;
  }
};

/** The registry's entries of a profile, in the order of its vector. @throws Error naming the profile or feature that isn't registered */
export function registeredFeatures(profile: AnyProfile): RegisteredFeature[] {
  const facts = factsOf(profile);
  if (facts === undefined)
    throw new Error(`The profile "${profile.id}" is not registered; add it to functions/scoring/profiles/feature-registry.ts.`);
  const { definitions } = profile.features;
  const known = new Set(definitions.map(({ name }) => name));
  const stray = Object.keys(facts.features).find((name) => !known.has(name));
  if (stray !== undefined) throw new Error(`The registry has ${profile.id}.${stray}, which is no feature; remove it.`);
  return definitions.map((definition) => {
    const { name, description, unit, categories } = definition;
    const found = Object.hasOwn(facts.features, name) ? facts.features[name] : undefined;
    if (found === undefined)
      throw new Error(
        `The feature ${profile.id}.${name} is not registered; add its source and version to functions/scoring/profiles/feature-registry.ts.`,
      );
    const { from, history, since } = found;
    return {
      profile: profile.id,
      name,
      type: typeOf(definition),
      ...(unit === undefined ? {} : { unit }),
      owner: facts.owner,
      description,
      ...(categories === undefined ? {} : { categories }),
      source: from,
      history,
      freshness: history === undefined ? "the record itself" : "the event before, as scored",
      since,
    };
  });
}

const typeOf = ({ categories, open, boolean }: FeatureDefinition): RegisteredFeature["type"] => {
  if (open) return "text";
  if (categories) return "category";
  return boolean ? "boolean" : "number";
};
