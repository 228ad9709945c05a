/** What a state machine's tasks ask for: settings of jobs that are arguments of a call, and therefore not inputs of a resource. */
import type { GraphResource } from "@risk/program-graph";
import { isObject } from "../functions/scoring/core/json";
import { at, type Control, isAtLeast, isText, violation } from "./control";
import { parseJson } from "./documents";

const STATE_MACHINE = "aws:sfn/stateMachine:StateMachine";

interface Task {
  readonly name: string;
  readonly state: Readonly<Record<string, unknown>>;
}

/** The tasks of a definition, including those in Maps and Parallels; undefined when it isn't a definition. */
function tasksOf({ inputs }: GraphResource): readonly Task[] | undefined {
  const definition = typeof inputs.definition === "string" ? parseJson(inputs.definition) : undefined;
  return isObject(definition) && isObject(definition.States) ? tasksIn(definition.States) : undefined;
}

function tasksIn(states: Readonly<Record<string, unknown>>): Task[] {
  return Object.entries(states).flatMap(([name, state]) => {
    if (!isObject(state)) return [];
    const branches: readonly unknown[] = Array.isArray(state.Branches) ? state.Branches : [];
    const inner = [state.ItemProcessor, state.Iterator, ...branches].map((part) => at(part, "States")).filter(isObject);
    return [...(state.Type === "Task" ? [{ name, state }] : []), ...inner.flatMap(tasksIn)];
  });
}

/** Checks every task, or those that call `action` (`sagemaker:createTrainingJob`), whatever way they wait for it. */
const eachTask =
  (action: string | undefined, problems: (state: Readonly<Record<string, unknown>>) => readonly string[]): Control["check"] =>
  (machine) => {
    const tasks = tasksOf(machine);
    if (tasks === undefined) return [violation("definition", machine.inputs.definition, "set it to a definition with States.")];
    return tasks
      .filter(({ state }) => action === undefined || calls(state.Resource, action))
      .flatMap(({ name, state }) => problems(state).map((problem) => `definition, ${name}: ${problem}`));
  };

function calls(resource: unknown, action: string): boolean {
  return isText(resource) && new RegExp(`:states:::(aws-sdk:)?${action}(\\.sync(:2)?|\\.waitForTaskToken)?$`).test(resource);
}

interface Requirement {
  readonly passes: (value: unknown) => boolean;
  readonly fix: string;
}

const TRUE: Requirement = { passes: (value: unknown) => value === true, fix: "set it to true." };
/** A key, or a path to one in the state's input. */
const KEY: Requirement = { passes: isText, fix: "set it to the ARN of a customer-managed key." };

/** Violations of a call's parameters, each a fixed value or a path with `.$`. */
const parameters =
  (required: Readonly<Record<string, Requirement>>) =>
  (state: Readonly<Record<string, unknown>>): string[] =>
    Object.entries(required).flatMap(([path, { passes, fix }]) => {
      const value = at(state.Parameters, path);
      return passes(value) ? [] : [violation(`Parameters.${path}`, value, fix)];
    });

function resilience(state: Readonly<Record<string, unknown>>): string[] {
  const listed = (value: unknown) => Array.isArray(value) && value.length > 0;
  return [
    ...(isAtLeast(1)(state.TimeoutSeconds) || isText(state.TimeoutSecondsPath)
      ? []
      : [violation("TimeoutSeconds", state.TimeoutSeconds, "set it: a task without one may hang for a year.")]),
    ...(listed(state.Retry) ? [] : [violation("Retry", state.Retry, "name the transient errors of the service, with backoff.")]),
    ...(listed(state.Catch) ? [] : [violation("Catch", state.Catch, "catch States.ALL and notify somebody.")]),
  ];
}

export const stateMachineControls: readonly Control[] = [
  {
    id: "StepFunctions.tasks",
    title: "Tasks time out, retry and are caught",
    appliesTo: [STATE_MACHINE],
    check: eachTask(undefined, resilience),
  },
  {
    id: "SageMaker.training",
    title: "Training jobs are isolated, and encrypt volumes, traffic and outputs",
    appliesTo: [STATE_MACHINE],
    check: eachTask(
      "sagemaker:createTrainingJob",
      parameters({
        EnableNetworkIsolation: TRUE,
        EnableInterContainerTrafficEncryption: TRUE,
        "OutputDataConfig.KmsKeyId": KEY,
        "ResourceConfig.VolumeKmsKeyId": KEY,
      }),
    ),
  },
  {
    id: "SageMaker.transform",
    title: "Transform jobs encrypt volumes and outputs",
    appliesTo: [STATE_MACHINE],
    check: eachTask(
      "sagemaker:createTransformJob",
      parameters({ "TransformOutput.KmsKeyId": KEY, "TransformResources.VolumeKmsKeyId": KEY }),
    ),
  },
  {
    id: "SageMaker.models",
    title: "Models that a state machine creates are isolated from the network",
    appliesTo: [STATE_MACHINE],
    check: eachTask("sagemaker:createModel", parameters({ EnableNetworkIsolation: TRUE })),
  },
];
