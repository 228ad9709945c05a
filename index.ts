/** Entry of the Pulumi program: reads the config, creates the platform, exports the outputs. */
import * as pulumi from "@pulumi/pulumi";
import { allConfig } from "@pulumi/pulumi/runtime";
import { buildFunctions } from "./build/bundle";
import { capacityWarnings } from "./stacks/capacity";
import { parseConfig } from "./stacks/config";
import { readShippedModels, resolveModels } from "./stacks/models";
import { createPlatform } from "./stacks/platform";

const config = parseConfig(pulumi.getStack(), allConfig());
for (const warning of capacityWarnings(config)) void pulumi.log.warn(warning);
buildFunctions();
const shipped = readShippedModels();
const initial = resolveModels(pulumi.getStack(), config, shipped);
const {
  models,
  api,
  stream,
  warehouse,
  pipelines,
  catalog: dataCatalog,
  bus,
  alarmTopic,
  redrive: redriveOutput,
} = createPlatform(config, {
  shipped,
  initial,
});

export const region = config.region;
export const apiUrl = api.url;
export const apiKey = api.apiKey === undefined ? undefined : pulumi.secret(api.apiKey);
export const dashboardUrl = api.dashboardUrl;
export const scoresTable = api.scoresTable;
export const alertTopicArn = api.alertTopicArn;
export const highScoresLogGroup = api.highScoresLogGroup;
export const leadPolicyParameter = api.policyParameterNames.lead;
export const churnPolicyParameter = api.policyParameterNames.churn;
export const devicePolicyParameter = api.policyParameterNames.device;
export const modelBucket = models.bucket.bucketName;
/** Name of the models' parameter by profile. */
export const modelsParameters = Object.fromEntries(
  [...api.served, stream.served].map(({ profile, modelsParameter }) => [profile, modelsParameter]),
);
export const alarmTopicArn = alarmTopic.arn;
export const eventBusName = bus.busName;
/** This and the next one are undefined without the trigger kinesis. */
export const streamName = stream.streamName;
export const streamFunction = stream.functionName;
/** Name or ARN of the bus whose events are scored; undefined without the trigger eventbridge. */
export const incomingBus = stream.incomingBus;
/** This and the next one are undefined without the trigger firehose. */
export const deliveryStreamName = stream.deliveryStreamName;
export const firehoseFunction = stream.firehoseFunctionName;
/** Of the triggers eventbridge and rest. */
export const eventQueueUrl = stream.eventQueueUrl;
export const queueFunction = stream.queueFunctionName;
/** Of the trigger s3. */
export const fileFunction = stream.fileFunctionName;
export const resultsTable = stream.resultsTable;
export const stateTable = stream.stateTable;
/** Of Glue; the schema in it is `Transaction`. */
export const schemaRegistry = stream.schemaRegistryName;
export const dataBucket = stream.dataBucket.bucketName;
/** What `npm run redrive` has to know. */
export const redrive = redriveOutput;
export const fraudPolicyParameter = stream.policyParameterName;
export const loaderFunction = warehouse?.loaderFunctionName;
export const warehouseMigrator = warehouse?.migratorFunctionName;
export const loadQueueUrl = warehouse?.loadQueueUrl;
export const warehouseWorkgroup = warehouse?.workgroupName;
export const warehouseDatabase = warehouse?.databaseName;
export const warehouseAdminSecretArn = warehouse?.adminSecretArn;
/** What `npm run query` has to know. */
export const catalog =
  dataCatalog === undefined
    ? undefined
    : {
        roleArn: dataCatalog.analystRoleArn,
        workgroup: dataCatalog.workgroupName,
        database: dataCatalog.databaseName,
      };
export const pipelineBucket = pipelines?.store.bucket.bucketName;
export const trainingMachineArn = pipelines?.training.trainingMachineArn;
export const promotionMachineArn = pipelines?.training.promotionMachineArn;
export const inferenceMachineArn = pipelines?.inference.machineArn;
/** Group in the Model Registry by dataset. */
export const modelGroups = pipelines?.training.modelGroups;
export const pipelineDashboard = pipelines?.dashboardName;
