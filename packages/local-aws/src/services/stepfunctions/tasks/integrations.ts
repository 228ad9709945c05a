/**
 * The `Resource` of a Task state and what it does here. Everything else is refused by name when the machine is deployed.
 * Source: developer guide, "Integrating services with Step Functions".
 */
import { randomUUID } from "node:crypto";
import { StatesError } from "../language/errors";
import { orAborted } from "../timers";
import { type ErrorNames, errorNames, withNames } from "./errors";
import type { Integration, Structure } from "./integration";
import { glueJob, jobIntegration, sageMakerJob } from "./jobs";
import { shown } from "./shapes";

/** What the Java SDK adds to every response of an optimised integration. */
const sdkMetadata = () => ({ SdkHttpMetadata: { HttpStatusCode: 200 }, SdkResponseMetadata: { RequestId: randomUUID() } });

/** One call that answers at once, of a service that speaks JSON. */
function call(service: string, action: string, errors: ErrorNames, answer: (response: Structure) => Structure) {
  return async (parameters: Structure, port: Parameters<Integration["run"]>[1]) =>
    answer(await withNames(errors, orAborted(port.call(service, action, parameters), port.signal)));
}

const optimised = (response: Structure) => ({ ...shown(response, "milliseconds"), ...sdkMetadata() });

const sdkErrors: ErrorNames = { prefix: "SageMaker", generic: "SageMakerException" };
const sdkSageMaker = (action: string) => call("sagemaker", action, sdkErrors, (response) => shown(response, "iso"));

const invokeParameters = ["FunctionName", "Payload"];

function checkInvoke(names: readonly string[]): void {
  const unknown = names.filter((name) => !invokeParameters.includes(name));
  if (unknown.length > 0)
    throw new Error(`lambda:invoke has no local parameter ${unknown.join(", ")}; supported are ${invokeParameters.join(", ")}`);
  if (!names.includes("FunctionName")) throw new Error("lambda:invoke needs the parameter FunctionName");
}

/** @throws StatesError with the function's error type, and its whole answer as the cause. */
const invoke: Integration["run"] = async ({ FunctionName, Payload }, port) => {
  const response = await withNames(errorNames.lambda, orAborted(port.invoke(String(FunctionName), Payload), port.signal));
  const { payload } = response;
  if (response.functionError !== undefined) {
    const type = typeof payload === "object" && payload !== null && "errorType" in payload ? payload.errorType : undefined;
    throw new StatesError(typeof type === "string" && type !== "" ? type : "Lambda.Unknown", response.text);
  }
  return {
    ExecutedVersion: response.executedVersion ?? "$LATEST",
    Payload: payload,
    ...sdkMetadata(),
    StatusCode: response.status,
  };
};

/** By what follows `arn:aws:states:::`. */
const integrations: Readonly<Record<string, Pick<Integration, "run" | "checkParameters">>> = {
  "lambda:invoke": { run: invoke, checkParameters: checkInvoke },
  "sns:publish": { run: call("sns", "Publish", errorNames.sns, optimised) },
  "sagemaker:createModel": { run: call("sagemaker", "CreateModel", errorNames.sageMaker, optimised) },
  "aws-sdk:sagemaker:createModelPackage": { run: sdkSageMaker("CreateModelPackage") },
  "aws-sdk:sagemaker:describeModelPackage": { run: sdkSageMaker("DescribeModelPackage") },
  "glue:startJobRun.sync": { run: jobIntegration(glueJob) },
  "sagemaker:createTrainingJob.sync": { run: jobIntegration(sageMakerJob("Training")) },
  "sagemaker:createTransformJob.sync": { run: jobIntegration(sageMakerJob("Transform")) },
};

/** @throws Error naming a resource that has no local integration. */
export function resolveIntegration(arn: string): Integration {
  const name = /^arn:aws[a-z-]*:states:::(.+)$/.exec(arn)?.[1] ?? "";
  const integration = Object.hasOwn(integrations, name) ? integrations[name] : undefined;
  if (integration === undefined)
    throw new Error(
      `the Resource ${arn} is not supported by the local runtime; supported are arn:aws:states::: with ${Object.keys(integrations).join(", ")}`,
    );
  const split = name.lastIndexOf(":");
  return { ...integration, resourceType: name.slice(0, split), resource: name.slice(split + 1) };
}
