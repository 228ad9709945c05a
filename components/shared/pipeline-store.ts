/** What training and inference share: one bucket, the code in it, Glue's encryption and its sign-in to Snowflake. */
import { Connection, SecurityConfiguration } from "@pulumi/aws/glue";
import { BucketObjectv2 } from "@pulumi/aws/s3";
import { Secret } from "@pulumi/aws/secretsmanager";
import * as pulumi from "@pulumi/pulumi";
import type { DatasetDocument } from "../../functions/gates/dataset";
import { currentAccount } from "./account";
import { type LifecycleRule, PrivateBucket } from "./bucket";
import type { PlatformContext } from "./context";
import type { Statement } from "./iam";
import { MAX_LENGTH, type Naming, physicalName, pipelineBucketName } from "./naming";
import { documentSource, glueSources, type SourceFile, sagemakerSources } from "./pipeline-sources";

/** The jobs' entry scripts in `jobs/glue/`; they import the other files there. */
export const GLUE_SCRIPTS = ["extract_training_data.py", "extract_inference_data.py", "load_scores.py"] as const;

/** The Snowflake account and its user. The key pair itself is put into the secret by hand, never into config. */
export interface SnowflakeAccount {
  /** `myorg-account.snowflakecomputing.com` */
  readonly url: string;
  readonly database: string;
  readonly schema: string;
  /** Virtual warehouse that runs the queries. */
  readonly warehouse: string;
  /** Role in Snowflake. */
  readonly role: string;
  /** Name of the secret, created empty: `{"sfUser": "…", "pem_private_key": "…"}`. */
  readonly secretName: string;
}

/** How long rows are kept, in days. */
export interface PipelineRetention {
  /**
   * Rows a model was trained on, 30 to 3650: as long as a champion may serve, since later rows are compared with them. Default 365.
   */
  readonly trainingDataDays: number;
  /** A day's rows and scores in batch, 2 to 3650. Default 90. */
  readonly inferenceDataDays: number;
}

export interface PipelineStoreArgs {
  readonly context: PlatformContext;
  /** Their documents are uploaded for the jobs to read. */
  readonly datasets: readonly DatasetDocument[];
  /** Physical name. Default: `company-risk-<name>-<environment>-<region>-<suffix>`. */
  readonly bucketName?: pulumi.Input<string>;
  readonly retention?: Partial<PipelineRetention>;
  /** Default: no connection to Snowflake. */
  readonly snowflake?: SnowflakeAccount;
}

const RETENTION: PipelineRetention = { trainingDataDays: 365, inferenceDataDays: 90 };

/** Name of the Glue connection, which dataset documents refer to. */
export const snowflakeConnectionName = (naming: Naming): string => physicalName("risk-snowflake", naming, MAX_LENGTH.table);

export class PipelineStore extends pulumi.ComponentResource {
  readonly bucket: PrivateBucket;
  /** The given or generated name, so that whoever only needs the name doesn't wait for the bucket. */
  readonly bucketName: pulumi.Output<string>;
  readonly securityConfigurationName: pulumi.Output<string>;
  /** Key of the archive of `jobs/sagemaker/`. */
  readonly sagemakerKey: string;
  /** Keys of the modules that the Glue scripts import. */
  readonly glueModules: readonly string[];
  /** Names of the Glue connections: none, or Snowflake's. */
  readonly connections: readonly pulumi.Output<string>[];
  readonly nodes: {
    readonly objects: readonly BucketObjectv2[];
    readonly securityConfiguration: SecurityConfiguration;
    readonly snowflakeSecret: Secret | undefined;
    readonly snowflakeConnection: Connection | undefined;
  };

  constructor(
    private readonly instance: string,
    private readonly args: PipelineStoreArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("risk:pipelines:PipelineStore", instance, {}, opts);
    this.bucketName = pulumi.output(args.bucketName ?? this.defaultName());
    this.bucket = this.createBucket();
    const sources = sourcesOf(args.datasets);
    const objects = [...sources.glue, sources.sagemaker, ...sources.documents].map((source) => this.upload(source));
    const securityConfiguration = this.createSecurityConfiguration();
    const snowflakeSecret = args.snowflake ? this.createSecret(args.snowflake) : undefined;
    const snowflakeConnection =
      args.snowflake && snowflakeSecret ? this.createConnection(args.snowflake, snowflakeSecret) : undefined;
    this.sagemakerKey = sources.sagemaker.key;
    this.glueModules = sources.glue.map(({ key }) => key).filter((key) => !GLUE_SCRIPTS.some((name) => key.endsWith(`/${name}`)));
    this.securityConfigurationName = securityConfiguration.name;
    this.connections = snowflakeConnection ? [snowflakeConnection.name] : [];
    this.nodes = { objects, securityConfiguration, snowflakeSecret, snowflakeConnection };
    this.registerOutputs({
      bucketName: this.bucket.bucketName,
      securityConfigurationName: this.securityConfigurationName,
    });
  }

