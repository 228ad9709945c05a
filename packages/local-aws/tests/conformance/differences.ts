/** Where the local runtime and moto answer differently, and which of the two is right by AWS's own pages. */

export interface ListedDifference {
  /** `SQS.SendMessage`; `note` for a value that a script made of answers. */
  readonly operation: string;
  /** As transcripts name them: `Messages[].Body`, `error`, `status`; empty when one side refuses what the other answers. */
  readonly paths: readonly string[];
  /** `both`: the page allows either. Where moto is right, nothing that the platform does reads the member. */
  readonly right: "local" | "moto" | "both";
  readonly page: string;
  readonly why: string;
}

const DOCS = "https://docs.aws.amazon.com";
const CLOUDWATCH = `${DOCS}/AmazonCloudWatch/latest/APIReference`;
const DYNAMODB = `${DOCS}/amazondynamodb/latest/APIReference`;
const EVENTS = `${DOCS}/eventbridge/latest/APIReference`;
const GLUE = `${DOCS}/glue/latest/dg/aws-glue-api-jobs-runs.html`;
const SCHEMAS = `${DOCS}/glue/latest/dg/aws-glue-api-schema-registry-api.html`;
const KINESIS = `${DOCS}/kinesis/latest/APIReference`;
const LAMBDA = `${DOCS}/lambda/latest/api`;
const LOGS = `${DOCS}/AmazonCloudWatchLogs/latest/APIReference`;
const S3 = `${DOCS}/AmazonS3/latest/API`;
const SAGEMAKER = `${DOCS}/sagemaker/latest/APIReference`;
const SECRETS = `${DOCS}/secretsmanager/latest/apireference`;
const SQS = `${DOCS}/AWSSimpleQueueService/latest/APIReference`;
const SSM = `${DOCS}/systems-manager/latest/APIReference`;
const STATES = `${DOCS}/step-functions/latest/apireference`;

