/** Faults injected by seed, so that a failing run can be repeated exactly. */
import { AwsError } from "../contracts";

/**
 * - `throttle`: refused with the service's throttling code, nothing happens;
 * - `error`: refused with a server error, nothing happens;
 * - `slow`: carried out after `delayMs`;
 * - `lost-reply`: carried out, but the client gets a server error and retries what already happened;
 * - `duplicate`: carried out twice; the client gets the second response.
 */
type FaultKind = "throttle" | "error" | "slow" | "lost-reply" | "duplicate";

export interface FaultRule {
  readonly kind: FaultKind;
  /** Signing name, e.g. `dynamodb`. */
  readonly service: string;
  /** API action; absent: every action of the service. */
  readonly action?: string;
  /** 0 to 1. */
  readonly probability: number;
  /** For `slow`; default 100 ms. */
  readonly delayMs?: number;
  /** Stops after this many hits; absent: never. */
  readonly times?: number;
}

export interface Fault {
  readonly kind: FaultKind;
  readonly delayMs: number;
}

const THROTTLE_CODES: Readonly<Record<string, readonly [string, number]>> = {
  dynamodb: ["ProvisionedThroughputExceededException", 400],
  kinesis: ["ProvisionedThroughputExceededException", 400],
  s3: ["SlowDown", 503],
  lambda: ["TooManyRequestsException", 429],
  sns: ["Throttled", 429],
};

export class FaultInjector {
  private readonly rules: { readonly rule: FaultRule; hits: number }[];
  private state: number;

  /** `seed` is any 32-bit integer; the same seed and the same order of requests give the same faults. */
  constructor(seed: number, rules: readonly FaultRule[]) {
    for (const rule of rules) {
      if (!(rule.probability >= 0 && rule.probability <= 1))
        throw new Error(`Fault ${rule.kind} on ${rule.service}: probability must be from 0 to 1, got ${rule.probability}.`);
    }
    this.state = seed >>> 0;
    this.rules = rules.map((rule) => ({ rule, hits: 0 }));
  }

  /** The fault for one request, if any; the first matching rule that hits wins. */
  next(service: string, action: string): Fault | undefined {
    for (const entry of this.rules) {
      const { rule } = entry;
      if (rule.service !== service || (rule.action !== undefined && rule.action !== action)) continue;
      if (rule.times !== undefined && entry.hits >= rule.times) continue;
      if (this.random() >= rule.probability) continue;
      entry.hits += 1;
      return { kind: rule.kind, delayMs: rule.delayMs ?? 100 };
    }
    return undefined;
  }

  /** mulberry32: small, seedable, good enough to choose victims. */
  private random(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = this.state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
}

export function throttled(service: string): AwsError {
  const [code, status] = THROTTLE_CODES[service] ?? ["ThrottlingException", 400];
  return new AwsError(code, `Rate exceeded (injected fault on ${service}).`, status);
}

export function serverError(service: string): AwsError {
  const code = service === "s3" ? "InternalError" : "InternalServerError";
  return new AwsError(code, `Internal error (injected fault on ${service}).`, 500);
}
