/**
 * Runs a compiled program: transitions, data flow, Retry, Catch and Map.
 * Source: Amazon States Language specification and the Step Functions developer guide.
 */
import { notTruncated } from "./history";
import { covers, errorOutput, runtimeError, StatesError } from "./language/errors";
import type { Program, Retrier, State } from "./language/program";
import type { Branch, InterpreterPorts } from "./ports";
import { runTask } from "./tasks/run";

/** Bytes of a state's input or output: developer guide, "Quotas related to task executions". */
const maxDataBytes = 262_144;
/** What an inline Map without MaxConcurrency runs at once. */
const mapConcurrency = 40;

type Step = { readonly output: unknown; readonly next: string | undefined };

export class Interpreter {
  constructor(private readonly ports: InterpreterPorts) {}

  /** Resolves to the output. @throws StatesError, or the signal's reason when the branch is aborted. */
  async run(program: Program, input: unknown, branch: Branch): Promise<unknown> {
    let name: string | undefined = program.startAt;
    let data = input;
    while (name !== undefined) {
      branch.signal.throwIfAborted();
      const state = program.states.get(name);
      if (state === undefined) throw runtimeError(`The state '${name}' does not exist.`);
      ({ output: data, next: name } = await this.visit(state, data, branch));
    }
    return data;
  }

  private async visit(state: State, raw: unknown, branch: Branch): Promise<Step> {
    const entered = new Date(this.ports.timers.now()).toISOString();
    this.ports.record(branch, `${state.type}StateEntered`, {
      name: state.name,
      input: JSON.stringify(raw),
      inputDetails: notTruncated,
    });
    const enteredId = branch.previous;
    const retries: number[] = [];
    for (let retryCount = 0; ; retryCount++) {
      const context = {
        ...this.ports.context,
        State: { EnteredTime: entered, Name: state.name, RetryCount: retryCount },
        ...(branch.item === undefined ? {} : { Map: { Item: branch.item } }),
      };
      try {
        return this.exit(state, await this.attempt(state, raw, context, branch), branch);
      } catch (thrown) {
        // An aborted branch has no error of its own: nothing may retry or catch it.
        if (branch.signal.aborted) throw branch.signal.reason;
        const error = this.asStatesError(state, enteredId, thrown);
        const delayMs = this.retryDelay(state, error, retries);
        if (delayMs !== undefined) await this.ports.timers.sleep(delayMs, branch.signal);
        else return this.caught(state, raw, error, branch);
      }
    }
  }

  /** An error that is not of the language is a fault of this runtime: it fails the execution and is reported at the terminal. */
  private asStatesError(state: State, enteredId: number, thrown: unknown): StatesError {
    if (thrown instanceof StatesError) return thrown.error === "States.Runtime" ? located(thrown, state, enteredId) : thrown;
    const reason = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    this.ports.log(`Step Functions: the state ${state.name} failed unexpectedly: ${reason}`);
    return runtimeError(`The local runtime failed in the state '${state.name}': ${String(thrown)}`);
  }

  private exit(state: State, step: Step, branch: Branch): Step {
    const output = JSON.stringify(step.output ?? null);
    if (Buffer.byteLength(output) > maxDataBytes)
      throw new StatesError(
        "States.DataLimitExceeded",
        `The state '${state.name}' returned ${Buffer.byteLength(output)} bytes, more than the limit of ${maxDataBytes}; keep large data in S3.`,
      );
    this.ports.record(branch, `${state.type}StateExited`, { name: state.name, output, outputDetails: notTruncated });
    return step;
  }

  /** Milliseconds until the next attempt, or nothing when no retrier covers the error or its attempts are used up. */
  private retryDelay(state: State, error: StatesError, retries: number[]): number | undefined {
    const retriers: readonly Retrier[] = "retry" in state ? state.retry : [];
    const index = retriers.findIndex(({ errorEquals }) => covers(errorEquals, error.error));
    const retrier = retriers[index];
    const done = retries[index] ?? 0;
    if (retrier === undefined || done >= retrier.maxAttempts) return undefined;
    retries[index] = done + 1;
    const seconds = Math.min(retrier.intervalSeconds * retrier.backoffRate ** done, retrier.maxDelaySeconds);
    return Math.round(seconds * 1000 * (retrier.fullJitter ? this.ports.random() : 1));
  }

