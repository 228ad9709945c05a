/** Kills a function's process in the middle of an invocation, at a chosen call to AWS. */
import type { AwsRequest } from "../contracts";

export interface KillRule {
  /** The function's name. */
  readonly functionName: string;
  /** Name of the function's role, by which its calls are recognised. */
  readonly roleName: string;
  /** Signing name, e.g. `dynamodb`. */
  readonly service: string;
  readonly action: string;
  /** Kills after a service has carried out this many matching calls; the caller never gets the last response. */
  readonly afterCalls: number;
}

/** Shows whether a rule has fired. */
export interface KillOrder {
  /** Processes that it killed; 0 until it fires. */
  readonly killed: number;
}

export class KillSwitch {
  private readonly rules: { readonly rule: KillRule; readonly order: { killed: number }; seen: number }[] = [];

  constructor(private readonly kill: (functionName: string) => number) {}

  arm(rule: KillRule): KillOrder {
    const order = { killed: 0 };
    this.rules.push({ rule, order, seen: 0 });
    return order;
  }

  /** Called for each request that a service has carried out. */
  handled(request: AwsRequest): void {
    for (const entry of [...this.rules]) {
      const { rule } = entry;
      const { principal } = request;
      const matches =
        principal.kind === "role" &&
        principal.roleName === rule.roleName &&
        rule.service === request.service &&
        rule.action === request.action;
      if (!matches) continue;
      entry.seen += 1;
      if (entry.seen < rule.afterCalls) continue;
      this.rules.splice(this.rules.indexOf(entry), 1);
      entry.order.killed = this.kill(rule.functionName);
    }
  }
}
