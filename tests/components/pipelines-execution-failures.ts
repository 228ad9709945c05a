/** What the tests of the definitions' executions share: arguments, answers that fail, and how a failure is told. */

import { AwsError } from "@risk/local-aws/testing";
import { expect } from "vitest";
import type { Definition } from "../../components/shared/pipeline-states";
import { type Answer, type Answers, type Outcome, statesIn } from "./pipelines-execution-world";

export const notices = { topicArn: "arn:aws:sns:us-east-1:000000000000:alarms", region: "us-east-1", partition: "aws" };
export const lambda = (name: string) => ({ arn: `arn:aws:lambda:us-east-1:000000000000:function:${name}`, timeoutSeconds: 60 });
export const KEY = "arn:aws:kms:us-east-1:000000000000:key/1";

/** Key of a source file. */
export const FILE = "training/source/fraud/x.csv";

/** What a function throws, and why a job failed. */
export function failure(name: string, message: string): Error {
  const error = new Error(message);
  error.name = name;
  return error;
}

/** Task states of a machine and of the Maps in it, but for the notice of a failure itself. */
export const tasksOf = (definition: Definition): string[] =>
  Object.entries(statesIn(definition.States)).flatMap(([name, { Type }]) =>
    Type === "Task" && name !== "NotifyFailure" ? [name] : [],
  );
const serviceOf = (definition: Definition, state: string): string =>
  /:states:::(?:aws-sdk:)?(\w+):/.exec(String(statesIn(definition.States)[state]?.Resource))?.[1] ?? "";

export const notice = ({ calls }: Outcome): string =>
  String(calls.find(({ state }) => state === "NotifyFailure")?.parameters.Message);
export const statesOf = ({ calls }: Outcome): string[] => calls.map(({ state }) => state);
export const parametersOf = ({ calls }: Outcome, state: string) => calls.find((one) => one.state === state)?.parameters;

/** The execution failed at a state with an error, went no further, and told people. */
export function expectFailure(outcome: Outcome, pipeline: string, state: string, error: string, cause: string): void {
  expect(outcome).toMatchObject({ status: "FAILED", error, cause: expect.stringContaining(cause) });
  expect(statesOf(outcome).slice(-2)).toEqual([state, "NotifyFailure"]);
  expect(parametersOf(outcome, "NotifyFailure")?.Subject).toBe(`${pipeline} failed at ${state}`);
  const text = notice(outcome);
  expect(text).toContain(`${pipeline} failed at ${state} with ${error}.\n\n`);
  expect(text).toContain(cause);
  expect(text).not.toContain("errorType");
  expect(text).toMatch(/What to do: \w+/);
  expect(text).toContain(
    "Execution: https://us-east-1.console.aws.amazon.com/states/home?region=us-east-1#/v2/executions/details/arn:aws:states:us-east-1:000000000000:execution:machine:run",
  );
  expect(text).toContain('Input: {"');
}

/** What each service refuses for a moment. */
const PASSING: Readonly<Record<string, AwsError>> = {
  lambda: new AwsError("TooManyRequestsException", "slow down", 429),
  glue: new AwsError("ConcurrentRunsExceededException", "too many runs"),
  sagemaker: new AwsError("ResourceLimitExceeded", "no machine"),
  sns: new AwsError("InternalError", "try again", 500),
};
/** A refusal that the task waits out; `aws-sdk:sagemaker` knows another one than `sagemaker`. */
export const passing = (definition: Definition, state: string): AwsError =>
  String(statesIn(definition.States)[state]?.Resource).includes("aws-sdk:")
    ? new AwsError("ConflictException", "somebody else is at it")
    : (PASSING[serviceOf(definition, state)] ?? new AwsError("Unknown", "no such service"));

/** Answers that fail one state. A plan without a file does not get to the states of files, and the other way round. */
export const failing = (state: string, answers: Answers, plan: (file: string) => Answer, answer: Answers[string]): Answers => ({
  ...answers,
  Plan: plan(state.endsWith("File") ? FILE : ""),
  [state]: answer,
});

/** Fails at the first call, then answers as usual. */
export function once(error: Error, usual: Answer): () => Answer {
  let calls = 0;
  return () => {
    calls += 1;
    return calls === 1 ? error : usual;
  };
}
