/** A Spark job in Glue with a role and log groups of its own. */
import { LogGroup } from "@pulumi/aws/cloudwatch";
import { Job, type JobArgs } from "@pulumi/aws/glue";
import type { Role } from "@pulumi/aws/iam";
import * as pulumi from "@pulumi/pulumi";
import type { Account } from "./account";
import type { PlatformContext } from "./context";
import { grant, mergeStatements, type Statement, serviceRole } from "./iam";
import { physicalName } from "./naming";
import type { PipelineStore } from "./pipeline-store";
import { type Transform, withTransform } from "./transform";

/** How a job reads and writes the warehouse: SQL through the Data API, and a Redshift role for rows that pass through the bucket. */
export interface WarehouseAccess {
  readonly workgroupName: pulumi.Input<string>;
  readonly databaseName: string;
  /** The role with which Redshift itself writes `temp/` (UNLOAD) and reads `inference/scores/` (COPY). */
  readonly exchangeRoleArn: pulumi.Input<string>;
  /** Run SQL as a federated user. */
  readonly statements: readonly Statement[];
}

export interface GlueSize {
  /** `G.1X` has 4 vCPU, 16 GB and one DPU ($0.44 an hour, billed by the second after the first minute). Default `G.1X`. */
  readonly workerType: string;
  /** 2 to 299: one is the driver, the others execute. Default 2. */
  readonly workers: number;
  /** Minutes that a run may take. Default 60. */
  readonly timeoutMinutes: number;
}

export interface GlueJobArgs {
  readonly context: PlatformContext;
  readonly account: Account;
  readonly store: PipelineStore;
  readonly description: string;
  /** File name below `jobs/glue/`. */
  readonly script: string;
  readonly size: GlueSize;
  /** Concurrent runs. */
  readonly maxConcurrentRuns: number;
  /** Prefixes that it reads, in addition to its script and the dataset documents. */
  readonly reads: readonly string[];
  /** Prefixes that it replaces: it writes objects, and removes those of an earlier run. */
  readonly replaces: readonly string[];
  /** Undefined when no dataset needs the warehouse. */
  readonly warehouse: WarehouseAccess | undefined;
  readonly transform?: Transform<JobArgs>;
}

/** Spark 3.5, Python 3.11, Java 17. */
const GLUE_VERSION = "5.0";
const MAX_LOG_NAME = 80;

export class GlueJob extends pulumi.ComponentResource {
  readonly jobName: pulumi.Output<string>;
  readonly arn: pulumi.Output<string>;
  readonly role: Role;
  readonly nodes: { readonly job: Job; readonly logGroups: readonly LogGroup[] };

  constructor(name: string, args: GlueJobArgs, opts?: pulumi.ComponentResourceOptions) {
    super("risk:lib:GlueJob", name, {}, opts);
    const child = { parent: this };
    // Glue 5 writes to <prefix>/error (Spark and its daemons) and <prefix>/output (what the script prints), and appends the security
    // configuration to both. https://docs.aws.amazon.com/glue/latest/dg/monitor-continuous-logging.html
    const logPrefix = `/aws-glue/jobs/${physicalName(name, args.context.naming, MAX_LOG_NAME)}`;
    const { logRetentionDays, key } = args.context;
    const logGroups = ["error", "output"].map(
      (stream) =>
        new LogGroup(
          `${name}-${stream}-logs`,
          {
            name: pulumi.interpolate`${logPrefix}/${stream}-${args.store.securityConfigurationName}`,
            retentionInDays: logRetentionDays,
            kmsKeyId: key.arn,
          },
          child,
        ),
    );
    this.role = serviceRole(
      `${name}-role`,
      {
        service: "glue.amazonaws.com",
        description: args.description,
        // Redshift gives a federated user the database roles in this tag of its IAM role.
        ...(args.warehouse ? { tags: { RedshiftDbRoles: "risk_batch" } } : {}),
      },
      child,
    );
    const policy = grant(`${name}-permissions`, this.role, jobStatements(args, logPrefix), child);
    const job = new Job(
      `${name}-job`,
      withTransform<JobArgs, Partial<JobArgs>>(tunables(args, this.role, logPrefix), args.transform, {
        roleArn: this.role.arn,
        securityConfiguration: args.store.securityConfigurationName,
      }),
      { ...child, dependsOn: [policy, ...logGroups] },
    );
    this.jobName = job.name;
    this.arn = job.arn;
    this.nodes = { job, logGroups };
    this.registerOutputs({ jobName: this.jobName, arn: this.arn });
  }
}

