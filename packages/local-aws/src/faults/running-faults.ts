/** The faults of a running platform: replaced as a whole, counted until they are replaced. */
import { FaultInjector } from "./injector";
import { type Machine, MachineFaults } from "./machine-faults";
import { checkRules } from "./read-schedule";
import { type FaultRule, type InjectedFault, isMachineRule } from "./schedule";

interface FaultPorts {
  /** Where faults of calls take effect. */
  readonly endpoint: { injectFaults(faults: FaultInjector | undefined): void };
  readonly machine: Machine;
}

export class RunningFaults {
  private calls: FaultInjector | undefined;
  private machine: MachineFaults | undefined;

  constructor(private readonly ports: FaultPorts) {}

  /** Replaces the faults; an empty list stops them. @throws Error with every problem of the rules */
  inject(seed: number, rules: readonly FaultRule[]): void {
    checkRules(rules);
    this.end();
    const ofCalls = rules.filter((rule) => !isMachineRule(rule));
    this.calls = new FaultInjector(seed, ofCalls);
    this.machine = new MachineFaults(rules.filter(isMachineRule), this.ports.machine);
    this.ports.endpoint.injectFaults(ofCalls.length === 0 ? undefined : this.calls);
  }

  /** What happened since the last {@link inject}. */
  injected(): readonly InjectedFault[] {
    return [...(this.calls?.injected() ?? []), ...(this.machine?.injected() ?? [])];
  }

  /** Nothing more happens; what happened stays counted. */
  end(): void {
    this.ports.endpoint.injectFaults(undefined);
    this.machine?.end();
  }
}
