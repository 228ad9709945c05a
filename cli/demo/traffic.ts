/**
 * Realistic traffic for the demo: card holders in real cities with their own habits, four fraud patterns that the platform should
 * detect, and the mistakes and attacks that any public input gets. The same seed gives the same traffic.
 */
import { Random } from "./random";

export interface Transaction {
  readonly transaction_id: string;
  readonly user_id: string;
  readonly amount: number;
  readonly currency: string;
  readonly timestamp: string;
  readonly category: string;
  readonly country: string;
  readonly latitude: number;
  readonly longitude: number;
  readonly home_latitude: number;
  readonly home_longitude: number;
  readonly device_id: string;
  readonly card_present: boolean;
}

/** What should become of a stream record. */
export type Expectation = "scored" | "duplicate" | "quarantined";

export interface StreamRecord {
  readonly partitionKey: string;
  readonly data: Buffer;
  readonly expect: Expectation;
  /** For people to read: `card testing`, `not JSON` … */
  readonly label: string;
}

export interface City {
  readonly name: string;
  readonly country: string;
  readonly latitude: number;
  readonly longitude: number;
}

export const cities: readonly [City, ...City[]] = [
  { name: "New York", country: "US", latitude: 40.71, longitude: -74.01 },
  { name: "Chicago", country: "US", latitude: 41.88, longitude: -87.63 },
  { name: "Denver", country: "US", latitude: 39.74, longitude: -104.99 },
  { name: "London", country: "GB", latitude: 51.51, longitude: -0.13 },
  { name: "Berlin", country: "DE", latitude: 52.52, longitude: 13.41 },
  { name: "Madrid", country: "ES", latitude: 40.42, longitude: -3.7 },
  { name: "Tokyo", country: "JP", latitude: 35.68, longitude: 139.69 },
  { name: "Sydney", country: "AU", latitude: -33.87, longitude: 151.21 },
];

const categories = [
  "grocery",
  "fuel",
  "restaurant",
  "online_retail",
  "travel",
  "health",
  "entertainment",
  "electronics",
] as const;

export interface Holder {
  readonly id: string;
  readonly home: City;
  readonly typicalAmount: number;
  readonly device: string;
}

export function holder(random: Random, n: number): Holder {
  return {
    id: `user-${String(n).padStart(4, "0")}`,
    home: random.pick(cities),
    typicalAmount: Math.exp(random.between(2.7, 4.6)),
    device: random.id("dev-"),
  };
}

export function transaction(random: Random, who: Holder, at: number, change: Partial<Transaction> = {}): Transaction {
  const { home } = who;
  return {
    transaction_id: random.id("tx-"),
    user_id: who.id,
    amount: Math.round(Math.max(1, who.typicalAmount * Math.exp(0.45 * random.normal())) * 100) / 100,
    currency: "USD",
    timestamp: new Date(at).toISOString(),
    category: random.pick(categories),
    country: home.country,
    latitude: Math.round((home.latitude + random.between(-0.12, 0.12)) * 1e4) / 1e4,
    longitude: Math.round((home.longitude + random.between(-0.12, 0.12)) * 1e4) / 1e4,
    home_latitude: home.latitude,
    home_longitude: home.longitude,
    device_id: who.device,
    card_present: random.chance(0.7),
    ...change,
  };
}

export function farFrom(random: Random, home: City): City {
  const abroad = cities.filter((city) => Math.abs(city.longitude - home.longitude) > 60);
  const [first = home, ...rest] = abroad;
  return random.pick([first, ...rest]);
}

