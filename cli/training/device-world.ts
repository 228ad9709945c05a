/**
 * Device fingerprints with a fraud score of 0 to 100, to train device models on. The same seed gives the same visits.
 *
 * How they are made (the numbers are chosen by hand): a visitor is an honest person, one who hides (VPN, privacy browser), or one of four
 * kinds of fraudsters: emulator farms, bots, account takeovers, stolen cards. The kinds overlap in every feature. The score doesn't depend
 * on the kind but on what is visible: the log-odds of `risk` are non-linear (fast typing, many accounts, young devices) and interact (a
 * wrong clock counts less behind a VPN, which counts more in a data centre). To this are added unpredictable noise of about six points,
 * values that are missing with or without a reason, rare categories, and some categories that appear only in the last tenth of the time.
 */

import { DEVICE_FEATURES } from "../../functions/scoring/profiles/device/features";
import { Random } from "../demo/random";
import { type Machine, machine } from "./device-machines";

export type DeviceValue = string | number | boolean | null;

export interface DeviceVisit {
  /** Body of `POST /device`; null is missing. */
  readonly raw: Readonly<Record<string, DeviceValue>>;
  readonly atMs: number;
  /** `IPQS_DEVICE_FP_FRAUD_SCORE`: 0 to 100, whole. */
  readonly label: number;
}

export const DEVICE_START_MS = Date.UTC(2026, 0, 1);
export const DEVICE_DAYS = 60;
const DAY_MS = 86_400_000;

type Visitor = "honest" | "hidden" | "farm" | "bot" | "takeover" | "card";

/** The `index`-th of `count` visits, in time order. */
export function deviceVisit(seed: number, index: number, count: number): DeviceVisit {
  const random = new Random(Math.imul(index + 1, 0x9e3779b1) ^ seed);
  const share = index / count;
  const visitor = visitorOf(random.next());
  const device = machine(random, visitor === "farm" || visitor === "bot", share >= 0.9);
  const raw = {
    ...device.values,
    ...networkOf(random, visitor, device),
    ...historyOf(random, visitor),
    ...behaviourOf(random, visitor),
  };
  const odds = riskOf(raw) + 0.25 * random.normal();
  const label = Math.round(clamp(100 / (1 + Math.exp(-odds)) + 5 * random.normal(), 0, 100));
  return {
    raw: { request_id: `dev-${seed}-${index}`, ...hide(random, raw, device) },
    atMs: DEVICE_START_MS + Math.floor(share * DEVICE_DAYS * DAY_MS),
    label,
  };
}

function visitorOf(share: number): Visitor {
  if (share < 0.78) return "honest";
  if (share < 0.86) return "hidden";
  if (share < 0.9) return "farm";
  if (share < 0.94) return "bot";
  return share < 0.97 ? "takeover" : "card";
}

const OPERATORS = {
  US: ["Comcast", "AT&T", "Verizon"],
  DE: ["Deutsche Telekom", "Vodafone", "1&1"],
  GB: ["BT", "Sky", "Virgin Media"],
  ES: ["Telefónica", "Orange", "MásMóvil"],
  BR: ["Claro", "Vivo", "TIM"],
  IN: ["Jio", "Airtel", "BSNL"],
} as const;
const HOSTS = ["Amazon", "DigitalOcean", "Hetzner, Falkenstein", "OVH"] as const;
const COUNTRIES = ["US", "US", "US", "DE", "GB", "GB", "ES", "BR", "IN"] as const;
const ZONES = { US: -300, DE: 60, GB: 0, ES: 60, BR: -180, IN: 330 } as const;
const ZONE_NAMES = {
  US: "America/New_York",
  DE: "Europe/Berlin",
  GB: "Europe/London",
  ES: "Europe/Madrid",
  BR: "America/Sao_Paulo",
  IN: "Asia/Kolkata",
} as const;
const LANGUAGES = { US: "en-US", DE: "de-DE", GB: "en-GB", ES: "es-ES", BR: "pt-BR", IN: "hi-IN" } as const;

type Values = Readonly<Record<string, DeviceValue>>;

