/** Redshift, Step Functions, Glue and SageMaker: resources that meet the controls and what breaks them. */
import { type Case, resource } from "./cases";

const KEY = "arn:aws:kms:us-east-1:111122223333:key/1";

const namespace = resource("aws:redshiftserverless/namespace:Namespace", "namespace", {
  adminUsername: "risk_owner",
  dbName: "risk",
  kmsKeyId: KEY,
  logExports: ["userlog", "connectionlog"],
});
const workgroup = resource("aws:redshiftserverless/workgroup:Workgroup", "workgroup", {
  enhancedVpcRouting: true,
  publiclyAccessible: false,
  configParameters: [{ parameterKey: "require_ssl", parameterValue: "true" }],
});

const serverless: Case[] = [
  {
    control: "RedshiftServerless.1",
    resources: [workgroup],
    path: "enhancedVpcRouting",
    says: "enhancedVpcRouting is not set; set it to true",
  },
  {
    control: "RedshiftServerless.2",
    resources: [workgroup],
    path: "configParameters",
    value: [],
    says: 'require_ssl not set; set it to "true"',
  },
  { control: "RedshiftServerless.3", resources: [workgroup], path: "publiclyAccessible", value: true, says: "set it to false" },
  {
    control: "RedshiftServerless.4",
    resources: [namespace],
    path: "kmsKeyId",
    says: "kmsKeyId is not set; set it to the ARN",
  },
  {
    control: "RedshiftServerless.5",
    resources: [namespace],
    path: "adminUsername",
    value: "admin",
    says: 'adminUsername is "admin"; set it to a name other',
  },
  {
    control: "RedshiftServerless.6",
    resources: [namespace],
    path: "logExports",
    value: ["userlog"],
    says: '"connectionlog" and "userlog"',
  },
  {
    control: "RedshiftServerless.7",
    resources: [namespace],
    path: "dbName",
    value: "dev",
    says: 'dbName is "dev"; set it to a name other',
  },
];

const parameters = resource("aws:redshift/parameterGroup:ParameterGroup", "parameters", {
  parameters: [
    { name: "require_ssl", value: "true" },
    { name: "enable_user_activity_logging", value: "true" },
  ],
});
const cluster = resource("aws:redshift/cluster:Cluster", "cluster", {
  clusterIdentifier: "risk",
  publiclyAccessible: false,
  automatedSnapshotRetentionPeriod: 7,
  allowVersionUpgrade: true,
  enhancedVpcRouting: true,
  masterUsername: "risk_owner",
  databaseName: "risk",
  encrypted: "true",
  multiAz: true,
  clusterSubnetGroupName: "private",
  port: 5440,
  clusterParameterGroupName: "parameters",
  vpcSecurityGroupIds: ["group-id"],
});
const logging = resource("aws:redshift/logging:Logging", "logging", { clusterIdentifier: "risk" });
const group = resource("aws:ec2/securityGroup:SecurityGroup", "group", { ingress: [{ cidrBlocks: ["10.0.0.0/8"] }] });
const ingress = resource("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "ingress", {
  securityGroupId: "group-id",
  cidrIpv4: "10.0.0.0/8",
});

