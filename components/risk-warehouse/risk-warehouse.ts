/**
 * Redshift Serverless in private subnets, fed from the archive: S3 notifications → queue → loader → COPY + MERGE.
 */

import type { MetricAlarm } from "@pulumi/aws/cloudwatch";
import type { Role } from "@pulumi/aws/iam";
import type { Invocation } from "@pulumi/aws/lambda";
import type { Namespace, Workgroup } from "@pulumi/aws/redshiftserverless";
import type { Vpc } from "@pulumi/awsx/ec2/vpc";
import * as pulumi from "@pulumi/pulumi";
import { NDJSON_SUFFIXES } from "../../functions/shared/ndjson";
import type { PrivateBucket } from "../shared/bucket";
import type { PlatformContext } from "../shared/context";
import { announceObjects, type ObjectQueue } from "../shared/data-bucket";
import type { PlatformFunction } from "../shared/function";
import { grant } from "../shared/iam";
import type { WarehouseAccess } from "../shared/pipeline-glue-job";
import type { DeadLetters, EncryptedQueue } from "../shared/queue";
import type { RiskWarehouseArgs } from "./args";
import { createCopyRole, createExchangeRole, createNamespace, createWorkgroup } from "./database";
import { createLoadAlarms, createLoader, createLoadQueues, scheduleLoads } from "./loading";
import { createMigrator, migrate } from "./migration";
import { createNetwork } from "./network";
import { checkParameters } from "./parameters";
import { warehouseSettings } from "./settings";
import { createSources, LOADED_FOLDERS } from "./sources";
import { queryStatements } from "./sql-access";
import { limitUsage } from "./usage";

export class RiskWarehouse extends pulumi.ComponentResource {
  readonly workgroupName: pulumi.Output<string>;
  readonly databaseName: string;
  readonly adminSecretArn: pulumi.Output<string>;
  readonly loaderFunctionName: pulumi.Output<string>;
  readonly migratorFunctionName: pulumi.Output<string>;
  readonly loadQueueUrl: pulumi.Output<string>;
  /** The component's own bucket, which is loaded; undefined with `args.sourceBuckets`. */
  readonly dataBucket: PrivateBucket | undefined;
  /** What other components of the stack can share. */
  readonly context: PlatformContext;
  readonly nodes: {
    readonly vpc: Vpc;
    readonly namespace: Namespace;
    readonly workgroup: Workgroup;
    readonly copyRole: Role;
    /** Undefined without `args.exchangeBucket`. */
    readonly exchangeRole: Role | undefined;
    readonly loadQueue: EncryptedQueue;
    readonly failedLoads: EncryptedQueue;
    readonly loader: PlatformFunction;
    readonly migrator: PlatformFunction;
    readonly migration: Invocation;
    readonly alarms: readonly MetricAlarm[];
  };

  constructor(instance: string, args: RiskWarehouseArgs, opts?: pulumi.ComponentResourceOptions) {
    super("risk:warehouse:RiskWarehouse", instance, {}, opts);
    const settings = warehouseSettings(instance, args, this);
    const sources = createSources(instance, args.sourceBuckets, settings, this);
    const copyRole = createCopyRole(instance, settings, sources, this);
    const exchangeRole = createExchangeRole(instance, settings, this);
    const network = createNetwork(instance, settings.network, this);
    const namespace = createNamespace(instance, settings, copyRole, exchangeRole, this);
    const workgroup = createWorkgroup(instance, settings, namespace, network, this);
    const workgroupName = checkedName(workgroup);
    const queues = createLoadQueues(instance, settings, sources, this);
    const migrator = createMigrator(instance, settings, namespace, workgroup, workgroupName, this);
    const migration = migrate(instance, settings, migrator, this);
    const loaded = { sources, queues, workgroupName, workgroupArn: workgroup.arn, copyRole };
    const loader = createLoader(instance, settings, loaded, this);
    scheduleLoads(instance, settings, loader, queues.failures, migration, this);
    const loadAlarms = createLoadAlarms(instance, settings, loader, queues, this);
    const usageAlarm = limitUsage(instance, settings, workgroup, this);

    this.workgroupName = workgroupName;
    this.databaseName = settings.database.name;
    this.adminSecretArn = namespace.adminPasswordSecretArn;
    this.loaderFunctionName = loader.functionName;
    this.migratorFunctionName = migrator.functionName;
    this.loadQueueUrl = queues.pending.url;
    this.dataBucket = sources.own;
    this.context = settings.context;
    this.nodes = {
      vpc: network.vpc,
      namespace,
      workgroup,
      copyRole,
      exchangeRole,
      loadQueue: queues.pending,
      failedLoads: queues.failures,
      loader,
      migrator,
      migration,
      alarms: [...loadAlarms, usageAlarm],
    };
    if (sources.own) announceObjects(instance, sources.own, this.objectQueues(), this);
    this.registerOutputs({
      workgroupName: this.workgroupName,
      databaseName: this.databaseName,
      adminSecretArn: this.adminSecretArn,
      loaderFunctionName: this.loaderFunctionName,
      migratorFunctionName: this.migratorFunctionName,
      loadQueueUrl: this.loadQueueUrl,
    });
  }

  /** Objects that could not be loaded, and runs of the loader that failed. */
  deadLetters(): DeadLetters[] {
    const { loadQueue, failedLoads, loader } = this.nodes;
    const invoke = { sid: "RunLoader", actions: ["lambda:InvokeFunction"], resources: [loader.arn] };
    return [
      ...loadQueue.deadLetters(),
      { queue: failedLoads, back: { to: "function", functionName: loader.functionName }, permissions: [invoke] },
    ];
  }

  /** The notifications that a bucket has to send so that its objects are loaded. */
  objectQueues(): ObjectQueue[] {
    const queue = this.nodes.loadQueue;
    return LOADED_FOLDERS.flatMap((folder) =>
      NDJSON_SUFFIXES.map((suffix) => ({
        id: `load-${folder}-${suffix.split(".").at(-1)}`,
        queue,
        prefix: `${folder}/`,
        suffix,
      })),
    );
  }

  /** Lets a role run SQL as the database roles of its tag `RedshiftDbRoles`. `name` is the logical name of the IAM policy. */
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
}

/** The workgroup's name, for everything that signs in. It fails while AWS has wrong parameters, so nothing signs in until then. */
function checkedName({ workgroupName, configParameters }: Workgroup): pulumi.Output<string> {
  return pulumi.all([workgroupName, configParameters]).apply(([name, parameters]) => {
    checkParameters(name, parameters);
    return name;
  });
}
