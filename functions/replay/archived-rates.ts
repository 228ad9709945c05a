import type { AnyProfile } from "../scoring/core/profile";
import type { Rates } from "../scoring/core/rates";
import type { ArchivedEvent } from "./archived-event";

const DAY_MS = 86_400_000;

/** The exchange rate that an event was scored with, by its archived features: today's would give its amount another value. */
export function archivedRates({ record, features }: ArchivedEvent, profile: AnyProfile): Rates {
  const feature = (name: string): number => features[profile.features.slot(name)] ?? Number.NaN;
  const rate = feature("exchange_rate");
  const isForeign = !Number.isNaN(rate) || feature("currency_unknown") === 1;
  return {
    version: "archived",
    // Of a foreign amount, any other currency than its own.
    reference: isForeign ? "" : (record.currency ?? ""),
    asOfMs: Date.parse(record.occurred_at) - feature("rate_age_days") * DAY_MS,
    rateOf: () => rate,
    convert: () => (feature("is_refund") === 1 ? -feature("refund_amount") : feature("amount")),
  };
}
