/**
 * The `Resource` of a Task state and what it does here. Everything else is refused by name when the machine is deployed.
 * Source: developer guide, "Integrating services with Step Functions".
 */
import { randomUUID } from "node:crypto";
import { StatesError } from "../language/errors";
import { orAborted } from "../timers";
import { type ErrorNames, withNames } from "./errors";
import type { Integration, InvokeRequest, InvokeResponse, TaskPort } from "./integration";
import { jobIntegration, jobs, startRequest } from "./jobs";
import { asText, lowerNames, parametersOf, shown, upperNames } from "./shapes";

type Parameters = Readonly<Record<string, unknown>>;

/** An optimised integration that answers at once. */
interface Direct {
  /** Signing name. */
  readonly service: string;
  readonly action: string;
  readonly errors: ErrorNames;
  /** Parameters that Step Functions changes on their way. */
  readonly request?: (parameters: Parameters, port: TaskPort) => object;
  readonly answer?: (answer: Parameters) => Parameters;
}

const sageMaker = (action: string): Direct => ({
  service: "sagemaker",
  action,
  errors: { prefix: "SageMaker", generic: "AmazonSageMakerException" },
});

const dynamoDb = (action: string): Direct => ({
  service: "dynamodb",
  action,
  errors: { prefix: "DynamoDB", generic: "AmazonDynamoDBException" },
});

const direct: Readonly<Record<string, Direct>> = {
  "sns:publish": {
    service: "sns",
    action: "Publish",
    errors: { prefix: "SNS", generic: "AmazonSNSException" },
    request: (parameters) => ({ ...parameters, Message: asText(parameters.Message) }),
  },
  "sqs:sendMessage": {
    service: "sqs",
    action: "SendMessage",
    errors: { prefix: "SQS", generic: "AmazonSQSException" },
    request: (parameters) => ({ ...parameters, MessageBody: asText(parameters.MessageBody) }),
  },
  "events:putEvents": {
    service: "events",
    action: "PutEvents",
    errors: { prefix: "EventBridge", generic: "AmazonEventBridgeException" },
    request: putEventsRequest,
    answer: (answer) => {
      if (answer.FailedEntryCount === 0) return answer;
      throw new StatesError("EventBridge.FailedEntry", JSON.stringify(answer));
    },
  },
  "states:startExecution": {
    service: "states",
    action: "StartExecution",
    errors: { prefix: "StepFunctions", generic: "AWSStepFunctionsException" },
    request: startRequest,
    answer: upperNames,
  },
  "glue:startJobRun": { service: "glue", action: "StartJobRun", errors: { prefix: "Glue", generic: "AWSGlueException" } },
  "sagemaker:createTrainingJob": sageMaker("CreateTrainingJob"),
  "sagemaker:createTransformJob": sageMaker("CreateTransformJob"),
  "sagemaker:createModel": sageMaker("CreateModel"),
  "dynamodb:getItem": dynamoDb("GetItem"),
  "dynamodb:putItem": dynamoDb("PutItem"),
  "dynamodb:updateItem": dynamoDb("UpdateItem"),
  "dynamodb:deleteItem": dynamoDb("DeleteItem"),
};

/** Services of `aws-sdk:` with a JSON protocol: signing name, and the name that their errors carry. */
const sdk: Readonly<Record<string, { readonly service: string; readonly prefix: string; readonly lowerCase?: true }>> = {
  cloudwatch: { service: "monitoring", prefix: "CloudWatch" },
  cloudwatchlogs: { service: "logs", prefix: "CloudWatchLogs", lowerCase: true },
  dynamodb: { service: "dynamodb", prefix: "DynamoDb" },
  eventbridge: { service: "events", prefix: "EventBridge" },
  glue: { service: "glue", prefix: "Glue" },
  kinesis: { service: "kinesis", prefix: "Kinesis" },
  kms: { service: "kms", prefix: "Kms" },
  redshiftdata: { service: "redshift-data", prefix: "RedshiftData" },
  sagemaker: { service: "sagemaker", prefix: "SageMaker" },
  secretsmanager: { service: "secretsmanager", prefix: "SecretsManager" },
  sfn: { service: "states", prefix: "Sfn", lowerCase: true },
  sns: { service: "sns", prefix: "Sns" },
  sqs: { service: "sqs", prefix: "Sqs" },
  ssm: { service: "ssm", prefix: "Ssm" },
};

/** The execution is named in the event, so that rules can match it. */
function putEventsRequest(parameters: Parameters, port: TaskPort): object {
  const entries: unknown[] = Array.isArray(parameters.Entries) ? parameters.Entries : [];
  const named = entries.map((entry) => {
    const { Detail, Resources, ...rest } = parametersOf(entry);
    const own: unknown[] = Array.isArray(Resources) ? Resources : [];
    return { ...rest, Detail: asText(Detail), Resources: [...own, port.executionArn, port.stateMachineArn] };
  });
  return { ...parameters, Entries: named };
}

