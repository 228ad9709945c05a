/** The deployed state machines. */
import { AwsError } from "../../contracts";
import type { Program } from "./language/program";

export interface StateMachine {
  readonly name: string;
  readonly arn: string;
  readonly roleArn: string;
  readonly definition: string;
  readonly program: Program;
  /** ARN of the log group that gets every event with its data; undefined without logging. */
  readonly logGroupArn: string | undefined;
}

export class StateMachines {
  private readonly byArn = new Map<string, StateMachine>();

  /** Adds a machine or changes what its next executions run. */
  put(machine: StateMachine): void {
    this.byArn.set(machine.arn, machine);
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
    return [...this.byArn.values()];
  }
}
