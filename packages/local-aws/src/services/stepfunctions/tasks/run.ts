/** One attempt of a Task state: its events, its timeout, and its integration under the machine's role. */
import { notTruncated } from "../history";
import { StatesError } from "../language/errors";
import type { State } from "../language/program";
import type { Branch, InterpreterPorts } from "../ports";
import type { Structure } from "./integration";

type Task = Extract<State, { readonly type: "Task" }>;

/** Resolves to the task's result. @throws StatesError, or the branch's reason when it is aborted. */
export async function runTask(ports: InterpreterPorts, task: Task, parameters: Structure, branch: Branch): Promise<unknown> {
  const { timeoutSeconds, integration } = task;
  const { resource, resourceType } = integration;
  const record = (kind: string, details: Structure = {}) =>
    ports.record(branch, `Task${kind}`, { resource, resourceType, ...details });
  const failed = (kind: "Failed" | "TimedOut", { error, causeText }: StatesError) =>
    record(kind, causeText === undefined ? { error } : { error, cause: causeText });
  record("Scheduled", {
    region: ports.tasks.region,
    parameters: JSON.stringify(parameters),
    ...(timeoutSeconds === undefined ? {} : { timeoutInSeconds: timeoutSeconds }),
  });
  record("Started");
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
    const result = await integration.run(parameters, {
      ...ports.tasks,
      signal,
      submitted: (output) => record("Submitted", { output: JSON.stringify(output), outputDetails: notTruncated }),
      pause: (ms) => ports.timers.sleep(ms, signal),
      log: ports.log,
    });
    // A result that comes together with an abort is not used, as the stopped job's is not.
    signal.throwIfAborted();
    record("Succeeded", { output: JSON.stringify(result), outputDetails: notTruncated });
    return result;
  } catch (thrown) {
    branch.signal.throwIfAborted();
    if (late.signal.aborted) {
      failed("TimedOut", timedOut);
      throw timedOut;
    }
    if (thrown instanceof StatesError) failed("Failed", thrown);
    throw thrown;
  } finally {
    ended.abort();
  }
}
