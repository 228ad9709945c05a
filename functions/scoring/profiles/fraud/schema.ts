import type { JsonSchema } from "../../core/json-schema";
import { KEY_PATTERN, MAX_KEY_LENGTH } from "../../core/key-text";
import { CATEGORY_PATTERN } from "../category-text";

/** Largest integer that JSON carries exactly: longer card or account numbers have to be sent as text. */
const EXACT = Number.MAX_SAFE_INTEGER;

/** The year 2100. */
const LATEST_NANOSECONDS = 4_102_444_800_000_000_000;

const FLAG: JsonSchema = { type: ["boolean", "integer", "null"], minimum: 0, maximum: 1 };
const CATEGORY: JsonSchema = { type: ["string", "null"], maxLength: 64, pattern: CATEGORY_PATTERN };
const LATITUDE: JsonSchema = {
  type: ["number", "null"],
  minimum: -90,
  maximum: 90,
  "x-unit": "degrees",
  "x-classification": "location",
};
const LONGITUDE: JsonSchema = {
  type: ["number", "null"],
  minimum: -180,
  maximum: 180,
  "x-unit": "degrees",
  "x-classification": "location",
};

/**
 * A record of the transaction stream. Fields that are not listed are accepted but not stored: a producer may send more than the
 * platform uses, and unclassified fields must not reach the archive.
 */
export const FRAUD_SCHEMA: JsonSchema = {
  $id: "https://risk-scoring.example/schemas/fraud.json",
  title: "Transaction",
  description: "A card transaction or order to be scored from 0 to 1.",
  type: "object",
  required: ["transaction_id", "user_id", "amount", "timestamp"],
  additionalProperties: true,
  properties: {
    transaction_id: {
      type: ["string", "integer"],
      minLength: 1,
      maxLength: MAX_KEY_LENGTH,
      pattern: KEY_PATTERN,
      minimum: 0,
      maximum: EXACT,
      description: "Unique id: a second record of the same id and content is the same event.",
      examples: ["txn-0b242abb"],
    },
    user_id: {
      type: ["string", "integer"],
      minLength: 1,
      maxLength: MAX_KEY_LENGTH,
      pattern: KEY_PATTERN,
      minimum: 0,
      maximum: EXACT,
      description: "User, card or account whose history counts.",
      examples: ["user-1842"],
      "x-classification": "personal",
    },
    amount: {
      type: "number",
      minimum: -1e9,
      maximum: 1e9,
      description: "Amount in units of the currency (yen, not sen; dollars, not cents); negative for a refund.",
      examples: [129.9],
    },
    timestamp: {
      type: ["string", "number"],
      minLength: 1,
      maxLength: 40,
      minimum: 0,
      maximum: LATEST_NANOSECONDS,
      description:
        "When it happened: ISO 8601 (UTC when there is no offset), or seconds, milliseconds, microseconds or nanoseconds since 1970.",
      examples: ["2026-03-01T12:00:00Z", 1_772_366_400],
    },
    hour: {
      type: ["integer", "null"],
      minimum: 0,
      maximum: 23,
      description:
        "Local hour; default: by `time_zone`, else by the offset of `timestamp`, else by `country` where all its clocks agree, else in UTC.",
    },
    time_zone: {
      type: ["string", "null"],
      maxLength: 64,
      pattern: "^[A-Za-z0-9_+:/-]*$",
      description: "Time zone of the place: a name of the IANA database, or an offset.",
      examples: ["America/Los_Angeles"],
    },
    location_mismatch: {
      ...FLAG,
      description: "The sender's own verdict; default: far from home, or a country not seen before.",
    },
    velocity_flag: {
      ...FLAG,
      description:
        "The sender's own verdict; default: from the counts of the last minutes and hours, which the rules judge anyway.",
    },
    currency: {
      type: ["string", "null"],
      pattern: "^[A-Za-z]{3}$",
      description: "ISO 4217; default: the reference currency.",
      examples: ["USD"],
    },
    category: { ...CATEGORY, description: "Merchant category.", examples: ["grocery_pos"] },
    merchant_category: { ...CATEGORY, description: "Another name of `category`." },
    merchant_id: { type: ["string", "null"], maxLength: 128, description: "Merchant.", "x-classification": "personal" },
    country: {
      type: ["string", "null"],
      pattern: "^[A-Za-z]{2,3}$",
      description: "ISO 3166 code of the place.",
      examples: ["US"],
    },
    latitude: { ...LATITUDE, description: "Where it happened (the merchant)." },
    longitude: { ...LONGITUDE, description: "Where it happened (the merchant)." },
    home_latitude: { ...LATITUDE, description: "Home of the user." },
    home_longitude: { ...LONGITUDE, description: "Home of the user." },
    device_id: { type: ["string", "null"], maxLength: 256, description: "Device.", "x-classification": "personal" },
    ip_address: { type: ["string", "null"], maxLength: 64, description: "IP address.", "x-classification": "personal" },
    email: { type: ["string", "null"], maxLength: 320, description: "E-mail address.", "x-classification": "personal" },
    mailbox: {
      type: ["string", "null"],
      maxLength: 320,
      description: "Not to be sent: what `email` delivers to, without a plus-tag, and at Gmail without dots. Stored beside it.",
      "x-classification": "personal",
    },
    card_present: { ...FLAG, description: "Whether the card was there." },
    channel: { ...CATEGORY, description: "`web`, `app`, `pos` …", examples: ["web"] },
  },
  examples: [
    {
      transaction_id: "txn-0b242abb",
      user_id: "user-1842",
      amount: 129.9,
      timestamp: "2026-03-01T12:00:00Z",
      currency: "USD",
      category: "grocery_pos",
    },
  ],
};
