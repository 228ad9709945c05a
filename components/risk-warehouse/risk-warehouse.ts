/**
 * Redshift Serverless in private subnets, fed from the archive: S3 notifications → queue → loader → COPY + MERGE.
 */
import type { MetricAlarm } from "@pulumi/aws/cloudwatch";
import type { Role } from "@pulumi/aws/iam";
import { Invocation } from "@pulumi/aws/lambda";
import type { Namespace, Workgroup } from "@pulumi/aws/redshiftserverless";
import type { Vpc } from "@pulumi/awsx/ec2/vpc";
import * as pulumi from "@pulumi/pulumi";
import { currentAccount } from "../shared/account";
import { PlatformFunction } from "../shared/function";
import { grant } from "../shared/iam";
import type { WarehouseAccess } from "../shared/pipeline-glue-job";
import type { EncryptedQueue } from "../shared/queue";
import type { ObjectQueue } from "../stream-processor/args";
import type { RiskWarehouseArgs } from "./args";
import { createCopyRole, createExchangeRole, createNamespace, createWorkgroup, warehouseName } from "./database";
import { createLoadAlarms, createLoader, createLoadQueues, scheduleLoads } from "./loading";
import { createNetwork } from "./network";
import { checkParameters } from "./parameters";
import { archiveSources } from "./sources";
import { queryStatements, runStatements } from "./sql-access";
import { limitUsage } from "./usage";

/** Lambda's own limit; a migration of a large table may take most of it. */
const MAX_TIMEOUT_SECONDS = 900;

export class RiskWarehouse extends pulumi.ComponentResource {
  readonly workgroupName: pulumi.Output<string>;
  readonly databaseName: string;
  readonly adminSecretArn: pulumi.Output<string>;
  readonly loaderFunctionName: pulumi.Output<string>;
  readonly migratorFunctionName: pulumi.Output<string>;
  readonly loadQueueUrl: pulumi.Output<string>;
  readonly nodes: {
    readonly vpc: Vpc;
    readonly namespace: Namespace;
    readonly workgroup: Workgroup;
    readonly copyRole: Role;
    /** Undefined without `args.exchangeBucket`. */
    readonly exchangeRole: Role | undefined;
    readonly loadQueue: EncryptedQueue;
    readonly loader: PlatformFunction;
    readonly migrator: PlatformFunction;
    readonly migration: Invocation;
    readonly alarms: readonly MetricAlarm[];
  };

  constructor(
    private readonly instance: string,
    private readonly args: RiskWarehouseArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("risk:warehouse:RiskWarehouse", instance, {}, opts);
    const account = currentAccount(this);
    const sources = archiveSources(args.sourceBuckets, account);
    const copyRole = createCopyRole(instance, args, sources, this);
    const exchangeRole =
      args.exchangeBucket === undefined ? undefined : createExchangeRole(instance, args.exchangeBucket, args, account, this);
    const network = createNetwork(instance, args, this);
    const namespace = createNamespace(instance, args, copyRole, exchangeRole, this);
    const workgroup = createWorkgroup(instance, args, namespace, network, this);
    this.workgroupName = checkedName(workgroup);
    const queues = createLoadQueues(instance, args, sources, account, this);
    const migrator = this.createMigrator(namespace, workgroup);
    const migration = this.migrate(migrator);
    const loader = createLoader(
      instance,
      args,
      { sources, queues, workgroupName: this.workgroupName, workgroupArn: workgroup.arn, copyRole },
      this,
    );
    scheduleLoads(instance, args, loader, queues.failures, migration, this);
    const alarms = [...createLoadAlarms(instance, args, loader, queues, this), limitUsage(instance, args, workgroup, this)];
    this.databaseName = args.databaseName;
    this.adminSecretArn = namespace.adminPasswordSecretArn;
    this.loaderFunctionName = loader.functionName;
    this.migratorFunctionName = migrator.functionName;
    this.loadQueueUrl = queues.pending.url;
    this.nodes = {
      vpc: network.vpc,
      namespace,
      workgroup,
      copyRole,
      exchangeRole,
      loadQueue: queues.pending,
      loader,
      migrator,
      migration,
      alarms,
    };
    this.registerOutputs({
      workgroupName: this.workgroupName,
      databaseName: this.databaseName,
      adminSecretArn: this.adminSecretArn,
      loaderFunctionName: this.loaderFunctionName,
      migratorFunctionName: this.migratorFunctionName,
      loadQueueUrl: this.loadQueueUrl,
    });
  }

  /** What a bucket has to announce so that it is loaded. */
  objectQueues(): ObjectQueue[] {
    const queue = this.nodes.loadQueue;
    return ["archive", "quarantine", "labels"].map((folder) => ({
      id: `load-${folder}`,
      queue,
      prefix: `${folder}/`,
      suffix: ".ndjson.gz",
    }));
  }

  /** Lets a role run SQL as the database roles of its tag `RedshiftDbRoles`. `name` is the policy's logical name. */
  grantQuery(name: string, role: Role): void {
    grant(name, role, queryStatements(this.nodes.workgroup.arn), { parent: this });
  }

  /** How the jobs of the batch pipelines read and write the warehouse; undefined without `args.exchangeBucket`. */
  batchAccess(): WarehouseAccess | undefined {
    const { exchangeRole, workgroup } = this.nodes;
    if (exchangeRole === undefined) return undefined;
    return {
      workgroupName: this.workgroupName,
      databaseName: this.databaseName,
      exchangeRoleArn: exchangeRole.arn,
      statements: queryStatements(workgroup.arn),
    };
  }

  private createMigrator(namespace: Namespace, workgroup: Workgroup): PlatformFunction {
    const { context, bundles, databaseName, reserveConcurrency } = this.args;
    return new PlatformFunction(
      `${this.instance}-migrator`,
      {
        ...context,
        description: "Applies the numbered SQL migrations to the warehouse",
        bundle: bundles.migrator,
        callbackFactory: () => require("./bundles/warehouse-migrator/index.js").handler,
        memoryMb: 256,
        timeoutSeconds: MAX_TIMEOUT_SECONDS,
        ...(reserveConcurrency ? { reservedConcurrency: 1 } : {}),
        environment: {
          WORKGROUP_NAME: this.workgroupName,
          DATABASE_NAME: databaseName,
          SECRET_ARN: namespace.adminPasswordSecretArn,
          LOG_LEVEL: "info",
        },
        permissions: [
          ...runStatements(workgroup.arn),
          {
            sid: "AdminPassword",
            actions: ["secretsmanager:GetSecretValue"],
            resources: [namespace.adminPasswordSecretArn],
          },
          context.key.decryptStatement(),
        ],
      },
      { parent: this },
    );
  }

  private migrate(migrator: PlatformFunction): Invocation {
    return new Invocation(
      `${this.instance}-migration`,
      {
        functionName: migrator.functionName,
        input: "{}",
        // A new database has no tables yet.
        triggers: {
          migrations: this.args.migrationsHash,
          database: `${warehouseName(this.instance, this.args.naming)}/${this.args.databaseName}`,
        },
      },
      { parent: this, dependsOn: [migrator.policy] },
    );
  }
}

/** The name, for whatever signs in: nothing does so while AWS has other parameters. */
function checkedName({ workgroupName, configParameters }: Workgroup): pulumi.Output<string> {
  return pulumi.all([workgroupName, configParameters]).apply(([name, parameters]) => {
    checkParameters(name, parameters);
    return name;
  });
}
