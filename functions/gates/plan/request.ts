/** What an execution was asked to do. Every problem of its input is collected, then all are thrown at once. */
import { planEvent as validateEvent } from "#validators";
import { isObject } from "../../scoring/core/json";
import { shown } from "../../scoring/core/problems";
import { didYouMean } from "../../scoring/core/suggest";
import { fail } from "../common/errors";
import type { PlanEvent } from "../common/events";
import { sourcePrefix } from "../common/keys";
import { listed, reader } from "../common/read-json";
import { dateOfDay, dayNumber, dayOf, momentMs } from "./dates";

export interface Execution {
  readonly name: string;
  readonly startedAtMs: number;
}

export interface TrainingRequest {
  readonly pipeline: "training";
  readonly dataset: string;
  /** ISO 8601 in UTC: nothing that became known after this time is learnt from. */
  readonly asOf: string;
  /** Key of a file that was uploaded by hand; empty when the data comes from the dataset's own source. */
  readonly file: string;
}

export interface InferenceRequest {
  readonly pipeline: "inference";
  readonly dataset: string;
  /** Dates, oldest first. */
  readonly dates: readonly string[];
  readonly file: string;
}

export type PlanRequest = TrainingRequest | InferenceRequest;

export interface RequestLimits {
  readonly datasets: readonly string[];
  readonly maxDays: number;
}

const readEvent = reader<PlanEvent>(validateEvent);

const MEMBERS = {
  training: ["dataset", "asOf", "file"],
  // `scheduled` is for the state machine: a scheduled start waits for a first model instead of failing.
  inference: ["dataset", "date", "from", "to", "file", "scheduled"],
} as const;

/**
 * Reads `{pipeline, input, execution: {name, startTime}}`. Defaults depend on the execution's start, never on the clock, so that a
 * retry gives the same request. Throws `InvalidInput`, which names each wrong member, what was expected and the fix.
 */
export function readRequest(event: unknown, limits: RequestLimits): { request: PlanRequest; execution: Execution } {
  const parsed = readEvent(event);
  if (!parsed.ok)
    fail("InvalidInput", `The event of pipeline-plan is wrong: ${listed(parsed.problems)} Correct the state machine.`);
  const { pipeline, execution, input } = parsed.value;
  const startedAtMs = Date.parse(execution.startTime);
  if (Number.isNaN(startedAtMs)) {
    fail(
      "InvalidInput",
      `execution.startTime: expected an ISO 8601 time, got ${shown(execution.startTime)}. Correct the state machine.`,
    );
  }
  if (!isObject(input))
    fail("InvalidInput", `The execution's input: expected an object such as {"dataset":"fraud"}, got ${shown(input)}.`);
  const reader = new InputReader(input, pipeline, startedAtMs, limits);
  const request = pipeline === "training" ? reader.training() : reader.inference();
  reader.done();
  return { request, execution: { name: execution.name, startedAtMs } };
}

class InputReader {
  readonly #problems: string[] = [];
  readonly #dataset: string;

  constructor(
    private readonly input: Readonly<Record<string, unknown>>,
    pipeline: keyof typeof MEMBERS,
    private readonly startedAtMs: number,
    private readonly limits: RequestLimits,
  ) {
    const known: readonly string[] = MEMBERS[pipeline];
    for (const name of Object.keys(input)) {
      if (known.includes(name)) continue;
      this.#refuse(name, `is not a member of a ${pipeline} input; remove it or correct its name.${didYouMean(name, known)}`);
    }
    this.#dataset = this.#datasetName();
  }

  training(): TrainingRequest {
    const { asOf } = this.input;
    let moment = this.startedAtMs;
    if (asOf !== undefined) {
      const at = typeof asOf === "string" ? momentMs(asOf) : undefined;
      if (at === undefined)
        this.#refuse("asOf", `expected a date (2026-11-20) or a time in UTC (2026-11-20T06:00:00Z), got ${shown(asOf)}.`);
      else if (at > this.startedAtMs)
        this.#refuse("asOf", `expected a moment that has passed by ${this.#startedAt}, got ${shown(asOf)}; give an earlier one.`);
      else moment = at;
    }
    return { pipeline: "training", dataset: this.#dataset, asOf: new Date(moment).toISOString(), file: this.#file() };
  }

  inference(): InferenceRequest {
    const { scheduled } = this.input;
    if (scheduled !== undefined && typeof scheduled !== "boolean")
      this.#refuse("scheduled", `expected true, false or nothing, got ${shown(scheduled)}.`);
    const dates = this.#dates();
    const file = this.#file();
    if (file !== "" && dates.length > 1)
      this.#refuse("file", `expected no file with ${dates.length} days; score a file as one date.`);
    return { pipeline: "inference", dataset: this.#dataset, dates, file };
  }

  done(): void {
    if (this.#problems.length > 0) fail("InvalidInput", `The execution's input is wrong. ${this.#problems.join(" ")}`);
  }

  #datasetName(): string {
    const { dataset } = this.input;
    const { datasets } = this.limits;
    if (typeof dataset === "string" && datasets.includes(dataset)) return dataset;
    const hint = typeof dataset === "string" ? didYouMean(dataset, datasets) : "";
    this.#refuse(
      "dataset",
      `expected one of ${datasets.join(", ")}, got ${shown(dataset)}.${hint.startsWith(" Did") ? hint : ""}`,
    );
    return "";
  }

  #file(): string {
    const { file } = this.input;
    // Without a valid dataset the file can't be judged.
    if (file === undefined || file === "" || this.#dataset === "") return "";
    const prefix = sourcePrefix(this.#dataset);
    if (typeof file === "string" && file.startsWith(prefix) && file.endsWith(".csv")) return file;
    this.#refuse("file", `expected the key of a CSV file, ${prefix}….csv, got ${shown(file)}; upload the file there.`);
    return "";
  }

  #dates(): readonly string[] {
    const { date, from, to } = this.input;
    if (date !== undefined && (from !== undefined || to !== undefined)) {
      this.#refuse("date", "expected either date, or from and to; leave one of them out.");
      return [];
    }
    if (from === undefined && to === undefined) {
      const day = date === undefined ? dayOf(this.startedAtMs) - 1 : this.#day("date", date);
      return day === undefined ? [] : [dateOfDay(day)];
    }
    const first = this.#day("from", from);
    const last = this.#day("to", to);
    if (first === undefined || last === undefined) return [];
    if (first > last) {
      this.#refuse("from", `expected a date not after to, got ${shown(from)} and ${shown(to)}; swap them.`);
      return [];
    }
    const days = last - first + 1;
    if (days > this.limits.maxDays) {
      this.#refuse("to", `expected at most ${this.limits.maxDays} days, got ${days}; start several executions.`);
      return [];
    }
    return Array.from({ length: days }, (_, index) => dateOfDay(first + index));
  }

  #day(name: string, value: unknown): number | undefined {
    const day = typeof value === "string" ? dayNumber(value) : undefined;
    if (day === undefined) {
      this.#refuse(name, `expected a date of the form 2026-11-20, got ${shown(value)}.`);
      return undefined;
    }
    if (day <= dayOf(this.startedAtMs)) return day;
    this.#refuse(name, `expected a date that has begun by ${this.#startedAt}, got ${shown(value)}; give an earlier one.`);
    return undefined;
  }

  get #startedAt(): string {
    return new Date(this.startedAtMs).toISOString();
  }

  #refuse(name: string, detail: string): void {
    this.#problems.push(`${name}: ${detail}`);
  }
}