function networkOf(random: Random, visitor: Visitor, device: Machine): Values {
  const home = random.pick(COUNTRIES);
  const isHidden = visitor === "hidden" || (visitor === "honest" ? random.chance(0.03) : random.chance(0.55));
  const seen = isHidden || random.chance(0.04) ? random.pick(COUNTRIES) : home;
  const isHosted = visitor === "bot" ? random.chance(0.7) : isHidden && random.chance(0.5);
  const vpn = isHidden && random.chance(0.8);
  const proxy = (isHidden && random.chance(0.3)) || random.chance(0.01);
  const apart = Math.abs(ZONES[home] - ZONES[seen]) / 60;
  const bad = visitor === "honest" ? 12 : visitor === "hidden" ? 35 : 55;
  return {
    vpn,
    proxy,
    timezone: ZONE_NAMES[home],
    timezone_offset_minutes: ZONES[home],
    timezone_mismatch_hours: random.chance(0.02) ? 1 : apart,
    language: random.chance(0.08) ? random.pick(["fr-FR", "pl-PL", "zh-CN", "vi-VN"]) : LANGUAGES[home],
    language_count: random.integer(1, 4),
    ip_country: seen,
    card_country: random.chance(visitor === "card" ? 0.5 : 0.96) ? home : random.pick(COUNTRIES),
    connection_type: device.isMobile ? random.pick(["wifi", "wifi", "cellular"]) : random.pick(["wifi", "ethernet"]),
    network_type: isHosted
      ? "hosting"
      : random.chance(0.07)
        ? random.pick(["business", "education", "satellite"])
        : "residential",
    network_operator: isHosted ? random.pick(HOSTS) : random.pick(OPERATORS[seen]),
    latency_ms: rounded(Math.exp(3.6 + 0.5 * random.normal() + (isHidden ? 0.7 : 0)), 1),
    latency_jitter_ms: rounded(Math.exp(1.5 + 0.7 * random.normal()), 1),
    download_mbps: rounded(Math.exp(4 + 0.9 * random.normal()), 1),
    hop_count: random.integer(6, 24),
    tls_cipher_count: random.integer(12, 18),
    webrtc_address_count: vpn ? random.integer(0, 1) : random.integer(1, 3),
    ip_distance_km: rounded(seen === home ? Math.exp(2.5 + 1.4 * random.normal()) : random.between(900, 9000), 1),
    ip_risk_score: Math.round(clamp(bad + 20 * random.normal(), 0, 100)),
    network_risk_score: Math.round(clamp((isHosted ? 45 : 15) + 14 * random.normal(), 0, 100)),
    clock_skew_ms: Math.round(400 * random.normal()),
  };
}

function historyOf(random: Random, visitor: Visitor): Values {
  const isYoung = visitor === "farm" || visitor === "bot" || random.chance(0.12);
  const crowd = visitor === "farm" ? 6 : visitor === "card" ? 2.5 : 1.1;
  const accounts = 1 + Math.floor(-Math.log(1 - random.next()) * (crowd - 1));
  const isVictim = visitor === "takeover";
  return {
    device_age_days: Math.floor(isYoung || isVictim ? random.between(0, 5) : Math.exp(random.between(1, 7))),
    account_age_days: Math.floor(isYoung ? random.between(0, 30) : Math.exp(random.between(2, 8))),
    sessions_24h: 1 + Math.floor(-Math.log(1 - random.next()) * (visitor === "bot" ? 20 : 1.5)),
    accounts_on_device_24h: accounts,
    accounts_on_device_30d: accounts + Math.floor(-Math.log(1 - random.next()) * crowd),
    devices_on_account_30d: random.integer(1, isVictim ? 6 : 3),
    cards_on_device_30d: Math.floor(-Math.log(1 - random.next()) * (visitor === "card" ? 4 : 0.8)),
    addresses_24h: 1 + Math.floor(-Math.log(1 - random.next()) * (visitor === "honest" ? 0.6 : 2)),
    countries_7d: 1 + Math.floor(-Math.log(1 - random.next()) * (visitor === "honest" ? 0.2 : 1)),
    failed_logins_24h: Math.floor(-Math.log(1 - random.next()) * (isVictim ? 4 : visitor === "bot" ? 6 : 0.4)),
    password_resets_30d: Math.floor(-Math.log(1 - random.next()) * (isVictim ? 1.5 : 0.2)),
    chargebacks_365d: Math.floor(-Math.log(1 - random.next()) * (visitor === "card" ? 1.6 : visitor === "farm" ? 0.9 : 0.25)),
    storage_items: isYoung ? 0 : random.integer(0, 60),
    cookie_age_days: isYoung ? 0 : random.integer(0, 400),
    flow: random.pick(["login", "login", "checkout", "checkout", "signup", "browse", "payout", "profile"]),
  };
}

