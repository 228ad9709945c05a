/** A definition compiled for the interpreter. Every part of a definition is either handled here or refused by name. */

import { messageOf } from "@risk/program-graph";
import { Fields } from "../../../engine/fields";
import type { Integration, Structure } from "../tasks/integration";
import { compileRule, type Rule } from "./choice";
import { type Combine, compileMembers, compileReference, compileResultPath, compileTemplate, type Evaluate } from "./template";

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
  /** Absent: this state ends the machine. */
  readonly next: string | undefined;
}

interface Working extends Common {
  /** Undefined: the result as it is. */
  readonly resultSelector: Evaluate | undefined;
  readonly combine: Combine;
  readonly retry: readonly Retrier[];
  readonly catch: readonly Catcher[];
}

export type State =
  | (Working & {
      readonly type: "Task";
      readonly integration: Integration;
      readonly parameters: (input: unknown, context: unknown) => Structure;
      readonly timeoutSeconds: number | undefined;
    })
  | (Working & {
      readonly type: "Map";
      readonly items: Evaluate;
      readonly maxConcurrency: number;
      readonly processor: Program;
    })
  | (Common & { readonly type: "Pass"; readonly result: Evaluate; readonly combine: Combine })
  | (Common & {
      readonly type: "Choice";
      readonly choices: readonly { readonly rule: Rule; readonly next: string }[];
      readonly otherwise: string | undefined;
    })
  | (Common & { readonly type: "Wait"; readonly seconds: number })
  | (Common & { readonly type: "Succeed" })
  | (Common & { readonly type: "Fail"; readonly error: Evaluate; readonly cause: Evaluate });

export interface Program {
  readonly startAt: string;
  readonly states: ReadonlyMap<string, State>;
  /** Of a whole machine only. */
  readonly timeoutSeconds: number | undefined;
}

export type ResolveIntegration = (resource: string) => Integration;

/** @throws Error naming the state and what is wrong. The definition has passed the schema. */
export function compileProgram(definition: Structure, resolve: ResolveIntegration): Program {
  const fields = new Fields(definition, "definition");
  const states = Object.entries(fields.record("States")).map(([name, raw]): [string, State] => {
    try {
      return [name, compileState(name, Object(raw) as Structure, resolve)];
    } catch (error) {
      const reason = messageOf(error);
      throw new Error(reason.startsWith("state ") ? reason : `state "${name}": ${reason}`, { cause: error });
    }
  });
  return { startAt: fields.need("StartAt"), states: new Map(states), timeoutSeconds: fields.number("TimeoutSeconds") };
}

function compileState(name: string, raw: Structure, resolve: ResolveIntegration): State {
  const fields = new Fields(raw, `state "${name}"`);
  const common: Common = { name, next: fields.text("Next") };
  const type = fields.need("Type");
  switch (type) {
    case "Task": {
      const integration = resolve(fields.need("Resource"));
      if (raw.Parameters === undefined) throw new Error("a Task needs Parameters in the local runtime");
      const parameters = fields.record("Parameters");
      integration.checkParameters?.(Object.keys(parameters).map((key) => key.replace(/\.\$$/, "")));
      return {
        ...working(common, raw, fields),
        type,
        integration,
        parameters: compileMembers(parameters),
        timeoutSeconds: fields.number("TimeoutSeconds"),
      };
    }
    case "Map": {
      const processor = fields.record("ItemProcessor");
      const mode = new Fields(processor.ProcessorConfig, "ProcessorConfig").text("Mode") ?? "INLINE";
      if (mode !== "INLINE") throw new Error(`ProcessorConfig.Mode ${mode} is not supported by the local runtime; use INLINE`);
      return {
        ...working(common, raw, fields),
        type,
        items: compileReference(fields.text("ItemsPath") ?? "$"),
        maxConcurrency: wholeNumber(fields, "MaxConcurrency") ?? 0,
        processor: compileProgram(processor, resolve),
      };
    }
    case "Pass":
      return { ...common, type, result: compilePass(raw, fields), combine: compileResultPath(raw.ResultPath) };
    case "Choice":
      return {
        ...common,
        type,
        choices: fields.list("Choices").map((choice) => ({
          rule: compileRule(choice),
          next: new Fields(choice, "choice").need("Next"),
        })),
        otherwise: fields.text("Default"),
      };
    case "Wait":
      // The schema asks for one of four fields, of which only this one is supported.
      return { ...common, type, seconds: wholeNumber(fields, "Seconds") ?? 0 };
    case "Succeed":
      return { ...common, type };
    case "Fail":
      return {
        ...common,
        type,
        error: compileReference(fields.need("ErrorPath")),
        cause: compileReference(fields.need("CausePath")),
      };
    default:
      throw new Error(`the type ${type} is unknown`);
  }
}

/** The schema takes fractions, which AWS refuses. */
function wholeNumber(fields: Fields, name: string): number | undefined {
  const value = fields.number(name);
  if (value === undefined || Number.isInteger(value)) return value;
  throw new Error(`${name} must be a whole number, got ${value}`);
}

/** Result, or Parameters, of the input that InputPath chooses. */
function compilePass(raw: Structure, fields: Fields): Evaluate {
  if (raw.Result !== undefined) return () => raw.Result;
  const input = compileReference(fields.text("InputPath") ?? "$");
  const parameters = raw.Parameters === undefined ? undefined : compileTemplate(raw.Parameters);
  return (given, context) => {
    const chosen = input(given, context);
    return parameters === undefined ? chosen : parameters(chosen, context);
  };
}

function working(common: Common, raw: Structure, fields: Fields): Working {
  return {
    ...common,
    resultSelector: raw.ResultSelector === undefined ? undefined : compileTemplate(raw.ResultSelector),
    combine: compileResultPath(raw.ResultPath),
    retry: fields.list("Retry").map((one) => compileRetrier(new Fields(one, "Retry"))),
    catch: fields.list("Catch").map((one) => {
      const catcher = new Fields(one, "Catch");
      return {
        errorEquals: catcher.texts("ErrorEquals") ?? [],
        next: catcher.need("Next"),
        combine: compileResultPath((Object(one) as Structure).ResultPath),
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
