/** What producers put into the stream: good transactions, repetitions, conflicts, and records that can't be read. */
import type { Random } from "./kernel/random";

/** In every personal value, so that it can be looked for wherever something is stored. */
export const MARKER = "Zx9Personal";

export interface PlannedRecord {
  readonly partitionKey: string;
  /** Base64. */
  readonly data: string;
  readonly label: string;
}

interface Content {
  readonly content: unknown;
  readonly label: string;
}

interface Transaction {
  readonly transaction_id: string;
  readonly user_id: string;
  readonly [field: string]: unknown;
}

export class Records {
  #count = 0;
  readonly #earlier: Transaction[] = [];
  /** Partition keys of one user: with several, their events come through several shards at the same time. */
  readonly #keys: number;

  constructor(private readonly random: Random) {
    this.#keys = random.pick([1, 2, 3]);
  }

  next(): PlannedRecord {
    const { random } = this;
    const { content, label } = this.#content();
    const bytes = bytesOf(content);
    const user = /user-\d/.exec(bytes.toString("latin1"))?.[0] ?? "nobody";
    return { partitionKey: `${user}-${random.between(1, this.#keys)}`, data: bytes.toString("base64"), label };
  }

  #content(): Content {
    const { random } = this;
    const [first, ...others] = this.#earlier;
    const draw = random.next();
    if (first !== undefined && draw < 0.1) return put(random.pick([first, ...others]), "repetition");
    if (first !== undefined && draw < 0.15) {
      const { transaction_id } = random.pick([first, ...others]);
      return put({ ...this.#transaction(), transaction_id }, "conflict");
    }
    if (draw < 0.25) return this.#unreadable();
    if (draw < 0.27)
      return put({ ...this.#transaction(), transaction_id: random.pick(["x\u0000b", "x\ud800b", "x\ufffdb"]) }, "awkward id");
    const transaction = this.#transaction();
    this.#earlier.push(transaction);
    return put(transaction, "transaction");
  }

  #transaction(): Transaction {
    const { random } = this;
    const user = random.between(1, 3);
    const isRisky = random.chance(0.3);
    return {
      transaction_id: `t${++this.#count}`,
      user_id: `${MARKER}-user-${user}`,
      amount: isRisky ? 9_000 + this.#count : 20 + this.#count,
      timestamp: this.#time(),
      currency: "USD",
      country: isRisky ? "RU" : "US",
      email: `${MARKER}-${user}@example.com`,
      ip_address: `${MARKER}-ip`,
      device_id: `${MARKER}-device-${user}`,
      ...(random.chance(0.5) ? { latitude: random.between(-60, 60), longitude: random.between(-180, 180) } : {}),
      ...(isRisky ? { location_mismatch: 1, velocity_flag: 1, hour: 3 } : {}),
    };
  }

  /** Mostly of the hour before; some are older than what is remembered, and some ahead of their time. */
  #time(): string {
    const { random } = this;
    const minutes = String(random.between(0, 59)).padStart(2, "0");
    if (random.chance(0.1)) return `2026-11-20T${random.between(10, 13)}:${minutes}:00Z`;
    return random.chance(0.05) ? `2026-11-21T12:${random.between(30, 50)}:00Z` : `2026-11-21T11:${minutes}:00Z`;
  }

  #unreadable(): Content {
    const { random } = this;
    const transaction = this.#transaction();
    const text = JSON.stringify(transaction);
    switch (random.between(1, 4)) {
      case 1:
        return put(text.slice(0, -1), "cut JSON");
      case 2:
        return put({ ...transaction, amount: `${MARKER} dollars` }, "invalid");
      case 3:
        return put(Buffer.concat([Buffer.from(text), Buffer.from([0xff])]), "not UTF-8");
      default:
        return put([MARKER], "not an object");
    }
  }
}

const put = (content: unknown, label: string): Content => ({ content, label });

const bytesOf = (content: unknown): Buffer =>
  Buffer.isBuffer(content) ? content : Buffer.from(typeof content === "string" ? content : JSON.stringify(content));
