/** Calls over the network: they take time, and the history's faults hit them. */
import type { FaultKind, Faults, Service } from "./faults";
import type { Process } from "./process";
import type { Random } from "./random";
import type { Scheduler } from "./scheduler";
import { connectionError, internalError, isRetried, throttledError, timeoutError } from "./service-errors";
import type { Trace } from "./trace";

export interface Call<T> {
  readonly service: Service;
  readonly action: string;
  /** What the trace says about it. */
  readonly detail?: string;
  /** Whether it changes something; a full disk refuses only such calls. */
  readonly writes: boolean;
  /** The service itself refuses single items of a call when it is short of units. */
  readonly isPartial?: boolean;
  /** Tries of the client, the first one included. */
  readonly attempts: number;
  readonly timeoutMs: number;
  /** What happens at the service; throws the service's errors. */
  readonly effect: () => T;
}

const READ_FAULTS: ReadonlySet<FaultKind> = new Set(["throttle", "error", "lost", "late", "slow"]);
const WRITE_FAULTS: ReadonlySet<FaultKind> = new Set([...READ_FAULTS, "full"]);
const PARTIAL_FAULTS: ReadonlySet<FaultKind> = new Set(["error", "lost", "late", "slow"]);
const LONGEST_TRIP_MS = 12;
const RETRY_MS = 100;

export class Network {
  constructor(
    private readonly scheduler: Scheduler,
    private readonly random: Random,
    private readonly faults: Faults,
    private readonly trace: Trace,
  ) {}

  async call<T>(process: Process, call: Call<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#once(process, call);
      } catch (error) {
        if (attempt >= call.attempts || !isRetried(error)) throw error;
        await process.sleep(this.random.between(0, RETRY_MS * 2 ** attempt));
      }
    }
  }

  #once<T>(process: Process, call: Call<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (!process.isAlive) return;
      const { service, timeoutMs, writes } = call;
      const kinds = call.isPartial ? PARTIAL_FAULTS : writes ? WRITE_FAULTS : READ_FAULTS;
      const fault = this.faults.draw(service, this.scheduler.now(), kinds);
      const crashes = !process.beginCall();
      // A process that crashes at a call may have sent it.
      if (crashes && this.random.chance(0.5)) {
        this.#tell(process, call, "crash before it was sent");
        return;
      }
      const answer = (settle: () => void, delay: number): void =>
        this.scheduler.after(delay, () => {
          if (process.isAlive) settle();
        });
      const trip = () => this.random.between(1, LONGEST_TRIP_MS);
      if (fault === "throttle" || fault === "error" || fault === "full") {
        this.#tell(process, call, fault);
        answer(() => reject(fault === "throttle" ? throttledError(service) : internalError()), trip());
        return;
      }
      if (fault === "late") {
        answer(() => reject(timeoutError()), timeoutMs);
        this.scheduler.after(this.random.between(timeoutMs / 2, timeoutMs * 3), () => this.#arrive(process, call, "late"));
        return;
      }
      const delay = fault === "slow" ? this.random.between(timeoutMs / 4, timeoutMs * 0.9) : trip();
      this.scheduler.after(delay, () => {
        const outcome = this.#arrive(process, call, crashes ? "crash after it was sent" : fault);
        if (fault === "lost") answer(() => reject(connectionError()), trip());
        else if (outcome.ok) answer(() => resolve(outcome.value), trip());
        else answer(() => reject(outcome.error), trip());
      });
    });
  }

  #arrive<T>(process: Process, call: Call<T>, note: string | undefined): { ok: true; value: T } | { ok: false; error: unknown } {
    try {
      const value = call.effect();
      this.#tell(process, call, note ?? "ok");
      return { ok: true, value };
    } catch (error) {
      this.#tell(process, call, `${note === undefined ? "" : `${note}, `}${error instanceof Error ? error.name : "error"}`);
      return { ok: false, error };
    }
  }

  #tell(process: Process, { service, action, detail }: Call<unknown>, outcome: string): void {
    this.trace(process.name, `${service}.${action}${detail === undefined ? "" : ` ${detail}`} → ${outcome}`);
  }
}
