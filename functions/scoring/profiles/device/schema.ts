import type { JsonSchema } from "../../core/json-schema";
import { KEY_PATTERN, MAX_KEY_LENGTH } from "../../core/key-text";
import { FLAGS, NUMBERS, TEXTS } from "./features";

/**
 * Characters of the basic multilingual plane except controls and halves of surrogate pairs: the archive stores these unchanged, so
 * that real time and training see the same text.
 */
const TEXT_PATTERN = "^[ -~\\u00a1-\\ud7ff\\ue000-\\ufffc]*$";

const flags = FLAGS.map(({ name, description }): [string, JsonSchema] => [
  name,
  { type: ["boolean", "null"], description: description.replace(/^1 /, "True "), examples: [false] },
]);
const texts = TEXTS.map(({ name, description, example }): [string, JsonSchema] => [
  name,
  { type: ["string", "null"], maxLength: 64, pattern: TEXT_PATTERN, description: `${description}.`, examples: [example] },
]);
const numbers = NUMBERS.map(({ name, description, minimum, maximum, ...rest }): [string, JsonSchema] => [
  name,
  {
    type: ["number", "null"],
    minimum,
    maximum,
    description: `${description}.`,
    ...("unit" in rest ? { "x-unit": rest.unit } : {}),
  },
]);

/** Body of `POST /device`. Identifiers are stored as tokens and are not features: a model must not learn who somebody is. */
export const DEVICE_SCHEMA: JsonSchema = {
  $id: "https://risk-scoring.example/schemas/device.json",
  title: "Device",
  description: "A device fingerprint to be scored from 0 to 100. Fields that are left out count as not known.",
  type: "object",
  required: ["request_id"],
  additionalProperties: false,
  properties: {
    request_id: {
      type: "string",
      minLength: 1,
      maxLength: MAX_KEY_LENGTH,
      pattern: KEY_PATTERN,
      description: "Id of the fingerprint, one for each visit.",
      examples: ["req-5f0c2a91"],
    },
    device_id: {
      type: ["string", "null"],
      maxLength: 256,
      pattern: KEY_PATTERN,
      description: "Device.",
      "x-classification": "personal",
    },
    ip_address: { type: ["string", "null"], maxLength: 64, description: "IP address.", "x-classification": "personal" },
    ...Object.fromEntries([...flags, ...texts, ...numbers]),
  },
  examples: [
    {
      request_id: "req-5f0c2a91",
      vpn: true,
      proxy: false,
      bot: false,
      browser: "Chrome",
      os: "Windows",
      device_integrity: "genuine",
      timezone: "Asia/Ho_Chi_Minh",
      ip_country: "US",
      network_type: "hosting",
      timezone_mismatch_hours: 11,
      accounts_on_device_24h: 6,
      ip_risk_score: 84,
      device_age_days: 0,
    },
  ],
};