/** @throws Error naming a resource that has no local integration. */
export function resolveIntegration(arn: string): Integration {
  if (/^arn:aws[a-z-]*:lambda:[^:]*:\d*:function:/.test(arn)) return functionArn(arn);
  const resource = /^arn:aws[a-z-]*:states:::(.+)$/.exec(arn)?.[1];
  if (resource === undefined) throw unsupported(arn);
  const [type = "", action = "", ...more] = resource.split(":");
  if (type === "aws-sdk") return sdkIntegration(arn, action, more.join(":"));
  const name = [action, ...more].join(":");
  if (resource === "lambda:invoke") return lambdaInvoke;
  const job = Object.hasOwn(jobs, resource) ? jobs[resource] : undefined;
  if (job !== undefined) return jobIntegration(type, name, job);
  const integration = Object.hasOwn(direct, resource) ? direct[resource] : undefined;
  if (integration === undefined) throw unsupported(arn);
  return directIntegration(type, name, integration);
}

function unsupported(arn: string): Error {
  const known = ["a function ARN", "lambda:invoke", ...Object.keys(direct), ...Object.keys(jobs)];
  const services = Object.keys(sdk).map((name) => `aws-sdk:${name}:<action>`);
  return new Error(
    `the Resource ${arn} is not supported by the local runtime; supported are ${[...known, ...services].join(", ")}`,
  );
}

function directIntegration(
  resourceType: string,
  resource: string,
  { service, action, errors, request, answer }: Direct,
): Integration {
  return {
    resourceType,
    resource,
    isFunctionArn: false,
    checkParameters: parametersOf,
    run: async (given, port) => {
      const parameters = parametersOf(given);
      const response = await withNames(
        errors,
        orAborted(port.call(service, action, request?.(parameters, port) ?? parameters), port.signal),
      );
      const read = answer?.(response) ?? response;
      return { ...shown(read, "milliseconds"), ...sdkMetadata() };
    },
  };
}

/** What the Java SDK adds to every answer of an optimised integration. */
const sdkMetadata = () => ({ SdkHttpMetadata: { HttpStatusCode: 200 }, SdkResponseMetadata: { RequestId: randomUUID() } });

function sdkIntegration(arn: string, name: string, action: string): Integration {
  const target = Object.hasOwn(sdk, name) ? sdk[name] : undefined;
  if (target === undefined || !/^[a-z][A-Za-z0-9]*$/.test(action)) throw unsupported(arn);
  const { service, prefix, lowerCase } = target;
  const api = `${action.charAt(0).toUpperCase()}${action.slice(1)}`;
  return {
    resourceType: `aws-sdk:${name}`,
    resource: action,
    isFunctionArn: false,
    checkParameters: parametersOf,
    run: async (given, port) => {
      const parameters = parametersOf(given);
      const call = port.call(service, api, lowerCase ? lowerNames(parameters) : parameters);
      const answer = await withNames({ prefix, generic: `${prefix}Exception` }, orAborted(call, port.signal));
      return shown(lowerCase ? upperNames(answer) : answer, "iso");
    },
  };
}

const lambdaErrors: ErrorNames = { prefix: "Lambda", generic: "AWSLambdaException" };

/** @throws StatesError with the function's error type, and its whole answer as the cause. */
async function invoked(port: TaskPort, request: InvokeRequest): Promise<InvokeResponse> {
  const response = await withNames(lambdaErrors, orAborted(port.invoke(request), port.signal));
  if (response.functionError === undefined) return response;
  const { payload } = response;
  const type = typeof payload === "object" && payload !== null && "errorType" in payload ? payload.errorType : undefined;
  throw new StatesError(typeof type === "string" && type !== "" ? type : "Lambda.Unknown", response.text);
}

function functionArn(arn: string): Integration {
  return {
    resourceType: "lambda",
    resource: arn,
    isFunctionArn: true,
    run: async (payload, port) => (await invoked(port, { functionName: arn, payload })).payload,
  };
}

const invokeParameters = ["FunctionName", "Qualifier", "Payload", "InvocationType"];

const lambdaInvoke: Integration = {
  resourceType: "lambda",
  resource: "invoke",
  isFunctionArn: false,
  checkParameters: (parameters) => {
    const names = Object.keys(parametersOf(parameters)).map((name) => name.replace(/\.\$$/, ""));
    const unknown = names.filter((name) => !invokeParameters.includes(name));
    if (unknown.length > 0)
      throw new Error(`lambda:invoke has no local parameter ${unknown.join(", ")}; supported are ${invokeParameters.join(", ")}`);
    if (!names.includes("FunctionName")) throw new Error("lambda:invoke needs the parameter FunctionName");
  },
  run: async (given, port) => {
    const { FunctionName, Qualifier, Payload, InvocationType } = parametersOf(given);
    const response = await invoked(port, {
      functionName: String(FunctionName),
      qualifier: Qualifier === undefined ? undefined : String(Qualifier),
      payload: Payload,
      invocationType: InvocationType === undefined ? undefined : String(InvocationType),
    });
    return {
      ExecutedVersion: response.executedVersion ?? "$LATEST",
      Payload: response.payload,
      ...sdkMetadata(),
      StatusCode: response.status,
    };
  },
};
