/**
 * Runs a compiled program: transitions, data flow, Retry, Catch, Map and Parallel.
 * Source: Amazon States Language specification and the Step Functions developer guide.
 */
import { notTruncated } from "./history";
import { isTimestamp } from "./language/choice";
import { covers, errorOutput, runtimeError, StatesError } from "./language/errors";
import type { Program, Retrier, State } from "./language/program";
import { runTask, type TaskServices } from "./tasks/run";
import type { Timers } from "./timers";

/** One line of events: the machine itself, a branch or an iteration. */
export interface Branch {
  readonly signal: AbortSignal;
  /** Id of its newest event. */
  previous: number;
  /** Of the innermost Map. */
  readonly item: { readonly Index: number; readonly Value: unknown } | undefined;
}

export interface InterpreterPorts {
  /** Stores an event after `branch.previous` and moves `branch.previous` to it. */
  record(branch: Branch, type: string, details?: Readonly<Record<string, unknown>>): void;
  readonly timers: Timers;
  /** From 0 (inclusive) to 1, for jitter. */
  random(): number;
  readonly tasks: TaskServices;
  /** `Execution` and `StateMachine` of the context object. */
  readonly context: Readonly<Record<string, unknown>>;
  readonly log: (line: string) => void;
}

/** Bytes of a state's input or output: developer guide, "Quotas related to task executions". */
const maxDataBytes = 262_144;
/** What an inline Map without MaxConcurrency runs at once. */
const mapConcurrency = 40;