/** The four fraud patterns; each returns its transactions in time order. */
export const patterns: readonly [name: string, make: (random: Random, who: Holder, at: number) => Transaction[]][] = [
  [
    "card testing",
    (random, who, at) =>
      Array.from({ length: 12 }, (_, i) =>
        transaction(random, who, at + i * 4_000, {
          amount: Math.round(random.between(1, 4) * 100) / 100,
          category: "online_retail",
          card_present: false,
        }),
      ),
  ],
  [
    "impossible travel",
    (random, who, at) => {
      const away = farFrom(random, who.home);
      const place = { country: away.country, latitude: away.latitude, longitude: away.longitude };
      return [
        transaction(random, who, at),
        transaction(random, who, at + 12 * 60_000, { ...place, amount: Math.round(random.between(900, 2400)) }),
      ];
    },
  ],
  [
    "account takeover",
    (random, who, at) => {
      const away = farFrom(random, who.home);
      const place = { country: away.country, latitude: away.latitude, longitude: away.longitude };
      return [
        transaction(random, who, at),
        ...Array.from({ length: 5 }, (_, i) =>
          transaction(random, who, at + (i + 2) * 45_000, {
            ...place,
            amount: Math.round(random.between(2500, 9000)),
            category: "electronics",
            device_id: random.id("dev-"),
            card_present: false,
          }),
        ),
      ];
    },
  ],
  [
    "bust-out",
    (random, who, at) =>
      Array.from({ length: 4 }, (_, i) =>
        transaction(random, who, at + i * 90_000, {
          amount: Math.round(random.between(40, 90) * 100),
          category: "travel",
          card_present: false,
        }),
      ),
  ],
];

const text = (value: string) => Buffer.from(value, "utf8");

/** Records that must go to quarantine, each with a readable reason. */
function spoiled(random: Random, who: Holder, at: number): [label: string, data: Buffer][] {
  const good = transaction(random, who, at);
  const without = (field: keyof Transaction) => JSON.stringify({ ...good, [field]: undefined, transaction_id: random.id("tx-") });
  const withField = (field: string, value: unknown) =>
    JSON.stringify({ ...good, transaction_id: random.id("tx-"), [field]: value });
  return [
    ["not JSON", text("amount=12;user=bob")],
    ["truncated JSON", text(JSON.stringify(good).slice(0, 60))],
    ["an array", text(JSON.stringify([good]))],
    ["null", text("null")],
    ["a bare number", text("42")],
    ["not UTF-8", Buffer.from([0xff, 0xfe, 0x00, 0xc3, 0x28])],
    ["no id", text(JSON.stringify({ ...good, transaction_id: undefined }))],
    ["no user", text(without("user_id"))],
    ["no amount", text(without("amount"))],
    ["amount as text", text(withField("amount", "12.50"))],
    ["hour 24", text(withField("hour", 24))],
    ["infinite amount", text(withField("amount", 0).replace('"amount":0', '"amount":1e999'))],
    ["from the future", text(withField("timestamp", new Date(at + 3 * 86_400_000).toISOString()))],
    ["from 1970", text(withField("timestamp", "1970-01-02T00:00:00Z"))],
    ["latitude 200", text(withField("latitude", 200))],
    ["prototype pollution", text(`{"__proto__":{"admin":true},"transaction_id":"${random.id("tx-")}"}`)],
    ["nested 5,000 deep", text("[".repeat(5000) + "]".repeat(5000))],
  ];
}

export interface StreamTraffic {
  readonly records: readonly StreamRecord[];
  readonly scored: number;
  readonly duplicates: number;
  readonly quarantined: number;
}

/**
 * About `count` transactions of the two hours before `now` (epoch ms), in time order, with about 3 % fraud, 1 % redelivered
 * duplicates, a few ids that come again with another body, and one of each kind of invalid record.
 */
