/** The running executions: each has its history, ends once, and stops what it waits for when it is aborted. */
import { AwsError, type LocalContext } from "../../contracts";
import { transaction } from "../messaging/database";
import { type HistoryEvent, logLine, maxEvents, notTruncated } from "./history";
import { Interpreter } from "./interpreter";
import { runtimeError, StatesError } from "./language/errors";
import type { StateMachine } from "./operations";
import type { Branch } from "./ports";
import type { Ending, Execution, ExecutionStore } from "./store";
import { type Perform, RoleCalls, rolePrincipal } from "./tasks/calls";
import type { Timers } from "./timers";

export interface ExecutionPorts {
  readonly perform: Perform;
  readonly timers: Timers;
  readonly random: () => number;
  /** Interval between two polls of a job. */
  readonly pollMs: number;
  /** Called after every change of status. */
  readonly changed: (execution: Execution) => void;
  readonly writeLog: (groupArn: string, stream: string, line: string) => void;
}

interface Running {
  readonly machine: StateMachine;
  readonly execution: Execution;
  readonly abort: AbortController;
  lastId: number;
  ended: boolean;
  settled: Promise<void>;
}

/** The execution ended in another way than by its own last state. */
class Ended extends Error {}

export class Executions {
  private readonly running = new Map<string, Running>();

  constructor(
    private readonly context: LocalContext,
    private readonly store: ExecutionStore,
    private readonly ports: ExecutionPorts,
  ) {}

  start(machine: StateMachine, arn: string, name: string, input: string): Execution {
    const execution: Execution = {
      arn,
      machineArn: machine.arn,
      name,
      status: "RUNNING",
      input,
      startedMs: this.ports.timers.now(),
    };
    const running: Running = {
      machine,
      execution,
      abort: new AbortController(),
      lastId: 0,
      ended: false,
      settled: Promise.resolve(),
    };
    transaction(this.context.db, () => {
      this.store.add(execution);
      const details = { input, inputDetails: notTruncated, roleArn: machine.roleArn };
      this.record(running, 0, "ExecutionStarted", details);
    });
    this.running.set(arn, running);
    this.ports.changed(execution);
    running.settled = this.drive(running)
      .catch((error: unknown) => this.context.log(`Step Functions: ${arn} could not be ended: ${String(error)}`))
      .finally(() => this.running.delete(arn));
    return execution;
  }

  /** Aborts a running execution; nothing happens to one that has ended. */
  stop(arn: string, cause: string): void {
    const running = this.running.get(arn);
    if (running !== undefined) this.end(running, { status: "ABORTED", cause });
  }

  /** Resolves when the execution has ended and everything that it started has been stopped. */
  async settled(arn: string): Promise<void> {
    await this.running.get(arn)?.settled;
  }

  async stopAll(cause: string): Promise<void> {
    const all = [...this.running.values()];
    for (const { execution } of all) this.stop(execution.arn, cause);
    await Promise.all(all.map(({ settled }) => settled));
  }

  /** Ends what was running when the platform stopped without ending it. */
  abortLeftOver(cause: string): void {
    for (const execution of this.store.running()) {
      const id = this.store.lastEventId(execution.arn);
      const timestamp = this.ports.timers.now();
      const event = { id: id + 1, previousEventId: id, type: "ExecutionAborted", timestamp, details: { cause } };
      const ended = transaction(this.context.db, () => {
        this.store.addEvent(execution.arn, event);
        return this.store.end(execution.arn, { status: "ABORTED", cause }, timestamp);
      });
      this.ports.changed(ended);
    }
  }

  private async drive(running: Running): Promise<void> {
    const { machine, execution, abort } = running;
    // The first state follows nothing: its event names 0, not ExecutionStarted (Step Functions Developer Guide, "Step Functions Local").
    const branch: Branch = { signal: abort.signal, previous: 0, item: undefined };
    if (machine.program.timeoutSeconds !== undefined) this.limit(running, machine.program.timeoutSeconds);
    try {
      const input: unknown = JSON.parse(execution.input);
      const output = await this.interpreter(running, input).run(machine.program, input, branch);
      this.end(running, { status: "SUCCEEDED", output: JSON.stringify(output ?? null) }, branch);
    } catch (thrown) {
      if (running.ended) return;
      const error = thrown instanceof StatesError ? thrown : runtimeError(`The local runtime failed: ${String(thrown)}`);
      this.end(running, { status: "FAILED", error: error.error, cause: error.causeText }, branch);
    }
  }

