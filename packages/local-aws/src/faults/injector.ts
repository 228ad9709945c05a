/** Faults of calls injected by seed, so that a failing run can be repeated. */
import { AwsError } from "../contracts";
import { type CallFault, type CallRule, type InjectedFault, isTimeOf } from "./schedule";

export interface Fault {
  readonly kind: CallFault;
  readonly delayMs: number;
}

export interface Call {
  /** Signing name, e.g. `dynamodb`. */
  readonly service: string;
  readonly action: string;
  /** Absent when the caller is not a function. */
  readonly functionName?: string | undefined;
}

const THROTTLE_CODES: Readonly<Record<string, readonly [string, number]>> = {
  dynamodb: ["ProvisionedThroughputExceededException", 400],
  kinesis: ["ProvisionedThroughputExceededException", 400],
  firehose: ["ServiceUnavailableException", 503],
  s3: ["SlowDown", 503],
  lambda: ["TooManyRequestsException", 429],
  sns: ["Throttled", 429],
};

export class FaultInjector {
  private readonly rules: readonly ActiveRule[];
  private readonly counts = new Map<string, InjectedFault>();
  private readonly beganMs: number;

  /**
   * `seed` is any 32-bit integer. A rule decides about its first, second, … matching call in the same way under the same seed, whatever
   * other calls come between.
   */
  constructor(
    seed: number,
    rules: readonly CallRule[],
    private readonly now: () => number = Date.now,
  ) {
    this.beganMs = now();
    this.rules = rules.map((rule, index) => new ActiveRule(rule, (seed ^ Math.imul(index, 0x9e3779b9)) >>> 0));
  }

  /** The fault of one call, if any; the first matching rule that hits wins. */
  next(call: Call): Fault | undefined {
    const seconds = (this.now() - this.beganMs) / 1000;
    // Each rule sees the call even if another has hit, so that its count depends on nothing else.
    const [hit] = this.rules.filter((rule) => rule.sees(call, seconds));
    if (hit === undefined) return undefined;
    hit.hits += 1;
    const { kind, delayMs = 100 } = hit.rule;
    const target = `${call.service} ${call.action}`;
    const key = `${kind} ${target}`;
    this.counts.set(key, { kind, target, count: (this.counts.get(key)?.count ?? 0) + 1 });
    return { kind, delayMs };
  }

  injected(): readonly InjectedFault[] {
    return [...this.counts.values()];
  }
}

class ActiveRule {
  hits = 0;
  private seen = 0;

  constructor(
    readonly rule: CallRule,
    private state: number,
  ) {}

  /** Counts a call that matches, and tells whether the rule hits it. */
  sees(call: Call, seconds: number): boolean {
    const { rule } = this;
    if (rule.service !== call.service || (rule.action !== undefined && rule.action !== call.action)) return false;
    if (rule.kind === "crash" && call.functionName === undefined) return false;
    if (rule.functionName !== undefined && call.functionName?.includes(rule.functionName) !== true) return false;
    if (!isTimeOf(rule, seconds) || (rule.times !== undefined && this.hits >= rule.times)) return false;
    this.seen += 1;
    if (rule.nth !== undefined) return this.seen === rule.nth;
    if (rule.every !== undefined) return this.seen % rule.every === 0;
    return this.random() < rule.probability;
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