function tunables(args: GlueJobArgs, role: Role, logPrefix: string): JobArgs {
  const { context, store, description, script, size, maxConcurrentRuns, warehouse } = args;
  const modules = store.glueModules.map((module) => pulumi.interpolate`s3://${store.bucketName}/${module}`);
  return {
    roleArn: role.arn,
    description,
    command: {
      name: "glueetl",
      scriptLocation: pulumi.interpolate`s3://${store.bucketName}/code/glue/${script}`,
      pythonVersion: "3",
    },
    defaultArguments: {
      "--job-language": "python",
      "--job-bookmark-option": "job-bookmark-disable",
      "--TempDir": pulumi.interpolate`s3://${store.bucketName}/temp/glue/`,
      "--enable-metrics": "true",
      "--custom-logGroup-prefix": logPrefix,
      ...(modules.length === 0 ? {} : { "--extra-py-files": pulumi.all(modules).apply((paths) => paths.join(",")) }),
      "--bucket": store.bucketName,
      ...(warehouse
        ? {
            "--data_api_workgroup": warehouse.workgroupName,
            "--data_api_database": warehouse.databaseName,
            "--unload_role_arn": warehouse.exchangeRoleArn,
            // UNLOAD ignores the bucket's default encryption: without a key it requests SSE-S3.
            // https://docs.aws.amazon.com/redshift/latest/dg/t_unloading_encrypted_files.html
            "--kms_key_id": context.key.arn,
          }
        : {}),
    },
    glueVersion: GLUE_VERSION,
    workerType: size.workerType,
    numberOfWorkers: size.workers,
    timeout: size.timeoutMinutes,
    // The state machine decides which failures are worth another attempt.
    maxRetries: 0,
    executionProperty: { maxConcurrentRuns },
    ...(store.connections.length === 0 ? {} : { connections: [...store.connections] }),
  };
}

function jobStatements({ context, store, account, reads, replaces, warehouse }: GlueJobArgs, logPrefix: string): Statement[] {
  const { partition, region, accountId } = account;
  const logs = pulumi.interpolate`arn:${partition}:logs:${region}:${accountId}:log-group:${logPrefix}/*`;
  return mergeStatements([
    {
      sid: "WriteLogs",
      actions: ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:AssociateKmsKey"],
      resources: [logs],
    },
    {
      sid: "WriteMetrics",
      actions: ["cloudwatch:PutMetricData"],
      resources: ["*"],
      conditions: { StringEquals: { "cloudwatch:namespace": "Glue" } },
    },
    ...store.bucket.readStatements(["code/glue/", "config/datasets/", ...new Set([...reads, ...replaces])]),
    ...store.bucket.writeStatements(replaces),
    {
      sid: "ReplaceObjects",
      actions: ["s3:DeleteObject"],
      resources: replaces.map((prefix) => pulumi.interpolate`${store.bucket.arn}/${prefix}*`),
    },
    // The security configuration names the key for each kind of data.
    { sid: "DescribeKey", actions: ["kms:DescribeKey", "kms:Encrypt"], resources: [context.key.arn] },
    ...store.signInStatements((resource) => pulumi.interpolate`arn:${partition}:glue:${region}:${accountId}:${resource}`),
    ...(warehouse?.statements ?? []),
  ]);
}
