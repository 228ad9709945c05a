import type { EventsStore, Rule } from "./store";

export interface EventEnvelope {
  readonly version: "0";
  readonly id: string;
  readonly "detail-type": string;
  readonly source: string;
  readonly account: string;
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: unknown;
}

export interface EventParts {
  readonly source: string;
  readonly detailType: string;
  readonly detail: unknown;
  readonly resources: readonly string[];
  readonly timeMs: number;
}

/** What the operations need of the service. */
export interface EventPort {
  readonly store: EventsStore;
  readonly now: () => number;
  busArn(name: string): string;
  /** Name of a bus given by name, ARN or not at all. */
  busName(nameOrArn: string | undefined): string;
  ruleArn(rule: Pick<Rule, "bus" | "name">): string;
  envelope(event: EventParts): EventEnvelope;
  publish(bus: string, event: EventEnvelope): void;
}