function behaviourOf(random: Random, visitor: Visitor): Values {
  const isScripted = visitor === "bot" || (visitor === "farm" && random.chance(0.5));
  return {
    bot: isScripted && random.chance(0.6),
    session_seconds: rounded(Math.exp(4.5 + 1.1 * random.normal() - (isScripted ? 2 : 0)), 1),
    keystroke_interval_ms: rounded(isScripted ? random.between(1, 60) : Math.exp(5.1 + 0.35 * random.normal()), 1),
    pointer_speed: rounded(isScripted ? random.between(0, 4000) : Math.exp(6 + 0.5 * random.normal()), 1),
    scroll_count: Math.floor(isScripted ? random.between(0, 3) : Math.exp(random.between(0, 4))),
    paste_count: Math.floor(-Math.log(1 - random.next()) * (visitor === "honest" ? 0.5 : 2)),
  };
}

/** Log-odds of the score, from what is visible. */
function riskOf(raw: Values): number {
  const number = (name: string): number => Number(raw[name] ?? 0);
  const { vpn, proxy, bot, device_integrity: integrity, network_type: network, flow } = raw;
  const young = Math.exp(-number("device_age_days") / 4);
  const newcomer = Math.exp(-number("account_age_days") / 20);
  const typing = number("keystroke_interval_ms");
  const isForeignCard = raw.card_country !== raw.ip_country;
  return (
    -4.1 +
    (bot === true ? 2.4 : 0) +
    (vpn === true ? (network === "hosting" ? 1.5 : 0.6) : 0) +
    (proxy === true ? 0.8 : 0) +
    (integrity === "emulator" ? 1.7 : integrity === "rooted" ? 0.8 : integrity === "jailbroken" ? 0.6 : 0) +
    1.3 / (1 + Math.exp(-14 * (number("emulator_likelihood") - 0.6))) +
    0.16 * Math.min(number("timezone_mismatch_hours"), 9) * (vpn === true ? 0.4 : 1) +
    1.1 * Math.log(Math.max(1, number("accounts_on_device_24h"))) +
    2.2 * (number("ip_risk_score") / 100) ** 2 +
    0.8 * (number("network_risk_score") / 100) +
    0.9 * young * (0.5 + newcomer) +
    0.9 * Math.log2(1 + number("chargebacks_365d")) +
    0.25 * Math.min(number("failed_logins_24h"), 8) +
    (typing < 60 ? 0.9 : typing > 600 ? 0.3 : 0) +
    (isForeignCard ? (flow === "checkout" ? 0.9 : 0.4) : 0) +
    (flow === "payout" ? 0.5 : flow === "signup" ? 0.3 * (1 + newcomer) : 0) +
    0.3 * Math.min(number("inconsistency_count"), 5) +
    (number("fingerprint_entropy") > 22 ? 0.5 : 0) +
    0.15 * Math.min(number("paste_count"), 4)
  );
}

/** Removes some values: some browsers hide them, some scripts fail, and some values get lost. */
function hide(random: Random, raw: Values, { isMobile, isPrivate }: Machine): Record<string, DeviceValue> {
  const isScriptBroken = random.chance(0.02);
  const values: Record<string, DeviceValue> = {};
  for (const { name } of DEVICE_FEATURES.definitions) {
    const isLost =
      random.chance(0.012) ||
      (isPrivate && PRIVATE.has(name) && random.chance(0.9)) ||
      (name === "battery_percent" && !isMobile && random.chance(0.8)) ||
      (isScriptBroken && PRINTS.has(name));
    values[name] = isLost ? null : (raw[name] ?? null);
  }
  return values;
}

const PRINTS = new Set([
  "canvas_entropy",
  "webgl_entropy",
  "audio_entropy",
  "font_entropy",
  "fingerprint_entropy",
  "gpu_renderer",
]);
const PRIVATE = new Set([
  ...PRINTS,
  "memory_gb",
  "cpu_cores",
  "battery_percent",
  "gpu_vendor",
  "storage_gb",
  "font_count",
  "plugin_count",
]);

/** Lines of a CSV file of `count` visits, header first: key, time (ISO 8601), the features as they are sent, label. Empty is missing. */
export function* deviceLines(seed: number, count: number): Generator<string> {
  const names = DEVICE_FEATURES.definitions.map(({ name }) => name);
  yield ["key", "time", ...names, "label"].join(",");
  for (let index = 0; index < count; index++) {
    const { raw, atMs, label } = deviceVisit(seed, index, count);
    yield [raw.request_id ?? null, new Date(atMs).toISOString(), ...names.map((name) => raw[name] ?? null), label]
      .map(cell)
      .join(",");
  }
}

/** RFC 4180. */
function cell(value: DeviceValue): string {
  const text = value === null ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));

function rounded(value: number, digits: number): number {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}
