/** The deployed state machines. */
import { createHash } from "node:crypto";
import { AwsError } from "../../contracts";
import type { LogLevel } from "./history";
import type { Program } from "./language/program";

export interface Logging {
  readonly level: LogLevel;
  readonly includeExecutionData: boolean;
  readonly groupArn: string;
}

export interface StateMachine {
  readonly name: string;
  readonly arn: string;
  readonly roleArn: string;
  readonly definition: string;
  readonly program: Program;
  readonly logging: Logging | undefined;
  /** Milliseconds since the epoch. */
  readonly createdMs: number;
  readonly updatedMs: number;
}

/** An id that changes with what the machine does. */
export function revisionId(machine: Pick<StateMachine, "definition" | "roleArn">): string {
  const hex = createHash("sha256").update(`${machine.roleArn}\n${machine.definition}`).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

export class StateMachines {
  private readonly byArn = new Map<string, StateMachine>();

  /** Adds a machine or changes what its next executions run. */
  put(machine: Omit<StateMachine, "createdMs" | "updatedMs">, nowMs: number): void {
    const createdMs = this.byArn.get(machine.arn)?.createdMs ?? nowMs;
    this.byArn.set(machine.arn, { ...machine, createdMs, updatedMs: nowMs });
  }

  /** @throws AwsError StateMachineDoesNotExist. */
  get(arn: string): StateMachine {
    const found = this.byArn.get(arn);
    if (found !== undefined) return found;
    throw new AwsError("StateMachineDoesNotExist", `State Machine Does Not Exist: '${arn}'`);
  }

  delete(arn: string): void {
    this.byArn.delete(arn);
  }

  all(): StateMachine[] {
    return [...this.byArn.values()].sort((left, right) => (left.name < right.name ? -1 : 1));
  }
}
