/** A definition compiled to what the interpreter runs. Everything that a definition may say is either here or refused by name. */
import { Fields } from "../../../engine/fields";
import type { Integration } from "../tasks/integration";
import { compileRule, type Rule } from "./choice";
import { type Combine, compileExpression, compileResultPath, compileSelection, compileTemplate, type Evaluate } from "./template";

export interface Retrier {
  readonly errorEquals: readonly string[];
  readonly intervalSeconds: number;
  readonly maxAttempts: number;
  readonly backoffRate: number;
  /** Infinity without MaxDelaySeconds. */
  readonly maxDelaySeconds: number;
  readonly fullJitter: boolean;
}

export interface Catcher {
  readonly errorEquals: readonly string[];
  readonly next: string;
  readonly combine: Combine;
}

interface Common {
  readonly name: string;
  readonly inputPath: Evaluate;
  readonly outputPath: Evaluate;
  /** Absent: this state ends the machine. */
  readonly next: string | undefined;
}

interface Working extends Common {
  /** Absent: the input as it is. */
  readonly parameters: Evaluate | undefined;
  readonly resultSelector: Evaluate | undefined;
  readonly combine: Combine;
  readonly retry: readonly Retrier[];
  readonly catch: readonly Catcher[];
}

export type State =
  | (Working & { readonly type: "Task"; readonly integration: Integration; readonly timeoutSeconds: Evaluate | undefined })
  | (Working & {
      readonly type: "Map";
      readonly items: Evaluate;
      readonly maxConcurrency: Evaluate;
      readonly processor: Program;
    })
  | (Working & { readonly type: "Parallel"; readonly branches: readonly Program[] })
  | (Common & {
      readonly type: "Pass";
      readonly parameters: Evaluate | undefined;
      readonly result: unknown;
      readonly combine: Combine;
    })
  | (Common & {
      readonly type: "Choice";
      readonly choices: readonly { readonly rule: Rule; readonly next: string }[];
      readonly otherwise: string | undefined;
    })
  | (Common & { readonly type: "Wait"; readonly wait: { readonly kind: "seconds" | "timestamp"; readonly value: Evaluate } })
  | (Common & { readonly type: "Succeed" })
  | (Common & { readonly type: "Fail"; readonly error: Evaluate | undefined; readonly cause: Evaluate | undefined });

export interface Program {
  readonly startAt: string;
  readonly states: ReadonlyMap<string, State>;
  /** Of a whole machine only. */
  readonly timeoutSeconds: number | undefined;
}

export type ResolveIntegration = (resource: string) => Integration;

type Raw = Readonly<Record<string, unknown>>;

/** @throws Error naming the state and what is wrong. The definition has passed the schema. */
export function compileProgram(definition: Raw, resolve: ResolveIntegration): Program {
  const fields = new Fields(definition, "definition");
  const states = Object.entries(fields.record("States")).map(([name, raw]): [string, State] => {
    try {
      return [name, compileState(name, recordOf(raw), resolve)];
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(reason.startsWith("state ") ? reason : `state "${name}": ${reason}`, { cause: error });
    }
  });
  return { startAt: fields.need("StartAt"), states: new Map(states), timeoutSeconds: fields.number("TimeoutSeconds") };
}

const recordOf = (value: unknown): Raw => (typeof value === "object" && value !== null ? (value as Raw) : {});

