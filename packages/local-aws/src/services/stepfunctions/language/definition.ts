/** Reads a state machine's definition: JSON, the language's schema, and what the local runtime does not support, refused by name. */

import { isRecord, messageOf } from "@risk/program-graph";
import validate from "asl-validator";
import { compileProgram, type Program, type ResolveIntegration } from "./program";

const flow = ["Type", "Comment", "Next", "End"];
const work = ["ResultPath", "ResultSelector", "Retry", "Catch"];

const stateFields: Readonly<Record<string, readonly string[]>> = {
  Task: [...flow, ...work, "Resource", "Parameters", "TimeoutSeconds"],
  Map: [...flow, ...work, "ItemsPath", "ItemProcessor", "MaxConcurrency"],
  Pass: [...flow, "InputPath", "Parameters", "Result", "ResultPath"],
  Choice: ["Type", "Comment", "Choices", "Default"],
  Wait: [...flow, "Seconds"],
  Succeed: ["Type", "Comment"],
  Fail: ["Type", "Comment", "ErrorPath", "CausePath"],
};
const machineFields = ["Comment", "StartAt", "States", "TimeoutSeconds"];
const processorFields = ["Comment", "StartAt", "States", "ProcessorConfig"];
const catcherFields = ["Comment", "ErrorEquals", "Next", "ResultPath"];
const retrierFields = [
  "Comment",
  "ErrorEquals",
  "IntervalSeconds",
  "MaxAttempts",
  "BackoffRate",
  "MaxDelaySeconds",
  "JitterStrategy",
];

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
    throw new DefinitionError(`The definition is not JSON: ${messageOf(error)}.`);
  }
  if (!isRecord(parsed)) throw new DefinitionError("The definition must be a JSON object.");
  const refused = refusals(parsed, machineFields, "the definition");
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

/** Unsupported parts of a machine or of a Map's processor; the schema checks the rest. */
function refusals(machine: unknown, known: readonly string[], where: string): string[] {
  const states = isRecord(machine) && isRecord(machine.States) ? machine.States : {};
  return [
    ...unknownFields(machine, known, where),
    ...Object.entries(states).flatMap(([name, state]) => (isRecord(state) ? stateRefusals(state, `state "${name}"`) : [])),
  ];
}

function stateRefusals(state: Readonly<Record<string, unknown>>, where: string): string[] {
  const type = String(state.Type);
  const known = Object.hasOwn(stateFields, type) ? stateFields[type] : undefined;
  if (known === undefined) {
    const types = Object.keys(stateFields).join(", ");
    return [`${where}: the type ${type} is not supported by the local runtime; supported are ${types}.`];
  }
  const each = (list: unknown, fields: readonly string[], what: string) =>
    (Array.isArray(list) ? list : []).flatMap((one) => unknownFields(one, fields, `${where} ${what}`));
  return [
    ...unknownFields(state, known, where),
    ...each(state.Catch, catcherFields, "Catch"),
    ...each(state.Retry, retrierFields, "Retry"),
    ...refusals(state.ItemProcessor, processorFields, `${where} ItemProcessor`),
  ];
}

function unknownFields(value: unknown, known: readonly string[], where: string): string[] {
  return Object.keys(isRecord(value) ? value : {})
    .filter((field) => !known.includes(field))
    .map((field) => `${where}: the field ${field} is not supported by the local runtime; supported are ${known.join(", ")}.`);
}