export const DIFFERENCES: readonly ListedDifference[] = [
  // SQS
  {
    operation: "SQS.DeleteMessageBatch",
    paths: ["Failed[].Message"],
    right: "both",
    page: `${SQS}/API_BatchResultErrorEntry.html`,
    why: "the message explains the code; its words are not specified",
  },
  // Kinesis
  {
    operation: "Kinesis.PutRecord",
    paths: ["EncryptionType", "", "error"],
    right: "local",
    page: `${KINESIS}/API_PutRecord.html`,
    why: "EncryptionType is NONE or KMS; a partition key has 1 to 256 characters, and limits of members are ValidationException",
  },
  {
    operation: "Kinesis.PutRecords",
    paths: ["EncryptionType", ""],
    right: "local",
    page: `${KINESIS}/API_PutRecords.html`,
    why: "EncryptionType is NONE or KMS; there are 1 to 500 records",
  },
  // DynamoDB
  {
    operation: "DynamoDB.GetItem",
    paths: ["Item.n.N", ""],
    right: "local",
    page: `${DOCS}/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html`,
    why: "leading and trailing zeroes of numbers are trimmed; a key has the type and the attributes of the table's schema",
  },
  {
    operation: "DynamoDB.UpdateItem",
    paths: ["Attributes.n.N", "ConsumedCapacity"],
    right: "local",
    page: `${DYNAMODB}/API_UpdateItem.html`,
    why: "zeroes are trimmed; ConsumedCapacity is only returned when ReturnConsumedCapacity asks for it",
  },
  {
    operation: "DynamoDB.DeleteItem",
    paths: ["Attributes.n.N"],
    right: "local",
    page: `${DOCS}/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html`,
    why: "leading and trailing zeroes of numbers are trimmed",
  },
  {
    operation: "DynamoDB.BatchGetItem",
    paths: ["ConsumedCapacity"],
    right: "local",
    page: `${DYNAMODB}/API_BatchGetItem.html`,
    why: "it is only returned when ReturnConsumedCapacity asks for it",
  },
  {
    operation: "DynamoDB.PutItem",
    paths: ["", "error", "status"],
    right: "local",
    page: `${DYNAMODB}/API_PutItem.html`,
    why: "every placeholder has to be used, and a number has to be one; moto takes the first and breaks on the second",
  },
  // S3
  ...["PutObject", "GetObject", "HeadObject", "CompleteMultipartUpload"].map((operation) => ({
    operation: `S3.${operation}`,
    paths: ["ServerSideEncryption"],
    right: "local" as const,
    page: `${DOCS}/AmazonS3/latest/userguide/default-encryption-faq.html`,
    why: "every new object is encrypted with SSE-S3, and the header says so",
  })),
  {
    operation: "S3.GetObject",
    paths: ["error"],
    right: "both",
    page: `${S3}/API_GetObject.html`,
    why: "a 304 has no body with a code; what the SDK calls it depends on the content type of nothing",
  },
  {
    operation: "S3.PutObject",
    paths: [""],
    right: "local",
    page: `${DOCS}/AmazonS3/latest/userguide/object-keys.html`,
    why: "a key has at most 1,024 bytes",
  },
  {
    operation: "S3.ListObjectsV2",
    paths: ["Contents[].ChecksumAlgorithm"],
    right: "moto",
    page: `${S3}/API_Object.html`,
    why: "the local listing tells no checksums",
  },
  {
    operation: "S3.ListObjectsV2",
    paths: ["ContinuationToken"],
    right: "local",
    page: `${S3}/API_ListObjectsV2.html`,
    why: "the token is included in the response when it was sent with the request",
  },
  {
    operation: "S3.CompleteMultipartUpload",
    paths: ["Location", "VersionId"],
    right: "local",
    page: `${S3}/API_CompleteMultipartUpload.html`,
    why: "the location is where the client sent the object; without versioning there is no version id",
  },
  // Parameters and secrets
  {
    operation: "SSM.GetParameter",
    paths: ["Parameter.Selector"],
    right: "local",
    page: `${SSM}/API_Parameter.html`,
    why: "it is the version or label that was asked for",
  },
  {
    operation: "SSM.GetParameterHistory",
    paths: ["Parameters[].LastModifiedUser"],
    right: "moto",
    page: `${SSM}/API_ParameterHistory.html`,
    why: "the local history does not keep who wrote a version",
  },
  {
    operation: "SSM.GetParameters",
    paths: ["Parameters[].Value"],
    right: "both",
    page: `${SSM}/API_GetParameters.html`,
    why: "without decryption the value is ciphertext",
  },
  {
    operation: "SSM.PutParameter",
    paths: ["", "error"],
    right: "local",
    page: `${SSM}/API_PutParameter.html`,
    why: "a name with a slash begins with one and has no spaces, a value has 1 to 4,096 bytes, and AWS's own prefix is refused; by which code is not specified",
  },
  {
    operation: "SecretsManager.GetSecretValue",
    paths: ["status"],
    right: "local",
    page: `${SECRETS}/API_GetSecretValue.html`,
    why: "ResourceNotFoundException has the status 400",
  },
  // Logs and metrics
  {
    operation: "CloudWatchLogs.FilterLogEvents",
    paths: ["searchedLogStreams"],
    right: "local",
    page: `${LOGS}/API_FilterLogEvents.html`,
    why: "the member is no longer supported: an empty list",
  },
  {
    operation: "CloudWatchLogs.FilterLogEvents",
    paths: ["events"],
    right: "local",
    page: `${DOCS}/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html`,
    why: "?a ?b are alternatives, not everything",
  },
  {
    operation: "note",
    paths: ["[]"],
    right: "local",
    page: `${DOCS}/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html`,
    why: "?a ?b are alternatives, not everything",
  },
  {
    operation: "CloudWatchLogs.PutRetentionPolicy",
    paths: [""],
    right: "local",
    page: `${LOGS}/API_PutRetentionPolicy.html`,
    why: "the possible numbers of days are listed",
  },
  {
    operation: "CloudWatchLogs.CreateLogGroup",
    paths: [""],
    right: "local",
    page: `${LOGS}/API_CreateLogGroup.html`,
    why: "the characters of a name are listed",
  },
  {
    operation: "CloudWatch.GetMetricData",
    paths: ["error"],
    right: "both",
    page: `${CLOUDWATCH}/API_GetMetricData.html`,
    why: "a range that ends before it begins is refused; the page has no code of its own for it",
  },
  {
    operation: "CloudWatch.DescribeAlarms",
    paths: ["MetricAlarms[].StateValue"],
    right: "local",
    page: `${CLOUDWATCH}/API_PutMetricAlarm.html`,
    why: "a new alarm's state is INSUFFICIENT_DATA at once",
  },
  {
    operation: "CloudWatch.DescribeAlarms",
    paths: [
      "MetricAlarms[].DatapointsToAlarm",
      "MetricAlarms[].TreatMissingData",
      "MetricAlarms[].AlarmConfigurationUpdatedTimestamp",
      "MetricAlarms[].StateReasonData",
    ],
    right: "both",
    page: `${CLOUDWATCH}/API_MetricAlarm.html`,
    why: "all are optional; the local runtime tells defaults, and keeps no time of the last change",
  },
  // EventBridge
  {
    operation: "SQS.SendMessage",
    paths: [""],
    right: "local",
    page: `${SQS}/API_SendMessage.html`,
    why: "a body has no characters outside #x9, #xA, #xD and the listed ranges",
  },
  {
    operation: "EventBridge.ListTargetsByRule",
    paths: ["Targets[].RetryPolicy"],
    right: "both",
    page: `${EVENTS}/API_RetryPolicy.html`,
    why: "the local runtime tells the defaults that it goes by",
  },
  {
    operation: "EventBridge.PutEvents",
    paths: [""],
    right: "local",
    page: `${EVENTS}/API_PutEvents.html`,
    why: "there are 1 to 10 entries",
  },
  {
    operation: "note",
    paths: ["[].account"],
    right: "local",
    page: `${DOCS}/eventbridge/latest/ref/events-structure.html`,
    why: "every event names its account",
  },
  // Step Functions
  {
    operation: "note",
    paths: ["cause"],
    right: "both",
    page: `${DOCS}/step-functions/latest/dg/concepts-error-handling.html`,
    why: "the words of a cause are not specified",
  },
  {
    operation: "SFN.DescribeExecution",
    paths: ["inputDetails", "redriveCount", "redriveStatus"],
    right: "local",
    page: `${STATES}/API_DescribeExecution.html`,
    why: "all three are members of the answer",
  },
  {
    operation: "SFN.StartExecution",
    paths: ["", "error"],
    right: "local",
    page: `${STATES}/API_StartExecution.html`,
    why: "InvalidName and InvalidExecutionInput are the operation's errors; moto takes any name and misspells the other",
  },
  // Glue and SageMaker
  ...["Glue.GetSchemaVersion", "Glue.GetSchemaByDefinition"].map((operation) => ({
    operation,
    paths: ["CreatedTime"],
    right: "both" as const,
    page: SCHEMAS,
    why: "a text of no specified notation",
  })),
  {
    operation: "Glue.GetJobRun",
    paths: ["[].--table"],
    right: "local",
    page: GLUE,
    why: "a run's arguments replace the job's default ones, which are not repeated",
  },
  {
    operation: "SageMaker.DescribeModelPackage",
    paths: [
      "ModelPackageStatusDetails.ValidationStatuses",
      "ModelPackageStatusDetails.ImageScanStatuses",
      "LastModifiedTime",
      "CreatedBy",
    ],
    right: "both",
    page: `${SAGEMAKER}/API_DescribeModelPackage.html`,
    why: "all are optional; nothing is validated or scanned here, and nobody has a profile in a domain",
  },
  {
    operation: "SageMaker.ListModelPackages",
    paths: [""],
    right: "both",
    page: `${SAGEMAKER}/API_ListModelPackages.html`,
    why: "the page does not tell what becomes of a group that does not exist; the local runtime refuses it by name",
  },
  ...["CreateTrainingJob", "CreateTransformJob"].map((operation) => ({
    operation: `SageMaker.${operation}`,
    paths: [""],
    right: "local" as const,
    page: `${SAGEMAKER}/API_${operation}.html`,
    why: "a name is taken once: ResourceInUse",
  })),
  {
    operation: "SageMaker.CreateModel",
    paths: [""],
    right: "local",
    page: `${SAGEMAKER}/API_CreateModel.html`,
    why: "a name is taken once in an account and region",
  },
  // Lambda
  {
    operation: "Lambda.Invoke",
    paths: [""],
    right: "local",
    page: `${LAMBDA}/API_Invoke.html`,
    why: "what is no function is ResourceNotFoundException; moto without containers answers whatever it is asked",
  },
];