const provisioned: Case[] = [
  {
    control: "Redshift.1",
    resources: [cluster],
    path: "publiclyAccessible",
    value: true,
    says: "publiclyAccessible is true; set it to false",
  },
  {
    control: "Redshift.2",
    resources: [cluster, parameters],
    path: "clusterParameterGroupName",
    says: "require_ssl in the parameter group is not set",
  },
  {
    control: "Redshift.3",
    resources: [cluster],
    path: "automatedSnapshotRetentionPeriod",
    value: 1,
    says: "is 1; set it to 7 days",
  },
  {
    control: "Redshift.4",
    resources: [cluster, logging],
    index: 1,
    path: "clusterIdentifier",
    value: "other",
    says: "add a redshift Logging",
  },
  {
    control: "Redshift.6",
    resources: [cluster],
    path: "allowVersionUpgrade",
    value: false,
    says: "allowVersionUpgrade is false; set it to true",
  },
  {
    control: "Redshift.7",
    resources: [cluster],
    path: "enhancedVpcRouting",
    value: false,
    says: "enhancedVpcRouting is false; set it to true",
  },
  { control: "Redshift.8", resources: [cluster], path: "masterUsername", value: "awsuser", says: 'a name other than "awsuser"' },
  { control: "Redshift.9", resources: [cluster], path: "databaseName", value: "dev", says: 'a name other than "dev"' },
  {
    control: "Redshift.10",
    resources: [cluster],
    path: "encrypted",
    value: "false",
    says: 'encrypted is "false"; set it to true',
  },
  {
    control: "Redshift.15",
    resources: [cluster, group],
    index: 1,
    path: "ingress",
    value: [{ cidrBlocks: ["0.0.0.0/0"] }],
    says: "ingress of group lets any address in; name",
  },
  {
    control: "Redshift.15",
    resources: [cluster, group, ingress],
    index: 2,
    path: "cidrIpv4",
    value: "0.0.0.0/0",
    says: "lets any address in",
  },
  { control: "Redshift.18", resources: [cluster], path: "multiAz", says: "multiAz is not set; set it to true" },
  {
    control: "RS2",
    resources: [cluster],
    path: "clusterSubnetGroupName",
    says: "clusterSubnetGroupName is not set; name a subnet group",
  },
  { control: "RS4", resources: [cluster], path: "port", value: 5439, says: "a port other than 5439" },
  {
    control: "RS11",
    resources: [cluster, parameters],
    index: 1,
    path: "parameters",
    value: [{ name: "require_ssl", value: "true" }],
    says: "enable_user_activity_logging in the parameter group is not set",
  },
];

const machine = resource("aws:sfn/stateMachine:StateMachine", "machine", {
  loggingConfiguration: { level: "ALL" },
  tracingConfiguration: { enabled: true },
  encryptionConfiguration: { type: "CUSTOMER_MANAGED_KMS_KEY", kmsKeyId: KEY },
});
const RESILIENT = { TimeoutSeconds: 60, Retry: [{}], Catch: [{}], End: true };
const TRAINING = {
  EnableNetworkIsolation: true,
  EnableInterContainerTrafficEncryption: true,
  OutputDataConfig: { KmsKeyId: KEY },
  ResourceConfig: { VolumeKmsKeyId: KEY },
};
const TRANSFORM = { TransformOutput: { KmsKeyId: KEY }, TransformResources: { VolumeKmsKeyId: KEY } };
/** A definition of one task, in a Map as it could be. */
const oneTask = (resourceArn: string, parameters: object, settings: object = RESILIENT) =>
  JSON.stringify({
    StartAt: "All",
    States: {
      All: {
        Type: "Map",
        ItemProcessor: {
          StartAt: "Work",
          States: { Work: { Type: "Task", Resource: resourceArn, Parameters: parameters, ...settings } },
        },
        End: true,
      },
    },
  });
const TRAIN = "arn:aws:states:::sagemaker:createTrainingJob.sync";
const TRANSFORM_DAY = "arn:aws:states:::sagemaker:createTransformJob.sync";
const CREATE_MODEL = "arn:aws:states:::sagemaker:createModel";
const running = (definition: string) => resource(machine.type, "running", { definition });
const connection = resource("aws:glue/connection:Connection", "snowflake", {
  connectionProperties: { SparkProperties: JSON.stringify({ secretId: "key-pair", sfUrl: "acme.snowflakecomputing.com" }) },
});
const security = resource("aws:glue/securityConfiguration:SecurityConfiguration", "security", {
  encryptionConfiguration: {
    cloudwatchEncryption: { cloudwatchEncryptionMode: "SSE-KMS" },
    jobBookmarksEncryption: { jobBookmarksEncryptionMode: "CSE-KMS" },
    s3Encryption: { s3EncryptionMode: "SSE-KMS" },
  },
});
const job = resource("aws:glue/job:Job", "job", { glueVersion: "5.0", securityConfiguration: "security" });
const model = resource("aws:sagemaker/model:Model", "model", {
  enableNetworkIsolation: true,
  vpcConfig: { subnets: ["subnet-a"] },
});
const endpoint = resource("aws:sagemaker/endpointConfiguration:EndpointConfiguration", "endpoint", {
  kmsKeyArn: KEY,
  dataCaptureConfig: { kmsKeyId: KEY },
  productionVariants: [{ initialInstanceCount: 2 }],
});
const onDemand = resource(endpoint.type, "on-demand", { productionVariants: [{ serverlessConfig: { maxConcurrency: 1 } }] });

