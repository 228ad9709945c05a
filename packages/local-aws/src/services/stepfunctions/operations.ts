/** The part of the Step Functions API that the commands use. Machines are changed in the program. */
import { randomUUID } from "node:crypto";
import { AwsError } from "../../contracts";
import type { Input } from "../messaging/input";
import { type Operation, page } from "../messaging/operations";
import { describeEvent } from "./history";
import type { Program } from "./language/program";
import type { Execution, ExecutionStore } from "./store";

export interface StateMachine {
  readonly name: string;
  readonly arn: string;
  readonly roleArn: string;
  readonly definition: string;
  readonly program: Program;
  /** ARN of the log group that gets every event with its data; undefined without logging. */
  readonly logGroupArn: string | undefined;
}

export interface Workflows {
  /** @throws AwsError StateMachineDoesNotExist */
  machine(arn: string): StateMachine;
  readonly store: ExecutionStore;
  start(machineArn: string, name: string, input: string): Execution;
}

const maxResults = 1000;

export function stepFunctionsOperations({ machine, store, start }: Workflows): Record<string, Operation> {
  const onMachine = (fields: readonly string[], run: (machine: StateMachine, input: Input) => object): Operation => ({
    fields: ["stateMachineArn", ...fields],
    resource: (input) => input.needText("stateMachineArn"),
    run: (input) => run(machine(input.needText("stateMachineArn")), input),
  });
  const onExecution = (fields: readonly string[], run: (execution: Execution, input: Input) => object): Operation => ({
    fields: ["executionArn", ...fields],
    resource: (input) => input.needText("executionArn"),
    run: (input) => run(store.get(input.needText("executionArn")), input),
  });
  return {
    StartExecution: onMachine(["name", "input"], (machine, input) => {
      const execution = start(machine.arn, input.text("name") ?? randomUUID(), input.text("input") ?? "{}");
      return { executionArn: execution.arn, startDate: new Date(execution.startedMs) };
    }),
    DescribeExecution: onExecution([], describeExecution),
    ListExecutions: onMachine(["maxResults", "nextToken"], (machine, input) => {
      const { items, nextToken } = page(store.ofMachine(machine.arn), input.text("nextToken"), limitOf(input));
      return { executions: items.map(summary), nextToken };
    }),
    GetExecutionHistory: onExecution(["maxResults", "nextToken"], (execution, input) => {
      const limit = limitOf(input);
      const offset = offsetOf(input.text("nextToken"));
      const events = store.events(execution.arn, offset, limit + 1);
      return {
        events: events.slice(0, limit).map(describeEvent),
        nextToken: events.length > limit ? String(offset + limit) : undefined,
      };
    }),
  };
}

/** 0 asks for the default. */
const limitOf = (input: Input): number => input.integer("maxResults", 0, maxResults) || 100;

function offsetOf(token: string | undefined): number {
  const offset = token === undefined ? 0 : Number(token);
  if (Number.isInteger(offset) && offset >= 0) return offset;
  throw new AwsError("InvalidToken", `Invalid Token: '${token}' is not one that this service returned.`);
}

function summary({ arn, machineArn, name, status, startedMs, stoppedMs }: Execution) {
  return {
    executionArn: arn,
    stateMachineArn: machineArn,
    name,
    status,
    startDate: new Date(startedMs),
    ...(stoppedMs === undefined ? {} : { stopDate: new Date(stoppedMs) }),
  };
}

function describeExecution(execution: Execution): object {
  const { input, output, error, cause } = execution;
  const included = { included: true };
  return {
    ...summary(execution),
    input,
    inputDetails: included,
    ...(output === undefined ? {} : { output, outputDetails: included }),
    ...(error === undefined ? {} : { error }),
    ...(cause === undefined ? {} : { cause }),
    redriveCount: 0,
    redriveStatus: "NOT_REDRIVABLE",
  };
}