  private caught(state: State, raw: unknown, error: StatesError, branch: Branch): Step {
    const catchers = "catch" in state ? state.catch : [];
    const catcher = catchers.find(({ errorEquals }) => covers(errorEquals, error.error));
    if (catcher === undefined) throw error;
    return this.exit(state, { output: catcher.combine(raw, errorOutput(error)), next: catcher.next }, branch);
  }

  private async attempt(state: State, raw: unknown, context: object, branch: Branch): Promise<Step> {
    switch (state.type) {
      case "Fail":
        throw new StatesError(textOf(state.error(raw, context)), textOf(state.cause(raw, context)));
      case "Succeed":
        return { output: raw, next: undefined };
      case "Choice": {
        const next = state.choices.find(({ rule }) => rule(raw, context))?.next ?? state.otherwise;
        if (next !== undefined) return { output: raw, next };
        throw new StatesError("States.NoChoiceMatched", `No choice of the state '${state.name}' matched and it has no Default.`);
      }
      case "Wait":
        await this.ports.timers.sleep(state.seconds * 1000, branch.signal);
        return { output: raw, next: state.next };
      case "Pass":
        return { output: state.combine(raw, state.result(raw, context)), next: state.next };
      default: {
        const result =
          state.type === "Map"
            ? await this.map(state, state.items(raw, context), branch)
            : await runTask(this.ports, state, state.parameters(raw, context), branch);
        const selected = state.resultSelector === undefined ? result : state.resultSelector(result, context);
        return { output: state.combine(raw, selected), next: state.next };
      }
    }
  }

  private async map(state: Extract<State, { readonly type: "Map" }>, items: unknown, branch: Branch): Promise<unknown[]> {
    if (!Array.isArray(items)) throw runtimeError(`The items of the Map state '${state.name}' must be an array.`);
    this.ports.record(branch, "MapStateStarted", { length: items.length });
    const started = branch.previous;
    const work = items.map((value: unknown, index) => async (signal: AbortSignal) => {
      const iteration: Branch = { signal, previous: started, item: { Index: index, Value: value } };
      const named = { name: state.name, index };
      this.ports.record(iteration, "MapIterationStarted", named);
      try {
        const output = await this.run(state.processor, value, iteration);
        this.ports.record(iteration, "MapIterationSucceeded", named);
        return output;
      } catch (error) {
        this.ports.record(iteration, signal.aborted ? "MapIterationAborted" : "MapIterationFailed", named);
        throw error;
      } finally {
        branch.previous = Math.max(branch.previous, iteration.previous);
      }
    });
    try {
      const results = await together(work, state.maxConcurrency || mapConcurrency, branch.signal);
      this.ports.record(branch, "MapStateSucceeded");
      return results;
    } catch (error) {
      branch.signal.throwIfAborted();
      this.ports.record(branch, "MapStateFailed");
      throw error;
    }
  }
}

/** Runs pieces of work, at most `limit` at once. The first failure stops the others, and is thrown when all have ended. */
async function together<T>(
  work: readonly ((signal: AbortSignal) => Promise<T>)[],
  limit: number,
  outer: AbortSignal,
): Promise<T[]> {
  const siblings = new AbortController();
  const signal = AbortSignal.any([outer, siblings.signal]);
  const results: T[] = new Array(work.length);
  const failures: unknown[] = [];
  const left = work.entries();
  const worker = async () => {
    for (const [index, piece] of left) {
      if (signal.aborted) return;
      try {
        results[index] = await piece(signal);
      } catch (error) {
        failures.push(error);
        siblings.abort(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, work.length) }, worker));
  outer.throwIfAborted();
  if (failures.length > 0) throw failures[0];
  return results;
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  throw runtimeError(`Error and Cause of a Fail state must be texts, got ${JSON.stringify(value)}.`);
}

/** Runtime errors say where they happened, as AWS's do; the innermost state is the one that matters. */
function located(error: StatesError, state: State, enteredId: number): StatesError {
  const cause = error.causeText ?? "";
  if (cause.startsWith("An error occurred while executing the state")) return error;
  return runtimeError(
    `An error occurred while executing the state '${state.name}' (entered at the event id #${enteredId}). ${cause}`,
  );
}
