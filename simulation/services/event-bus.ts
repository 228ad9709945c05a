/** EventBridge: entries are accepted one by one, and delivered to the rules' targets at least once, after a while. */
import type { PutEventsCommandInput, PutEventsRequestEntry } from "@aws-sdk/client-eventbridge";
import type { Random } from "../kernel/random";
import type { Scheduler } from "../kernel/scheduler";

export interface BusRule {
  readonly detailType: string;
  /** Gets the envelope's text. */
  readonly deliver: (envelope: string) => void;
}

const LONGEST_DELIVERY_MS = 3_000;

export class EventBus {
  readonly accepted: PutEventsRequestEntry[] = [];

  constructor(
    private readonly rules: readonly BusRule[],
    private readonly scheduler: Scheduler,
    private readonly random: Random,
    /** Whether one entry is refused now. */
    private readonly isRefused: () => boolean,
    private readonly repeats: () => boolean,
  ) {}

  handle(action: string, input: object): object {
    if (action !== "PutEvents") throw new Error(`The simulated EventBridge doesn't know ${action}.`);
    const { Entries: entries = [] } = input as PutEventsCommandInput;
    const answers = entries.map((entry) => {
      if (this.isRefused()) return { ErrorCode: "ThrottlingException", ErrorMessage: "Rate exceeded." };
      this.accepted.push(entry);
      this.#route(entry);
      return { EventId: String(this.accepted.length) };
    });
    return { Entries: answers, FailedEntryCount: answers.filter(({ ErrorCode }) => ErrorCode !== undefined).length };
  }

  #route({ DetailType, Detail, Source, Time }: PutEventsRequestEntry): void {
    const envelope = `{"id":"event-${this.accepted.length}","source":${JSON.stringify(Source)},"detail-type":${JSON.stringify(DetailType)},"time":${JSON.stringify(Time)},"detail":${Detail}}`;
    for (const rule of this.rules) {
      if (rule.detailType !== DetailType) continue;
      for (let times = this.repeats() ? 2 : 1; times > 0; times--)
        this.scheduler.after(this.random.between(5, LONGEST_DELIVERY_MS), () => rule.deliver(envelope));
    }
  }
}