type Of<T extends State["type"]> = Extract<State, { readonly type: T }>;
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

  /** An error that is not of the language is a fault of this runtime: it fails the execution and is told at the terminal. */
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
    const input = state.inputPath(raw, context);
    switch (state.type) {
      case "Fail":
        throw new StatesError(this.textOf(state.error?.(raw, context)) ?? "", this.textOf(state.cause?.(raw, context)));
      case "Succeed":
        return { output: state.outputPath(input, context), next: undefined };
      case "Choice": {
        const next = state.choices.find(({ rule }) => rule(input, context))?.next ?? state.otherwise;
        if (next === undefined)
          throw new StatesError(
            "States.NoChoiceMatched",
            `No choice of the state '${state.name}' matched and it has no Default.`,
          );
        return { output: state.outputPath(input, context), next };
      }
      case "Wait":
        await this.ports.timers.sleep(this.waitMs(state, input, context), branch.signal);
        return { output: state.outputPath(input, context), next: state.next };
      case "Pass": {
        const effective = state.parameters === undefined ? input : state.parameters(input, context);
        const combined = state.combine(raw, state.result === undefined ? effective : state.result);
        return { output: state.outputPath(combined, context), next: state.next };
      }
      default: {
        const result = await this.work(state, input, context, branch);
        const selected = state.resultSelector === undefined ? result : state.resultSelector(result, context);
        return { output: state.outputPath(state.combine(raw, selected), context), next: state.next };
      }
    }
  }

  private work(state: Of<"Task" | "Map" | "Parallel">, input: unknown, context: object, branch: Branch): Promise<unknown> {
    if (state.type === "Map") return this.map(state, input, context, branch);
    const effective = state.parameters === undefined ? input : state.parameters(input, context);
    return state.type === "Task"
      ? runTask(this.ports, state, effective, state.timeoutSeconds?.(input, context), branch)
      : this.parallel(state, effective, branch);
  }

  private textOf(value: unknown): string | undefined {
    if (value === undefined || typeof value === "string") return value;
    throw runtimeError(`Error and Cause of a Fail state must be texts, got ${JSON.stringify(value)}.`);
  }

  private waitMs(state: Of<"Wait">, input: unknown, context: object): number {
    const value = state.wait.value(input, context);
    if (state.wait.kind === "seconds") {
      if (typeof value !== "number" || !Number.isInteger(value) || value < 0)
        throw runtimeError(
          `The seconds of the Wait state '${state.name}' must be an integer from 0, got ${JSON.stringify(value)}.`,
        );
      return value * 1000;
    }
    if (!isTimestamp(value))
      throw runtimeError(`The timestamp of the Wait state '${state.name}' must be RFC 3339, got ${JSON.stringify(value)}.`);
    return Math.max(0, Date.parse(value) - this.ports.timers.now());
  }

  private async map(state: Of<"Map">, input: unknown, context: object, branch: Branch): Promise<unknown[]> {
    const items = state.items(input, context);
    if (!Array.isArray(items)) throw runtimeError(`The items of the Map state '${state.name}' must be an array.`);
    const concurrency = state.maxConcurrency(input, context);
    if (typeof concurrency !== "number" || !Number.isInteger(concurrency) || concurrency < 0)
      throw runtimeError(
        `MaxConcurrency of the Map state '${state.name}' must be an integer from 0, got ${JSON.stringify(concurrency)}.`,
      );
    this.ports.record(branch, "MapStateStarted", { length: items.length });
    const started = branch.previous;
    const work = items.map((value: unknown, index) => async (signal: AbortSignal) => {
      const iteration: Branch = { signal, previous: started, item: { Index: index, Value: value } };
      const named = { name: state.name, index };
      this.ports.record(iteration, "MapIterationStarted", named);
      try {
        const own = { ...context, Map: { Item: iteration.item } };
        const given = state.parameters === undefined ? value : state.parameters(input, own);
        const output = await this.run(state.processor, given, iteration);
        this.ports.record(iteration, "MapIterationSucceeded", named);
        return output;
      } catch (error) {
        this.ports.record(iteration, signal.aborted ? "MapIterationAborted" : "MapIterationFailed", named);
        throw error;
      } finally {
        branch.previous = Math.max(branch.previous, iteration.previous);
      }
    });
    return this.together("Map", work, concurrency || mapConcurrency, branch);
  }

  private async parallel(state: Of<"Parallel">, input: unknown, branch: Branch): Promise<unknown[]> {
    this.ports.record(branch, "ParallelStateStarted");
    const started = branch.previous;
    const work = state.branches.map((program) => async (signal: AbortSignal) => {
      const own: Branch = { signal, previous: started, item: branch.item };
      try {
        return await this.run(program, structuredClone(input), own);
      } finally {
        branch.previous = Math.max(branch.previous, own.previous);
      }
    });
    return this.together("Parallel", work, work.length, branch);
  }

  /** Runs pieces of work, at most `limit` at once. The first failure stops the others, and is told when all have ended. */
  private async together(
    type: "Map" | "Parallel",
    work: readonly ((signal: AbortSignal) => Promise<unknown>)[],
    limit: number,
    branch: Branch,
  ): Promise<unknown[]> {
    const siblings = new AbortController();
    const signal = AbortSignal.any([branch.signal, siblings.signal]);
    const results: unknown[] = new Array(work.length);
    const failures: unknown[] = [];
    let next = 0;
    const worker = async () => {
      while (next < work.length && !signal.aborted) {
        const index = next++;
        try {
          results[index] = await work[index]?.(signal);
        } catch (error) {
          failures.push(error);
          siblings.abort(error);
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(limit, work.length) }, worker));
    branch.signal.throwIfAborted();
    if (failures.length > 0) {
      this.ports.record(branch, `${type}StateFailed`);
      throw failures[0];
    }
    this.ports.record(branch, `${type}StateSucceeded`);
    return results;
  }
}

/** Runtime errors say where they happened, as AWS's do; the innermost state is the one that matters. */
function located(error: StatesError, state: State, enteredId: number): StatesError {
  const cause = error.causeText ?? "";
  if (cause.startsWith("An error occurred while executing the state")) return error;
  return runtimeError(
    `An error occurred while executing the state '${state.name}' (entered at the event id #${enteredId}). ${cause}`,
  );
}