function compileState(name: string, raw: Raw, resolve: ResolveIntegration): State {
  const fields = new Fields(raw, `state "${name}"`);
  const common: Common = {
    name,
    inputPath: compileSelection(raw.InputPath),
    outputPath: compileSelection(raw.OutputPath),
    next: fields.text("Next"),
  };
  const type = fields.need("Type");
  switch (type) {
    case "Task": {
      const integration = resolve(fields.need("Resource"));
      integration.checkParameters?.(raw.Parameters);
      return {
        ...working(common, raw, fields),
        type,
        integration,
        timeoutSeconds: constantOrPath(fields, "TimeoutSeconds"),
      };
    }
    case "Map":
      return {
        ...working(common, raw, fields),
        type,
        parameters: optionalTemplate(raw.ItemSelector ?? raw.Parameters),
        items: compileExpression(fields.text("ItemsPath") ?? "$"),
        maxConcurrency: constantOrPath(fields, "MaxConcurrency") ?? (() => 0),
        processor: compileProgram(recordOf(raw.ItemProcessor ?? raw.Iterator), resolve),
      };
    case "Parallel":
      return {
        ...working(common, raw, fields),
        type,
        branches: fields.list("Branches").map((branch) => compileProgram(recordOf(branch), resolve)),
      };
    case "Pass":
      return {
        ...common,
        type,
        parameters: optionalTemplate(raw.Parameters),
        result: raw.Result,
        combine: compileResultPath(raw.ResultPath),
      };
    case "Choice":
      return {
        ...common,
        type,
        choices: fields.list("Choices").map((choice) => {
          const rule = recordOf(choice);
          return { rule: compileRule(rule), next: new Fields(rule, `state "${name}" choice`).need("Next") };
        }),
        otherwise: fields.text("Default"),
      };
    case "Wait":
      return { ...common, type, wait: compileWait(fields) };
    case "Succeed":
      return { ...common, type };
    case "Fail":
      return { ...common, type, error: textOrPath(fields, "Error"), cause: textOrPath(fields, "Cause") };
    default:
      throw new Error(`the type ${type} is unknown`);
  }
}

function working(common: Common, raw: Raw, fields: Fields): Working {
  return {
    ...common,
    parameters: optionalTemplate(raw.Parameters),
    resultSelector: optionalTemplate(raw.ResultSelector),
    combine: compileResultPath(raw.ResultPath),
    retry: fields.list("Retry").map((one) => compileRetrier(new Fields(one, "Retry"))),
    catch: fields.list("Catch").map((one) => {
      const catcher = new Fields(one, "Catch");
      return {
        errorEquals: catcher.texts("ErrorEquals") ?? [],
        next: catcher.need("Next"),
        combine: compileResultPath(recordOf(one).ResultPath),
      };
    }),
  };
}

/** Defaults: developer guide, "Retrying after an error". */
function compileRetrier(fields: Fields): Retrier {
  return {
    errorEquals: fields.texts("ErrorEquals") ?? [],
    intervalSeconds: fields.number("IntervalSeconds") ?? 1,
    maxAttempts: fields.number("MaxAttempts") ?? 3,
    backoffRate: fields.number("BackoffRate") ?? 2,
    maxDelaySeconds: fields.number("MaxDelaySeconds") ?? Number.POSITIVE_INFINITY,
    fullJitter: fields.text("JitterStrategy") === "FULL",
  };
}

const optionalTemplate = (template: unknown): Evaluate | undefined =>
  template === undefined ? undefined : compileTemplate(template);

/** `Name`, or `NamePath` that points to it. */
function constantOrPath(fields: Fields, name: string): Evaluate | undefined {
  const constant = fields.number(name);
  const path = fields.text(`${name}Path`);
  return path !== undefined ? compileExpression(path) : constant === undefined ? undefined : () => constant;
}

function textOrPath(fields: Fields, name: string): Evaluate | undefined {
  const constant = fields.text(name);
  const path = fields.text(`${name}Path`);
  return path !== undefined ? compileExpression(path, true) : constant === undefined ? undefined : () => constant;
}

function compileWait(fields: Fields): { readonly kind: "seconds" | "timestamp"; readonly value: Evaluate } {
  const seconds = constantOrPath(fields, "Seconds");
  if (seconds !== undefined) return { kind: "seconds", value: seconds };
  const timestamp = textOrPath(fields, "Timestamp");
  if (timestamp !== undefined) return { kind: "timestamp", value: timestamp };
  throw new Error("a Wait state needs Seconds, SecondsPath, Timestamp or TimestampPath");
}