const pipeline: Case[] = [
  {
    control: "StepFunctions.1",
    resources: [machine],
    path: "loggingConfiguration.level",
    value: "ERROR",
    says: 'is "ERROR"; set it to "ALL"',
  },
  {
    control: "SF2",
    resources: [machine],
    path: "tracingConfiguration",
    says: "tracingConfiguration.enabled is not set; set it to true",
  },
  { control: "Glue.4", resources: [job], path: "glueVersion", value: "2.0", says: 'glueVersion is "2.0"; set it to "5.0"' },
  { control: "GL1", resources: [job, security], path: "securityConfiguration", says: "name a SecurityConfiguration" },
  {
    control: "GL1",
    resources: [job, security],
    index: 1,
    path: "encryptionConfiguration.cloudwatchEncryption.cloudwatchEncryptionMode",
    value: "DISABLED",
    says: 'is "DISABLED"; set it to "SSE-KMS"',
  },
  {
    control: "GL3",
    resources: [job, security],
    index: 1,
    path: "encryptionConfiguration.jobBookmarksEncryption.jobBookmarksEncryptionMode",
    value: "DISABLED",
    says: 'is "DISABLED"; set it to "CSE-KMS"',
  },
  {
    control: "Glue.objects",
    resources: [job, security],
    index: 1,
    path: "encryptionConfiguration.s3Encryption.s3EncryptionMode",
    value: "DISABLED",
    says: 'is "DISABLED"; set it to "SSE-KMS"',
  },
  {
    control: "Glue.connections",
    resources: [connection],
    path: "connectionProperties",
    value: { SparkProperties: JSON.stringify({ sfUser: "risk", sfPassword: "hunter2" }) },
    says: "put it into a secret",
  },
  {
    control: "StepFunctions.keys",
    resources: [machine],
    path: "encryptionConfiguration.type",
    value: "AWS_OWNED_KEY",
    says: 'is "AWS_OWNED_KEY"; set it to "CUSTOMER_MANAGED_KMS_KEY"',
  },
  {
    control: "StepFunctions.keys",
    resources: [machine],
    path: "encryptionConfiguration.kmsKeyId",
    says: "set it to the ARN of a customer-managed key",
  },
  ...(["TimeoutSeconds", "Retry", "Catch"] as const).map((setting) => ({
    control: "StepFunctions.tasks",
    resources: [running(oneTask(TRAIN, TRAINING))],
    path: "definition",
    value: oneTask(TRAIN, TRAINING, { ...RESILIENT, [setting]: undefined }),
    says: `definition, Work: ${setting} is not set`,
  })),
  {
    control: "StepFunctions.tasks",
    resources: [running(oneTask(TRAIN, TRAINING))],
    path: "definition",
    value: "not JSON",
    says: 'definition is "not JSON"; set it to a definition with States',
  },
  ...[
    [TRAIN, "SageMaker.training", TRAINING, { ...TRAINING, EnableNetworkIsolation: false }, "EnableNetworkIsolation is false"],
    [
      TRAIN,
      "SageMaker.training",
      TRAINING,
      { ...TRAINING, EnableInterContainerTrafficEncryption: undefined },
      "EnableInterContainerTrafficEncryption is not set; set it to true",
    ],
    [TRAIN, "SageMaker.training", TRAINING, { ...TRAINING, OutputDataConfig: {} }, "OutputDataConfig.KmsKeyId is not set"],
    [TRAIN, "SageMaker.training", TRAINING, { ...TRAINING, ResourceConfig: {} }, "ResourceConfig.VolumeKmsKeyId is not set"],
    [
      TRANSFORM_DAY,
      "SageMaker.transform",
      TRANSFORM,
      { ...TRANSFORM, TransformOutput: {} },
      "TransformOutput.KmsKeyId is not set",
    ],
    [
      TRANSFORM_DAY,
      "SageMaker.transform",
      TRANSFORM,
      { ...TRANSFORM, TransformResources: {} },
      "TransformResources.VolumeKmsKeyId is not set",
    ],
    [CREATE_MODEL, "SageMaker.models", { EnableNetworkIsolation: true }, {}, "EnableNetworkIsolation is not set; set it to true"],
  ].map(([action, control, passing, failing, says]) => ({
    control: String(control),
    resources: [running(oneTask(String(action), Object(passing)))],
    path: "definition",
    value: oneTask(String(action), Object(failing)),
    says: `definition, Work: Parameters.${String(says)}`,
  })),
  { control: "SageMaker.5", resources: [model], path: "enableNetworkIsolation", value: false, says: "set it to true" },
  { control: "SageMaker.vpc", resources: [model], path: "vpcConfig", says: "vpcConfig.subnets is not set; name private subnets" },
  { control: "SageMaker.keys", resources: [endpoint], path: "kmsKeyArn", says: "kmsKeyArn is not set; set it to the ARN" },
  {
    control: "SageMaker.keys",
    resources: [endpoint],
    path: "dataCaptureConfig.kmsKeyId",
    says: "dataCaptureConfig.kmsKeyId is not set",
  },
  {
    control: "SageMaker.keys",
    resources: [onDemand],
    path: "productionVariants",
    value: [{ initialInstanceCount: 2 }],
    says: "kmsKeyArn",
  },
  {
    control: "SageMaker.4",
    resources: [endpoint],
    path: "productionVariants",
    value: [{ initialInstanceCount: 1 }],
    says: "is 1; set it to 2 or more",
  },
];

