/** What goes wrong, where and when. */
import type { Random } from "./random";

export type Service = "dynamodb" | "s3" | "bus" | "sqs" | "redshift" | "kinesis" | "lambda" | "api";

/**
 * - throttle, error: refused without effect
 * - lost: the effect happens, the reply doesn't arrive
 * - late: the caller's time limit passes, and the effect happens before or after that
 * - slow: takes nearly as long as the caller waits
 * - full: as a full disk behaves: reads succeed, every write is refused with a server error
 * - crash: the process that calls ends there
 * - duplicate: what the service delivers arrives once more
 */
export type FaultKind = "throttle" | "error" | "lost" | "late" | "slow" | "full" | "crash" | "duplicate";

export interface Fault {
  readonly kind: FaultKind;
  readonly service: Service | "all";
  /** Milliseconds since the history's start. */
  readonly from: number;
  readonly until: number;
  /** Share of the calls that it hits. */
  readonly share: number;
}

export class Faults {
  constructor(
    private readonly faults: readonly Fault[],
    private readonly startMs: number,
    private readonly random: Random,
  ) {}

  /** The fault that hits a call now; undefined: none. */
  draw(service: Service, nowMs: number, kinds: ReadonlySet<FaultKind>): FaultKind | undefined {
    const at = nowMs - this.startMs;
    for (const fault of this.faults) {
      if (at < fault.from || at >= fault.until || !kinds.has(fault.kind)) continue;
      if (fault.service !== "all" && fault.service !== service) continue;
      if (this.random.chance(fault.share)) return fault.kind;
    }
    return undefined;
  }
}
