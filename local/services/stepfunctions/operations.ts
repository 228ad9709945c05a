/** The Step Functions API. Machines are changed in the program, not over the API. */
import { randomUUID } from "node:crypto";
import { AwsError } from "../../contracts";
import type { Input } from "../messaging/input";
import { type Operation, page } from "../messaging/operations";
import { describeEvent } from "./history";
import type { StepFunctionsService } from "./index";
import { revisionId, type StateMachine } from "./machines";
import type { Execution } from "./store";

const statuses = ["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"];
const maxResults = 1000;

export function stepFunctionsOperations(service: StepFunctionsService): Record<string, Operation> {
  const { store } = service;
  const onMachine = (fields: readonly string[], run: (machine: StateMachine, input: Input) => object): Operation => ({
    fields: ["stateMachineArn", ...fields],
    resource: (input) => input.needText("stateMachineArn"),
    run: (input) => run(service.machines.get(input.needText("stateMachineArn")), input),
  });
  const onExecution = (fields: readonly string[], run: (execution: Execution, input: Input) => object): Operation => ({
    fields: ["executionArn", ...fields],
    resource: (input) => input.needText("executionArn"),
    run: (input) => run(store.get(input.needText("executionArn")), input),
  });
  return {
    StartExecution: onMachine(["name", "input", "traceHeader"], (machine, input) => {
      const execution = service.start(machine.arn, input.text("name") ?? randomUUID(), input.text("input") ?? "{}");
      return { executionArn: execution.arn, startDate: new Date(execution.startedMs) };
    }),
    StopExecution: onExecution(["error", "cause"], (execution, input) => {
      service.executions.stop(execution.arn, input.text("error"), input.text("cause"));
      return { stopDate: new Date(store.get(execution.arn).stoppedMs ?? service.timers.now()) };
    }),
    DescribeExecution: onExecution(["includedData"], describeExecution),
    ListExecutions: onMachine(["statusFilter", "maxResults", "nextToken"], (machine, input) => {
      const status = input.text("statusFilter");
      if (status !== undefined && !statuses.includes(status))
        throw input.error(`statusFilter must be one of ${statuses.join(", ")}, got ${status}`);
      const { items, nextToken } = page(store.ofMachine(machine.arn, status), input.text("nextToken"), limitOf(input));
      return { executions: items.map(summary), nextToken };
    }),
    GetExecutionHistory: onExecution(["maxResults", "reverseOrder", "nextToken", "includeExecutionData"], (execution, input) => {
      const limit = limitOf(input);
      const offset = offsetOf(input.text("nextToken"));
      const newestFirst = input.flag("reverseOrder") ?? false;
      const events = store.events(execution.arn, { newestFirst, offset, limit: limit + 1 });
      return {
        events: events.slice(0, limit).map((event) => describeEvent(event, input.flag("includeExecutionData") ?? true)),
        nextToken: events.length > limit ? String(offset + limit) : undefined,
      };
    }),
    DescribeStateMachine: onMachine(["includedData"], (machine) => ({
      ...describeMachine(machine),
      status: "ACTIVE",
      type: "STANDARD",
      creationDate: new Date(machine.createdMs),
    })),
    DescribeStateMachineForExecution: onExecution(["includedData"], (execution) => {
      const machine = service.machines.get(execution.machineArn);
      const own = { ...machine, definition: execution.definition, roleArn: execution.roleArn };
      return { ...describeMachine(own), updateDate: new Date(machine.updatedMs) };
    }),
    ListStateMachines: {
      fields: ["maxResults", "nextToken"],
      resource: () => "*",
      run: (input) => {
        const { items, nextToken } = page(service.machines.all(), input.text("nextToken"), limitOf(input));
        return {
          stateMachines: items.map(({ arn, name, createdMs }) => ({
            stateMachineArn: arn,
            name,
            type: "STANDARD",
            creationDate: new Date(createdMs),
          })),
          nextToken,
        };
      },
    },
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
  return {
    ...summary(execution),
    input,
    inputDetails: { included: true },
    ...(output === undefined ? {} : { output, outputDetails: { included: true } }),
    ...(error === undefined ? {} : { error }),
    ...(cause === undefined ? {} : { cause }),
    redriveCount: 0,
    redriveStatus: "NOT_REDRIVABLE",
  };
}

function describeMachine(machine: StateMachine): object {
  const { logging } = machine;
  return {
    stateMachineArn: machine.arn,
    name: machine.name,
    definition: machine.definition,
    roleArn: machine.roleArn,
    revisionId: revisionId(machine),
    loggingConfiguration:
      logging === undefined
        ? { level: "OFF", includeExecutionData: false }
        : {
            level: logging.level,
            includeExecutionData: logging.includeExecutionData,
            destinations: [{ cloudWatchLogsLogGroup: { logGroupArn: logging.groupArn } }],
          },
  };
}
