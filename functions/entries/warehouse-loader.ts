/**
 * Lambda `warehouse-loader`: loads every new object of archive, quarantine, labels and decision generations that the queue names.
 * Event: anything (a schedule's, or `{}` by hand). Returns: {@link LoaderSummary}.
 *
 * IAM actions of its role:
 *   sqs:ReceiveMessage, sqs:DeleteMessage, sqs:ChangeMessageVisibility, sqs:GetQueueAttributes  on the load queue
 *   s3:PutObject                                             on <MANIFEST_BUCKET>/manifests/*
 *   redshift-data:ExecuteStatement, redshift-data:BatchExecuteStatement  on the workgroup
 *   redshift-data:DescribeStatement, redshift-data:GetStatementResult, redshift-data:CancelStatement  on *
 *   redshift-serverless:GetCredentials                       on the workgroup, if SECRET_ARN is not set
 *   secretsmanager:GetSecretValue                            on SECRET_ARN, if it is set
 *   kms:Decrypt, kms:GenerateDataKey                         on the keys of queue and bucket, where they have one
 * COPY_ROLE_ARN, assumed by the warehouse: s3:GetObject on archive/*, quarantine/*, labels/*, generations/* and manifests/*, s3:ListBucket, kms:Decrypt.
 */
import { randomUUID } from "node:crypto";
import { createLoaderMetrics, createManifestStore, createQueue } from "../loader/adapters";
import { createDataApi } from "../loader/data-api";
import { createLoader } from "../loader/handler";
import { DEFAULT_SETTINGS, type LoaderSummary } from "../loader/ports";
import { createSqlClient } from "../loader/sql-client";
import { createRedshiftData, createSqs } from "../shared/clients";
import { EnvReader } from "../shared/env";
import { createLog } from "../shared/log";
import { createMetrics } from "../shared/metrics";
import { createS3 } from "../shared/s3-client";

const FUNCTION_NAME = "warehouse-loader";
const env = new EnvReader(FUNCTION_NAME, process.env);
const queueUrl = env.text("LOAD_QUEUE_URL");
const workgroupName = env.text("WORKGROUP_NAME");
const database = env.text("DATABASE_NAME");
const copyRoleArn = env.text("COPY_ROLE_ARN");
const manifestBucket = env.text("MANIFEST_BUCKET");
const namespace = env.text("METRIC_NAMESPACE");
const environment = env.text("ENVIRONMENT");
const secretArn = env.optional("SECRET_ARN", "");
env.done();

const clock = {
  now: () => Date.now(),
  sleep: (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds)),
};

const load = createLoader(
  {
    queue: createQueue(createSqs(), queueUrl),
    manifests: createManifestStore(createS3(), manifestBucket),
    sql: createSqlClient(
      createDataApi(createRedshiftData(), { workgroupName, database, secretArn: secretArn === "" ? undefined : secretArn }),
      clock,
    ),
    clock,
    log: createLog(env.optional("LOG_LEVEL", "info"), { function: FUNCTION_NAME }),
    metrics: createLoaderMetrics(createMetrics(namespace, { Environment: environment }, clock)),
    newId: randomUUID,
  },
  { ...DEFAULT_SETTINGS, copyRoleArn },
);

export async function handler(_event: unknown, context: { getRemainingTimeInMillis(): number }): Promise<LoaderSummary> {
  return load(Date.now() + context.getRemainingTimeInMillis());
}
