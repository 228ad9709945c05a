/** One attempt of a Task state: its events, its timeout, and its integration under the machine's role. */
import { notTruncated } from "../history";
import type { Branch, InterpreterPorts } from "../interpreter";
import { runtimeError, StatesError } from "../language/errors";
import type { State } from "../language/program";
import type { TaskPort } from "./integration";

/** What every task of an execution uses. */
export type TaskServices = Omit<TaskPort, "signal" | "submitted" | "pause" | "log"> & { readonly region: string };

type Task = Extract<State, { readonly type: "Task" }>;

/** Names an attempt's events: those of a plain function ARN have a family of their own. */
class TaskEvents {
  private readonly resource: Readonly<Record<string, string>>;

  constructor(
    private readonly ports: InterpreterPorts,
    private readonly task: Task,
    private readonly branch: Branch,
  ) {
    const { resource, resourceType, isFunctionArn } = task.integration;
    this.resource = isFunctionArn ? {} : { resource, resourceType };
  }

  scheduled(parameters: unknown, timeoutInSeconds: number | undefined): void {
    const { isFunctionArn, resource } = this.task.integration;
    const data = JSON.stringify(parameters);
    const timeout = timeoutInSeconds === undefined ? {} : { timeoutInSeconds };
    if (isFunctionArn) this.record("Scheduled", { resource, input: data, inputDetails: notTruncated, ...timeout });
    else this.record("Scheduled", { region: this.ports.tasks.region, parameters: data, ...timeout });
    this.record("Started", {});
  }

  submitted(output: unknown): void {
    this.record("Submitted", { output: JSON.stringify(output), outputDetails: notTruncated });
  }

  succeeded(output: unknown): void {
    this.record("Succeeded", { output: JSON.stringify(output), outputDetails: notTruncated });
  }

  failed(kind: "Failed" | "TimedOut", { error, causeText }: StatesError): void {
    this.record(kind, causeText === undefined ? { error } : { error, cause: causeText });
  }

  private record(kind: string, details: Readonly<Record<string, unknown>>): void {
    const family = this.task.integration.isFunctionArn ? "LambdaFunction" : "Task";
    const known = { ...this.resource, ...details };
    this.ports.record(this.branch, `${family}${kind}`, Object.keys(known).length === 0 ? undefined : known);
  }
}

/** Resolves to the task's result. @throws StatesError, or the branch's reason when it is aborted. */
export async function runTask(
  ports: InterpreterPorts,
  task: Task,
  parameters: unknown,
  timeout: unknown,
  branch: Branch,
): Promise<unknown> {
  const timeoutSeconds = secondsOf(task, timeout);
  const events = new TaskEvents(ports, task, branch);
  events.scheduled(parameters, timeoutSeconds);
  const ended = new AbortController();
  const late = new AbortController();
  const timedOut = new StatesError("States.Timeout", `The task '${task.name}' did not end within ${timeoutSeconds} seconds.`);
  if (timeoutSeconds !== undefined)
    ports.timers.sleep(timeoutSeconds * 1000, AbortSignal.any([branch.signal, ended.signal])).then(
      () => late.abort(timedOut),
      // The task ended first.
      () => undefined,
    );
  const signal = AbortSignal.any([branch.signal, late.signal]);
  try {
    const result = await task.integration.run(parameters, {
      ...ports.tasks,
      signal,
      submitted: (output) => events.submitted(output),
      pause: (ms) => ports.timers.sleep(ms, signal),
      log: ports.log,
    });
    // A result that comes together with an abort is not used, as the stopped job's is not.
    signal.throwIfAborted();
    events.succeeded(result);
    return result;
  } catch (thrown) {
    branch.signal.throwIfAborted();
    if (late.signal.aborted) {
      events.failed("TimedOut", timedOut);
      throw timedOut;
    }
    if (thrown instanceof StatesError) events.failed("Failed", thrown);
    throw thrown;
  } finally {
    ended.abort();
  }
}

function secondsOf(task: Task, timeout: unknown): number | undefined {
  if (timeout === undefined || (typeof timeout === "number" && Number.isInteger(timeout) && timeout > 0)) return timeout;
  throw runtimeError(
    `The timeout of the task '${task.name}' must be a positive integer of seconds, got ${JSON.stringify(timeout)}.`,
  );
}