  /** TimeoutSeconds of the whole machine. */
  private limit(running: Running, seconds: number): void {
    this.ports.timers.sleep(seconds * 1000, running.abort.signal).then(
      () => {
        const cause = `The execution did not end within ${seconds} seconds.`;
        this.end(running, { status: "TIMED_OUT", error: "States.Timeout", cause });
      },
      // It ended first.
      () => undefined,
    );
  }

  private interpreter(running: Running, input: unknown): Interpreter {
    const { machine, execution } = running;
    const calls = new RoleCalls(
      this.context,
      this.ports.perform,
      rolePrincipal(machine.roleArn, execution.name, this.context.accountId),
    );
    return new Interpreter({
      timers: this.ports.timers,
      random: this.ports.random,
      log: this.context.log,
      tasks: {
        region: this.context.region,
        executionArn: execution.arn,
        pollMs: this.ports.pollMs,
        call: (service, action, request) => calls.call(service, action, request),
        invoke: (functionName, payload) => calls.invoke(functionName, payload),
      },
      context: {
        Execution: {
          Id: execution.arn,
          Input: input,
          Name: execution.name,
          RoleArn: machine.roleArn,
          StartTime: new Date(execution.startedMs).toISOString(),
          RedriveCount: 0,
        },
        StateMachine: { Id: machine.arn, Name: machine.name },
      },
      record: (branch, type, details) => {
        if (running.ended) throw new Ended();
        if (running.lastId >= maxEvents - 1)
          throw runtimeError(`The execution reached the maximum number of history events (${maxEvents}).`);
        branch.previous = this.record(running, branch.previous, type, details);
      },
    });
  }

  private record(running: Running, previousEventId: number, type: string, details?: HistoryEvent["details"]): number {
    const { execution, machine } = running;
    const id = running.lastId + 1;
    const event: HistoryEvent = { id, previousEventId, type, timestamp: this.ports.timers.now(), details };
    this.store.addEvent(execution.arn, event);
    running.lastId = id;
    if (machine.logGroupArn !== undefined) {
      const hour = new Date(execution.startedMs).toISOString().slice(0, 13).replace("T", "-");
      const stream = `states/${machine.name}/${hour}/${execution.name}`;
      this.ports.writeLog(machine.logGroupArn, stream, logLine(event, execution.arn));
    }
    return id;
  }

  /** The one place where an execution ends: history, status, signal. */
  private end(running: Running, ending: Ending, branch?: Branch): void {
    if (running.ended) return;
    const { execution } = running;
    const types = {
      SUCCEEDED: "ExecutionSucceeded",
      FAILED: "ExecutionFailed",
      TIMED_OUT: "ExecutionTimedOut",
      ABORTED: "ExecutionAborted",
    };
    const { status, output, error, cause } = ending;
    const details =
      output === undefined
        ? { ...(error === undefined ? {} : { error }), ...(cause === undefined ? {} : { cause }) }
        : { output, outputDetails: notTruncated };
    const ended = transaction(this.context.db, () => {
      this.record(running, branch?.previous ?? running.lastId, types[status], details);
      return this.store.end(execution.arn, ending, this.ports.timers.now());
    });
    running.ended = true;
    running.abort.abort(new Ended());
    this.ports.changed(ended);
  }
}

/** The name of an execution: developer guide, "StartExecution". @throws AwsError InvalidName. */
export function checkName(name: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: AWS refuses control characters by name
  if (name.length >= 1 && name.length <= 80 && !/[\s<>{}[\]?*"#%\\^|~`$&,;:/\u0000-\u001f\u007f-\u009f]/.test(name)) return;
  throw new AwsError(
    "InvalidName",
    `Invalid Name: '${name}': 1 to 80 characters without whitespace, brackets, wildcards and " # % \\ ^ | ~ \` $ & , ; : /`,
  );
}
