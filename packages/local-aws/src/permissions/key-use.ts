/** Permissions that a caller needs on the customer-managed key of the data that it reads or writes, in addition to the action itself. */

export interface KeyNeed {
  /** Actions of KMS, on the key. */
  readonly uses: readonly string[];
  /** Pair of the encryption context for a resource's ARN; absent where none is documented. */
  readonly encryptionContext?: (arn: string) => readonly [key: string, value: string];
}

const READS = ["kms:Decrypt"];
const WRITES = ["kms:GenerateDataKey"];
/** SNS and SQS decrypt a new data key once, to verify it. */
const SENDS = ["kms:GenerateDataKey", "kms:Decrypt"];
const arnAs =
  (key: string): NonNullable<KeyNeed["encryptionContext"]> =>
  (arn) => [key, arn];
const tableName: NonNullable<KeyNeed["encryptionContext"]> = (arn) => ["aws:dynamodb:tableName", arn.split("/")[1] ?? ""];
const queue = arnAs("aws:sqs:arn");
const stream = arnAs("aws:kinesis:arn");

/** On items: DynamoDB decrypts the table's key with the caller's permission. KMS Developer Guide, "How DynamoDB uses AWS KMS". */
const ON_ITEMS = ["GetItem", "PutItem", "UpdateItem", "DeleteItem", "BatchGetItem", "BatchWriteItem", "Query", "Scan"];

/** What a state machine's own role must be allowed to do with the machine's key. Step Functions Developer Guide, "Data at rest encryption". */
export const MACHINE_KEY_NEED = {
  uses: SENDS,
  encryptionContext: arnAs("aws:states:stateMachineArn"),
} satisfies KeyNeed;

/** By IAM action. Deletions and metadata need no key. */
export const KEY_NEEDS: Readonly<Record<string, KeyNeed>> = {
  // SQS Developer Guide, "Amazon SQS Key management".
  "sqs:SendMessage": { uses: SENDS, encryptionContext: queue },
  "sqs:ReceiveMessage": { uses: READS, encryptionContext: queue },
  // SNS Developer Guide, "Managing Amazon SNS encryption keys and costs".
  "sns:Publish": { uses: SENDS, encryptionContext: arnAs("aws:sns:topicArn") },
  // Kinesis Data Streams Developer Guide, "Permissions to use user-generated KMS keys".
  "kinesis:PutRecord": { uses: WRITES, encryptionContext: stream },
  "kinesis:PutRecords": { uses: WRITES, encryptionContext: stream },
  "kinesis:GetRecords": { uses: READS, encryptionContext: stream },
  ...Object.fromEntries(ON_ITEMS.map((action) => [`dynamodb:${action}`, { uses: READS, encryptionContext: tableName }])),
  // S3 User Guide, "Using server-side encryption with AWS KMS keys".
  "s3:GetObject": { uses: READS },
  "s3:PutObject": { uses: WRITES },
  // Secrets Manager User Guide, "Secret encryption and decryption in AWS Secrets Manager".
  "secretsmanager:GetSecretValue": { uses: READS },
  "secretsmanager:PutSecretValue": { uses: WRITES },
  // Systems Manager User Guide, "AWS KMS encryption for AWS Systems Manager Parameter Store SecureString parameters".
  "ssm:GetParameter": { uses: READS },
  "ssm:GetParameters": { uses: READS },
};