  /** What a Glue job needs to sign in to Snowflake; nothing without a connection. */
  signInStatements(arnOf: (resource: string) => pulumi.Input<string>): Statement[] {
    const { snowflakeSecret, snowflakeConnection } = this.nodes;
    if (!snowflakeSecret || !snowflakeConnection) return [];
    return [
      {
        sid: "ReadConnection",
        actions: ["glue:GetConnection"],
        resources: [arnOf("catalog"), snowflakeConnection.arn],
      },
      { sid: "ReadKeyPair", actions: ["secretsmanager:GetSecretValue"], resources: [snowflakeSecret.arn] },
    ];
  }

  private defaultName(): pulumi.Output<string> {
    return currentAccount(this).region.apply((region) => pipelineBucketName(this.instance, this.args.context.naming, region));
  }

  private createBucket(): PrivateBucket {
    const { context, retention } = this.args;
    return new PrivateBucket(
      this.instance,
      {
        bucketName: this.bucketName,
        encryption: context.key,
        deletionProtection: context.deletionProtection,
        accessLogBucket: context.accessLogBucket,
        lifecycleRules: lifecycle({ ...RETENTION, ...retention }),
      },
      { parent: this },
    );
  }

  private upload({ id, key, file }: SourceFile): BucketObjectv2 {
    return new BucketObjectv2(
      `${this.instance}-${id}`,
      { bucket: this.bucket.bucketName, key, source: new pulumi.asset.FileAsset(file), contentType: contentType(file) },
      { parent: this, dependsOn: [this.bucket.nodes.versioning] },
    );
  }

  private createSecurityConfiguration(): SecurityConfiguration {
    const kmsKeyArn = this.args.context.key.arn;
    return new SecurityConfiguration(
      `${this.instance}-security`,
      {
        encryptionConfiguration: {
          cloudwatchEncryption: { cloudwatchEncryptionMode: "SSE-KMS", kmsKeyArn },
          jobBookmarksEncryption: { jobBookmarksEncryptionMode: "CSE-KMS", kmsKeyArn },
          s3Encryption: { s3EncryptionMode: "SSE-KMS", kmsKeyArn },
        },
      },
      { parent: this },
    );
  }

  private createSecret({ secretName }: SnowflakeAccount): Secret {
    const { context } = this.args;
    return new Secret(
      `${this.instance}-snowflake-key-pair`,
      {
        name: secretName,
        description: "User and private key that Glue signs in to Snowflake with: sfUser, pem_private_key",
        kmsKeyId: context.key.arn,
        // A secret waiting for its deletion keeps its name, and a recreated stack would find the name taken.
        recoveryWindowInDays: context.deletionProtection ? 30 : 0,
      },
      { parent: this, protect: context.deletionProtection },
    );
  }

  private createConnection(account: SnowflakeAccount, secret: Secret): Connection {
    const { url, database, schema, warehouse, role } = account;
    return new Connection(
      `${this.instance}-snowflake`,
      {
        name: snowflakeConnectionName(this.args.context.naming),
        description: "Snowflake, by key pair",
        connectionType: "SNOWFLAKE",
        connectionProperties: {
          SparkProperties: pulumi.jsonStringify({
            secretId: secret.name,
            sfUrl: url,
            sfDatabase: database,
            sfSchema: schema,
            sfWarehouse: warehouse,
            sfRole: role,
          }),
        },
      },
      { parent: this },
    );
  }
}

/** The program runs in the project's root, where the jobs' Python is. */
function sourcesOf(datasets: readonly DatasetDocument[]) {
  const root = process.cwd();
  return {
    glue: glueSources(root),
    sagemaker: sagemakerSources(root),
    documents: datasets.map((document) => documentSource(root, "config/datasets/", document.name, document)),
  };
}

const contentType = (file: string): string => {
  if (file.endsWith(".json")) return "application/json";
  return file.endsWith(".py") ? "text/x-python" : "application/gzip";
};

/** No rule for models, because every version in the registry can still be approved or rolled back to, nor for code, which the stack owns. */
function lifecycle({ trainingDataDays, inferenceDataDays }: PipelineRetention): LifecycleRule[] {
  const rule = (prefix: string, days: number, colder: boolean): LifecycleRule => ({
    id: prefix.replaceAll("/", "-").replace(/-$/, ""),
    status: "Enabled",
    filter: { prefix },
    ...(colder && days > 30 ? { transitions: [{ days: 30, storageClass: "STANDARD_IA" }] } : {}),
    expiration: { days },
  });
  return [
    rule("training/data/", trainingDataDays, true),
    rule("inference/input/", inferenceDataDays, false),
    rule("inference/output/", inferenceDataDays, false),
    rule("inference/scores/", inferenceDataDays, false),
    // Temporary files of UNLOAD and Spark, and checkpoints of spot training, which waits for less than a day or two.
    rule("temp/", 2, false),
    {
      id: "models",
      status: "Enabled",
      filter: { prefix: "models/" },
      transitions: [{ days: 90, storageClass: "STANDARD_IA" }],
    },
  ];
}
