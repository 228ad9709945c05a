import type { Input } from "../messaging/input";
import { type Operation, page } from "../messaging/operations";
import type { EventsStore, Rule, Target } from "./store";

/** What the operation needs of the service. */
interface RulePort {
  readonly store: Pick<EventsStore, "rule" | "targets">;
  busName(nameOrArn: string | undefined): string;
  ruleArn(rule: Pick<Rule, "bus" | "name">): string;
}

export function listTargetsOperation(events: RulePort): Operation {
  const ruleIn = (input: Input) => ({ bus: events.busName(input.text("EventBusName")), name: input.needText("Rule") });
  return {
    fields: ["Rule", "EventBusName", "NextToken", "Limit"],
    resource: (input) => events.ruleArn(ruleIn(input)),
    run: (input) => {
      const { bus, name } = events.store.rule(ruleIn(input).bus, ruleIn(input).name);
      const limit = input.integer("Limit", 1, 100) ?? 100;
      const { items, nextToken } = page(events.store.targets(bus, name), input.text("NextToken"), limit);
      return { Targets: items.map(described), NextToken: nextToken };
    },
  };
}

function described({ DeadLetterArn, MaximumRetryAttempts, MaximumEventAgeInSeconds, ...rest }: Target): object {
  return {
    ...rest,
    ...(DeadLetterArn === undefined ? {} : { DeadLetterConfig: { Arn: DeadLetterArn } }),
    RetryPolicy: { MaximumRetryAttempts, MaximumEventAgeInSeconds },
  };
}