const athenaWorkgroup = resource("aws:athena/workgroup:Workgroup", "analysts", {
  configuration: {
    enforceWorkgroupConfiguration: true,
    publishCloudwatchMetricsEnabled: true,
    bytesScannedCutoffPerQuery: 10_000_000,
    resultConfiguration: { encryptionConfiguration: { encryptionOption: "SSE_KMS", kmsKeyArn: KEY } },
  },
});

const athena: Case[] = [
  {
    control: "Athena.4",
    resources: [athenaWorkgroup],
    path: "configuration.publishCloudwatchMetricsEnabled",
    says: "publishCloudwatchMetricsEnabled is not set; set it to true",
  },
  {
    control: "ATH1",
    resources: [athenaWorkgroup],
    path: "configuration.resultConfiguration.encryptionConfiguration.encryptionOption",
    value: "SSE_S3",
    says: "set encryptionOption to SSE_KMS and kmsKeyArn to a key",
  },
  {
    control: "Athena.enforced",
    resources: [athenaWorkgroup],
    path: "configuration.enforceWorkgroupConfiguration",
    value: false,
    says: "enforceWorkgroupConfiguration is false; set it to true",
  },
  {
    control: "Athena.limit",
    resources: [athenaWorkgroup],
    path: "configuration.bytesScannedCutoffPerQuery",
    value: 1,
    says: "bytesScannedCutoffPerQuery is 1; set it to the bytes",
  },
];

export const analyticsCases: readonly Case[] = [...serverless, ...athena, ...provisioned, ...pipeline];
