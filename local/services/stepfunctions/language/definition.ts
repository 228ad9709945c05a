/** Reads a state machine's definition: JSON, the language's schema, and what the local runtime does not support, refused by name. */
import validate from "asl-validator";
import { compileProgram, type Program, type ResolveIntegration } from "./program";

type Raw = Readonly<Record<string, unknown>>;

const flow = ["Type", "Comment", "QueryLanguage", "InputPath", "OutputPath", "Next", "End"];
const work = ["Parameters", "ResultSelector", "ResultPath", "Retry", "Catch"];

const stateFields: Readonly<Record<string, readonly string[]>> = {
  Task: [...flow, ...work, "Resource", "TimeoutSeconds", "TimeoutSecondsPath"],
  Map: [...flow, ...work, "ItemsPath", "ItemSelector", "ItemProcessor", "Iterator", "MaxConcurrency", "MaxConcurrencyPath"],
  Parallel: [...flow, ...work, "Branches"],
  Pass: [...flow, "Parameters", "Result", "ResultPath"],
  Choice: [...flow, "Choices", "Default"],
  Wait: [...flow, "Seconds", "SecondsPath", "Timestamp", "TimestampPath"],
  Succeed: flow,
  Fail: [...flow, "Error", "ErrorPath", "Cause", "CausePath"],
};

/** Why a known field of the language has no local effect. */
const reasons: Readonly<Record<string, string>> = {
  HeartbeatSeconds: "only activities and task tokens send heartbeats, and neither exists locally",
  HeartbeatSecondsPath: "only activities and task tokens send heartbeats, and neither exists locally",
  Credentials: "there is one account here",
  Assign: "variables are not supported",
  Arguments: "it belongs to JSONata",
  Output: "it belongs to JSONata",
  Items: "it belongs to JSONata",
  ItemReader: "it belongs to a Distributed Map",
  ItemBatcher: "it belongs to a Distributed Map",
  ResultWriter: "it belongs to a Distributed Map",
  Label: "it belongs to a Distributed Map",
  ToleratedFailureCount: "it belongs to a Distributed Map",
  ToleratedFailureCountPath: "it belongs to a Distributed Map",
  ToleratedFailurePercentage: "it belongs to a Distributed Map",
  ToleratedFailurePercentagePath: "it belongs to a Distributed Map",
};

/** The definition cannot be run here; the message names every problem found. */
export class DefinitionError extends Error {
  readonly code = "InvalidDefinition";
}

/** @throws DefinitionError naming the state and field of every problem. */
export function readDefinition(text: string, resolve: ResolveIntegration): Program {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new DefinitionError(`The definition is not JSON: ${error instanceof Error ? error.message : String(error)}.`);
  }
  if (!isRecord(parsed)) throw new DefinitionError("The definition must be a JSON object.");
  const refused = [
    ...unknownFields(parsed, ["Comment", "Version", "StartAt", "States", "TimeoutSeconds", "QueryLanguage"], "the definition"),
    ...refusals(parsed),
  ];
  if (refused.length > 0) throw new DefinitionError(refused.join("\n"));
  // A copy, because the validator adds members of its own.
  const result = validate(structuredClone(parsed), { checkPaths: true, checkArn: true });
  if (!result.isValid) throw new DefinitionError(`The definition is not valid: ${result.errorsText("\n")}`);
  try {
    return compileProgram(parsed, resolve);
  } catch (error) {
    throw new DefinitionError(error instanceof Error ? `The definition: ${error.message}.` : String(error), { cause: error });
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function refusals(machine: Raw): string[] {
  const problems = language(machine, "the definition");
  for (const [name, state] of Object.entries(isRecord(machine.States) ? machine.States : {})) {
    if (!isRecord(state)) continue;
    const where = `state "${name}"`;
    const known = stateFields[String(state.Type)];
    problems.push(...language(state, where));
    if (known !== undefined) problems.push(...unknownFields(state, known, where));
    for (const catcher of Array.isArray(state.Catch) ? state.Catch : [])
      if (isRecord(catcher))
        problems.push(...unknownFields(catcher, ["Comment", "ErrorEquals", "Next", "ResultPath"], `${where} Catch`));
    for (const retrier of Array.isArray(state.Retry) ? state.Retry : [])
      if (isRecord(retrier)) problems.push(...unknownFields(retrier, retrierFields, `${where} Retry`));
    problems.push(...innerRefusals(state, where));
  }
  return problems;
}

const retrierFields = [
  "Comment",
  "ErrorEquals",
  "IntervalSeconds",
  "MaxAttempts",
  "BackoffRate",
  "MaxDelaySeconds",
  "JitterStrategy",
];

function innerRefusals(state: Raw, where: string): string[] {
  const problems: string[] = [];
  for (const field of ["ItemProcessor", "Iterator"]) {
    const processor = state[field];
    if (!isRecord(processor)) continue;
    problems.push(
      ...unknownFields(processor, ["Comment", "StartAt", "States", "ProcessorConfig", "QueryLanguage"], `${where} ${field}`),
    );
    const mode = isRecord(processor.ProcessorConfig) ? processor.ProcessorConfig.Mode : undefined;
    if (mode !== undefined && mode !== "INLINE")
      problems.push(`${where}: ProcessorConfig.Mode ${String(mode)} is not supported by the local runtime; use INLINE.`);
    problems.push(...refusals(processor));
  }
  for (const branch of Array.isArray(state.Branches) ? state.Branches : [])
    if (isRecord(branch))
      problems.push(...unknownFields(branch, ["Comment", "StartAt", "States", "QueryLanguage"], where), ...refusals(branch));
  return problems;
}

function language(raw: Raw, where: string): string[] {
  return raw.QueryLanguage === undefined || raw.QueryLanguage === "JSONPath"
    ? []
    : [`${where}: QueryLanguage ${String(raw.QueryLanguage)} is not supported by the local runtime; use JSONPath.`];
}

function unknownFields(raw: Raw, known: readonly string[], where: string): string[] {
  return Object.keys(raw)
    .filter((field) => !known.includes(field))
    .map((field) => {
      const reason = reasons[field];
      return `${where}: the field ${field} is not supported by the local runtime${reason === undefined ? "" : ` (${reason})`}; leave it out.`;
    });
}