export function streamTraffic(options: { readonly seed: number; readonly count: number; readonly now: number }): StreamTraffic {
  const random = new Random(options.seed);
  const holders = Array.from({ length: Math.max(8, Math.round(options.count / 10)) }, (_, n) => holder(random, n + 1));
  const anyone = () => holders[random.integer(0, holders.length - 1)] ?? holder(random, 0);
  const start = options.now - 2 * 3_600_000;
  const span = 2 * 3_600_000 - 20 * 60_000;
  const timed: { at: number; record: StreamRecord }[] = [];
  const add = (at: number, body: Transaction | Buffer, expect: Expectation, label: string, key?: string) => {
    const data = Buffer.isBuffer(body) ? body : text(JSON.stringify(body));
    const partitionKey = key ?? (Buffer.isBuffer(body) ? random.id("k") : body.user_id);
    timed.push({ at, record: { partitionKey, data, expect, label } });
  };

  for (const [label, data] of spoiled(random, anyone(), options.now))
    add(start + random.next() * span, data, "quarantined", label);
  while (timed.length < options.count) {
    const who = anyone();
    const at = start + random.next() * span;
    if (random.chance(0.004)) {
      const pattern = patterns[random.integer(0, patterns.length - 1)];
      for (const tx of pattern?.[1](random, who, at) ?? []) add(Date.parse(tx.timestamp), tx, "scored", pattern?.[0] ?? "");
      continue;
    }
    const tx = transaction(random, who, at);
    add(at, tx, "scored", "ordinary");
    if (random.chance(0.01)) add(at + 1, tx, "duplicate", "redelivered");
    if (random.chance(0.001)) add(at + 2, { ...tx, amount: tx.amount + 1000 }, "quarantined", "same id, another body");
  }
  timed.sort((a, b) => a.at - b.at);
  const records = timed.map(({ record }) => record);
  const count = (expect: Expectation) => records.filter((record) => record.expect === expect).length;
  return { records, scored: count("scored"), duplicates: count("duplicate"), quarantined: count("quarantined") };
}

export interface RestCall {
  readonly path: "/score" | "/predict";
  readonly body: string;
  readonly contentType: string;
  /** Status that the API should answer with. */
  readonly expect: 200 | 400 | 415;
  readonly label: string;
}

const industries = ["technology", "finance", "retail", "healthcare", "manufacturing", "education"] as const;

/** Leads and churn requests: most are valid, some are repeated, some are hostile. */
export function restTraffic(options: {
  readonly seed: number;
  readonly leads: number;
  readonly churn: number;
}): readonly RestCall[] {
  const random = new Random(options.seed ^ 0x5eed);
  const calls: RestCall[] = [];
  const repeated: RestCall[] = [];
  const call = (path: RestCall["path"], body: unknown, expect: RestCall["expect"] = 200, label = "good") =>
    calls.push({
      path,
      body: typeof body === "string" ? body : JSON.stringify(body),
      contentType: "application/json",
      expect,
      label,
    });
  for (let i = 0; i < options.leads; i += 1) {
    call("/score", {
      companySize: Math.round(Math.exp(random.between(1.5, 8.2))),
      industry: random.pick(industries),
      engagementMetrics: Math.round(random.between(0, 100)),
    });
    const last = calls[calls.length - 1];
    if (last && random.chance(0.1)) repeated.push({ ...last, label: "repeated" });
  }
  for (let i = 0; i < options.churn; i += 1) {
    const country = random.integer(0, 2);
    const data = [
      random.integer(400, 850),
      random.integer(0, 1),
      random.integer(18, 80),
      random.integer(0, 10),
      random.chance(0.35) ? 0 : Math.round(random.between(20_000, 180_000)),
      random.integer(1, 4),
      random.integer(0, 1),
      random.integer(0, 1),
      Math.round(random.between(10_000, 200_000)),
      ...[0, 1, 2].map((n) => (n === country ? 1 : 0)),
    ];
    call("/predict", { data });
  }
  call("/score", { companySize: "many", industry: 7 }, 400, "wrong types");
  call("/score", '{"companySize": NaN, "industry": "retail", "engagementMetrics": 1}', 400, "NaN");
  call(
    "/score",
    '{"__proto__": {"score": 100}, "companySize": 1, "industry": "retail", "engagementMetrics": 1}',
    400,
    "pollution",
  );
  call("/score", "{", 400, "half a body");
  call("/predict", { data: [1, 2, 3] }, 400, "three numbers");
  call("/predict", { data: Array.from({ length: 13 }, () => 1) }, 400, "thirteen numbers");
  calls.push({ path: "/score", body: "<lead/>", contentType: "application/xml", expect: 415, label: "XML" });
  // Last, because a repetition sent beside its original could miss the cache.
  return [...calls, ...repeated];
}
