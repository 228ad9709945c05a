/** Step Functions, Glue and SageMaker: the services of nightly scoring and training. */
import type { GraphResource } from "@risk/program-graph";
import { isObject } from "../functions/scoring/core/json";
import { all, at, type Control, field, is, isAtLeast, isText, listAt, type ResourceGraph, refersTo, violation } from "./control";

const STATE_MACHINE = "aws:sfn/stateMachine:StateMachine";
const GLUE_JOB = "aws:glue/job:Job";
const GLUE_CONNECTION = "aws:glue/connection:Connection";
const SECURITY_CONFIGURATION = "aws:glue/securityConfiguration:SecurityConfiguration";
const MODEL = "aws:sagemaker/model:Model";
const ENDPOINT = "aws:sagemaker/endpointConfiguration:EndpointConfiguration";

/** Oldest version that AWS still patches. https://docs.aws.amazon.com/glue/latest/dg/glue-version-support-policy.html */
const OLDEST_GLUE = 3;

/** Checks one kind of encryption of the security configuration that a job names. */
const jobEncryption =
  (kind: string, modePath: string, mode: string): Control["check"] =>
  (job: GraphResource, graph: ResourceGraph) => {
    const name = job.inputs.securityConfiguration;
    const configuration = graph.ofType(SECURITY_CONFIGURATION).find((candidate) => refersTo(name, candidate));
    if (configuration === undefined)
      return [violation("securityConfiguration", name, "name a SecurityConfiguration of the stack.")];
    const path = `encryptionConfiguration.${kind}.${modePath}`;
    const value = at(configuration.inputs, path);
    return value === mode ? [] : [violation(`${path} of ${configuration.name}`, value, `set it to "${mode}", with kmsKeyArn.`)];
  };

/** Settings of a connection that contain a password instead of the name of a secret. */
const PASSWORD = /"(sfPassword|PASSWORD|password|pem_private_key)"/;

const withoutPassword: Control["check"] = ({ inputs }) => {
  const properties = isObject(inputs.connectionProperties) ? inputs.connectionProperties : {};
  return PASSWORD.test(JSON.stringify(properties).replaceAll('\\"', '"'))
    ? ["connectionProperties hold a password or a private key; put it into a secret and name that as secretId."]
    : [];
};

/** Where an endpoint stores its answers: checks the key of each configured output. */
const OUTPUTS = [
  { when: "dataCaptureConfig", key: "dataCaptureConfig.kmsKeyId" },
  { when: "asyncInferenceConfig", key: "asyncInferenceConfig.outputConfig.kmsKeyId" },
];

const isServerless = (variant: unknown): boolean => isObject(at(variant, "serverlessConfig"));

function checkEndpointKeys({ inputs }: GraphResource): string[] {
  const paths = OUTPUTS.filter(({ when }) => isObject(inputs[when])).map(({ key }) => key);
  // Serverless endpoints have no volume of their own.
  const volumes = listAt(inputs, "productionVariants").every(isServerless) ? [] : ["kmsKeyArn"];
  return [...volumes, ...paths]
    .filter((path) => !isText(at(inputs, path)))
    .map((path) => violation(path, at(inputs, path), "set it to the ARN of a customer-managed key."));
}

function checkInstances({ inputs }: GraphResource): string[] {
  return listAt(inputs, "productionVariants").flatMap((variant, index) => {
    const count = at(variant, "initialInstanceCount");
    return isServerless(variant) || isAtLeast(2)(count)
      ? []
      : [violation(`productionVariants[${index}].initialInstanceCount`, count, "set it to 2 or more.")];
  });
}

export const pipelineControls: readonly Control[] = [
  {
    id: "StepFunctions.1",
    alsoKnownAs: ["SF1"],
    title: "State machines log every event",
    appliesTo: [STATE_MACHINE],
    check: field("loggingConfiguration.level", is("ALL"), 'set it to "ALL", with logDestination.'),
  },
  {
    id: "SF2",
    title: "State machines are traced",
    appliesTo: [STATE_MACHINE],
    check: field("tracingConfiguration.enabled", is(true), "set it to true."),
  },
  {
    id: "Glue.4",
    title: "Jobs run on a supported version",
    appliesTo: [GLUE_JOB],
    check: field("glueVersion", (value) => Number(value) >= OLDEST_GLUE, 'set it to "5.0".'),
  },
  {
    id: "GL1",
    title: "Logs of jobs are encrypted",
    appliesTo: [GLUE_JOB],
    check: jobEncryption("cloudwatchEncryption", "cloudwatchEncryptionMode", "SSE-KMS"),
  },
  {
    id: "GL3",
    title: "Bookmarks of jobs are encrypted",
    appliesTo: [GLUE_JOB],
    check: jobEncryption("jobBookmarksEncryption", "jobBookmarksEncryptionMode", "CSE-KMS"),
  },
  {
    id: "Glue.objects",
    title: "What jobs write is encrypted",
    appliesTo: [GLUE_JOB],
    check: jobEncryption("s3Encryption", "s3EncryptionMode", "SSE-KMS"),
  },
  { id: "Glue.connections", title: "Connections name a secret", appliesTo: [GLUE_CONNECTION], check: withoutPassword },
  {
    id: "StepFunctions.keys",
    title: "State machines encrypt their data under a key of the stack",
    appliesTo: [STATE_MACHINE],
    check: all(
      field("encryptionConfiguration.type", is("CUSTOMER_MANAGED_KMS_KEY"), 'set it to "CUSTOMER_MANAGED_KMS_KEY".'),
      field("encryptionConfiguration.kmsKeyId", isText, "set it to the ARN of a customer-managed key."),
    ),
  },
  {
    id: "SageMaker.5",
    title: "Models are isolated from the network",
    appliesTo: [MODEL],
    check: field("enableNetworkIsolation", is(true), "set it to true."),
  },
  {
    id: "SageMaker.vpc",
    title: "Models run in a VPC",
    appliesTo: [MODEL],
    check: field(
      "vpcConfig.subnets",
      (value) => Array.isArray(value) && value.length > 0,
      "name private subnets and security groups.",
    ),
  },
  {
    id: "SageMaker.keys",
    alsoKnownAs: ["SageMakerEndpointConfigurationKMSKeyConfigured"],
    title: "Volumes and outputs of endpoints are encrypted under a key of the stack",
    appliesTo: [ENDPOINT],
    check: checkEndpointKeys,
  },
  { id: "SageMaker.4", title: "Endpoints have more than one instance", appliesTo: [ENDPOINT], check: checkInstances },
];
