import { NO_COLUMNS, NO_FLAG_COLUMNS, type Profile } from "../../core/profile";
import { DEVICE_FEATURES } from "./features";
import { type DeviceInput, extract, normalise, stored } from "./input";
import { DEVICE_POLICY } from "./policy";
import { DEVICE_SCHEMA } from "./schema";

const SLOT = {
  country: DEVICE_FEATURES.slot("ip_country"),
  distance: DEVICE_FEATURES.slot("ip_distance_km"),
};

/** Device fingerprints over REST: fraud points from 0 to 100, learnt from `IPQS_DEVICE_FP_FRAUD_SCORE`. */
export const DEVICE: Profile<DeviceInput, never> = {
  id: "device",
  description: "Device fingerprints, scored from 0 to 100 by how likely fraud comes from the device.",
  scale: { max: 100, combine: "additive" },
  schema: DEVICE_SCHEMA,
  answerSchema: { type: "object", properties: {}, additionalProperties: false },
  features: DEVICE_FEATURES,
  defaultPolicy: DEVICE_POLICY,
  stateful: false,
  keys: ["request_id", "device_id"],

  normalise,
  check: () => [],
  eventId: ({ requestId }) => requestId,
  occurredAtMs: () => null,
  userKey: ({ deviceId }) => deviceId,
  extract,
  fold() {
    throw new Error('Profile "device" keeps no state; check `stateful` before folding.');
  },
  stored,
  flagColumns: { ...NO_FLAG_COLUMNS, geo_flag: ["timezone_mismatch"], velocity_flag: ["many_accounts"] },
  columns: ({ values }, features) => ({
    ...NO_COLUMNS,
    country: countryCode(values[SLOT.country]),
    distance_km: Number.isFinite(features[SLOT.distance]) ? features[SLOT.distance]! : null,
  }),
  answer: () => ({}),
};

/** Two or three capital letters, as the warehouse's column has them; a country written in another way is only in the input. */
function countryCode(value: unknown): string | null {
  return typeof value === "string" && /^[A-Z]{2,3}$/.test(value) ? value : null;
}
