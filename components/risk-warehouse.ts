/**
 * Redshift Serverless in private subnets, fed from the archive: S3 notifications → queue → loader → COPY + MERGE.
 */
import { EventRule, EventTarget, type MetricAlarm } from "@pulumi/aws/cloudwatch";
import { SecurityGroup, VpcEndpoint } from "@pulumi/aws/ec2";
import type { Role } from "@pulumi/aws/iam";
import { FunctionEventInvokeConfig, Invocation, Permission } from "@pulumi/aws/lambda";
import { Namespace, type NamespaceArgs, Workgroup, type WorkgroupArgs } from "@pulumi/aws/redshiftserverless";
import { Vpc } from "@pulumi/awsx/ec2/vpc";
import * as pulumi from "@pulumi/pulumi";
import { type AlarmContext, alarm, functionAlarms, queueNotEmptyAlarm } from "./lib/alarms";
import type { PlatformContext } from "./lib/context";
import { type FunctionTransform, PlatformFunction } from "./lib/function";
import { grant, type Statement, serviceRole } from "./lib/iam";
import { MAX_LENGTH, type Naming, physicalName } from "./lib/naming";
import { EncryptedQueue } from "./lib/queue";
import { type Transform, withTransform } from "./lib/transform";
import type { ObjectQueue } from "./stream-processor";

export interface RiskWarehouseArgs {
  readonly context: PlatformContext;
  readonly naming: Naming;
  readonly region: string;
  /** Physical names of the buckets whose `archive/` and `quarantine/` are loaded; the first one takes the manifests. */
  readonly sourceBuckets: readonly [string, ...string[]];
  /** Paths of the bundles of `warehouse-loader` and `warehouse-migrator`. */
  readonly bundles: { readonly loader: string; readonly migrator: string };
  /** Changes whenever a migration does; the migrator then runs in the same deployment. */
  readonly migrationsHash: string;
  /** Not `dev`, the name that every attacker tries first (RedshiftServerless.7). */
  readonly databaseName: string;
  /** Not `admin` or `awsuser` (RedshiftServerless.5). */
  readonly adminUsername: string;
  /** Base capacity in RPUs (8 to 512 in steps of 8; $0.375 an RPU-hour while queries run). */
  readonly baseCapacityRpu: number;
  /** Ceiling in RPUs: bounds the cost of one bad query. */
  readonly maxCapacityRpu: number;
  /** How often new archive objects are loaded. Each load costs a minute of RPUs at least. */
  readonly loadSchedule: `rate(${string})`;
  /** Minutes that an object may wait before the freshness alarm; several schedules long. */
  readonly freshnessAlarmMinutes: number;
  /** Address range of the VPC, `/16` to `/22`. */
  readonly vpcCidr: string;
  /** False in accounts that cannot set executions aside (a new account has 10 in all). */
  readonly reserveConcurrency: boolean;
  readonly transform?: {
    readonly namespace?: Transform<NamespaceArgs>;
    readonly workgroup?: Transform<WorkgroupArgs>;
    readonly loader?: FunctionTransform;
  };
}

/** Name of namespace and workgroup, known before either exists. */
export function warehouseName(name: string, naming: Naming): string {
  return physicalName(name, naming, MAX_LENGTH.workgroup);
}

/** Lambda's own limit; a COPY of a backlog may take most of it. */
const LOADER_TIMEOUT_SECONDS = 900;
const METRIC_NAMESPACE = "RiskWarehouse";

export class RiskWarehouse extends pulumi.ComponentResource {
  readonly workgroupName: pulumi.Output<string>;
  readonly databaseName: string;
  readonly adminSecretArn: pulumi.Output<string>;
  readonly loaderFunctionName: pulumi.Output<string>;
  readonly loadQueueUrl: pulumi.Output<string>;
  readonly nodes: {
    readonly vpc: Vpc;
    readonly namespace: Namespace;
    readonly workgroup: Workgroup;
    readonly copyRole: Role;
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
    const copyRole = this.createCopyRole();
    const network = this.createNetwork();
    const namespace = this.createNamespace(copyRole);
    const workgroup = this.createWorkgroup(namespace, network);
    const loadQueue = this.createLoadQueue();
    const failures = this.createFailureQueue();
    const migrator = this.createMigrator(namespace, workgroup);
    const migration = this.migrate(migrator);
    const loader = this.createLoader(workgroup, copyRole, loadQueue, failures);
    this.scheduleLoads(loader, failures, migration);
    const alarms = this.createAlarms(loader, loadQueue, failures);
    this.workgroupName = workgroup.workgroupName;
    this.databaseName = args.databaseName;
    this.adminSecretArn = namespace.adminPasswordSecretArn;
    this.loaderFunctionName = loader.functionName;
    this.loadQueueUrl = loadQueue.url;
    this.nodes = { vpc: network.vpc, namespace, workgroup, copyRole, loadQueue, loader, migrator, migration, alarms };
    this.registerOutputs({
      workgroupName: this.workgroupName,
      databaseName: this.databaseName,
      adminSecretArn: this.adminSecretArn,
      loaderFunctionName: this.loaderFunctionName,
      loadQueueUrl: this.loadQueueUrl,
    });
  }

  /** What a bucket has to announce so that it is loaded. */
  objectQueues(): ObjectQueue[] {
    const queue = this.nodes.loadQueue;
    return ["archive", "quarantine"].map((folder) => ({
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

  private get sourceArns(): string[] {
    return this.args.sourceBuckets.map((bucket) => `arn:aws:s3:::${bucket}`);
  }

  private get manifestBucket(): string {
    return this.args.sourceBuckets[0];
  }

  /** The role that Redshift itself reads the archive with. */
  private createCopyRole(): Role {
    const role = serviceRole(
      `${this.instance}-copy-role`,
      { service: ["redshift-serverless.amazonaws.com", "redshift.amazonaws.com"], description: "COPY from the score archive" },
      { parent: this },
    );
    const objects = this.sourceArns.flatMap((arn) => [`${arn}/archive/*`, `${arn}/quarantine/*`]);
    grant(
      `${this.instance}-copy-permissions`,
      role,
      [
        {
          sid: "ReadArchive",
          actions: ["s3:GetObject"],
          resources: [...objects, `arn:aws:s3:::${this.manifestBucket}/manifests/*`],
        },
        { sid: "ListArchive", actions: ["s3:ListBucket", "s3:GetBucketLocation"], resources: this.sourceArns },
        this.args.context.key.decryptStatement(),
      ],
      { parent: this },
    );
    return role;
  }

  /** Three zones, as Redshift Serverless wants; no way out but S3, which COPY needs under enhanced VPC routing. */
  private createNetwork(): { readonly vpc: Vpc; readonly securityGroup: SecurityGroup } {
    const vpc = new Vpc(
      `${this.instance}-vpc`,
      {
        cidrBlock: this.args.vpcCidr,
        numberOfAvailabilityZones: 3,
        natGateways: { strategy: "None" },
        subnetStrategy: "Auto",
        subnetSpecs: [{ type: "Isolated", name: "warehouse" }],
        enableDnsHostnames: true,
        enableDnsSupport: true,
      },
      { parent: this },
    );
    const endpoint = new VpcEndpoint(
      `${this.instance}-s3-endpoint`,
      {
        vpcId: vpc.vpcId,
        serviceName: `com.amazonaws.${this.args.region}.s3`,
        vpcEndpointType: "Gateway",
        routeTableIds: vpc.routeTables.apply((tables) => pulumi.all(tables.map((table) => table.id))),
      },
      { parent: this },
    );
    const securityGroup = new SecurityGroup(
      `${this.instance}-security-group`,
      {
        vpcId: vpc.vpcId,
        description: "Risk warehouse: nothing in, S3 out",
        ingress: [],
        egress: [
          {
            description: "S3 through the gateway endpoint",
            protocol: "tcp",
            fromPort: 443,
            toPort: 443,
            prefixListIds: [endpoint.prefixListId],
          },
        ],
      },
      { parent: this },
    );
    return { vpc, securityGroup };
  }

  private createNamespace(copyRole: Role): Namespace {
    const { args } = this;
    return new Namespace(
      `${this.instance}-namespace`,
      withTransform<NamespaceArgs, Partial<NamespaceArgs>>(
        {
          namespaceName: warehouseName(this.instance, args.naming),
          dbName: args.databaseName,
          adminUsername: args.adminUsername,
          iamRoles: [copyRole.arn],
          defaultIamRoleArn: copyRole.arn,
        },
        args.transform?.namespace,
        {
          manageAdminPassword: true,
          adminPasswordSecretKmsKeyId: args.context.key.arn,
          kmsKeyId: args.context.key.arn,
          logExports: ["userlog", "connectionlog", "useractivitylog"],
        },
      ),
      { parent: this, protect: args.context.deletionProtection },
    );
  }

  private createWorkgroup(
    namespace: Namespace,
    network: { readonly vpc: Vpc; readonly securityGroup: SecurityGroup },
  ): Workgroup {
    const { args } = this;
    return new Workgroup(
      `${this.instance}-workgroup`,
      withTransform<WorkgroupArgs, Partial<WorkgroupArgs>>(
        {
          workgroupName: warehouseName(this.instance, args.naming),
          namespaceName: namespace.namespaceName,
          baseCapacity: args.baseCapacityRpu,
          maxCapacity: args.maxCapacityRpu,
          subnetIds: network.vpc.isolatedSubnetIds,
          securityGroupIds: [network.securityGroup.id],
        },
        args.transform?.workgroup,
        {
          namespaceName: namespace.namespaceName,
          enhancedVpcRouting: true,
          publiclyAccessible: false,
          configParameters: [
            { parameterKey: "require_ssl", parameterValue: "true" },
            // The activity log that the namespace exports stays empty without it.
            { parameterKey: "enable_user_activity_logging", parameterValue: "true" },
          ],
        },
      ),
      { parent: this },
    );
  }

  private createLoadQueue(): EncryptedQueue {
    return new EncryptedQueue(
      `${this.instance}-load`,
      {
        key: this.args.context.key,
        // The loader deletes a message only when its transaction is FINISHED, at its own time limit at the latest.
        visibilityTimeoutSeconds: LOADER_TIMEOUT_SECONDS,
        maxReceives: 5,
        senders: [{ service: "s3.amazonaws.com", sourceArns: this.sourceArns }],
      },
      { parent: this },
    );
  }

  /** Runs of the loader that failed for good, and schedules that did not reach it. */
  private createFailureQueue(): EncryptedQueue {
    return new EncryptedQueue(
      `${this.instance}-failed-loads`,
      {
        key: this.args.context.key,
        deadLetter: false,
        senders: [{ service: "events.amazonaws.com", sourceArns: [this.ruleArnPattern()] }],
      },
      { parent: this },
    );
  }

  /** Rules of the default bus in this stack's account; the rule's own name is Pulumi's. */
  private ruleArnPattern(): string {
    return `arn:aws:events:${this.args.region}:*:rule/${this.instance}-*`;
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
        timeoutSeconds: LOADER_TIMEOUT_SECONDS,
        ...(reserveConcurrency ? { reservedConcurrency: 1 } : {}),
        environment: {
          WORKGROUP_NAME: workgroup.workgroupName,
          DATABASE_NAME: databaseName,
          SECRET_ARN: namespace.adminPasswordSecretArn,
          LOG_LEVEL: "info",
        },
        permissions: [
          ...statementStatements(workgroup.arn),
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
        triggers: { migrations: this.args.migrationsHash },
      },
      { parent: this, dependsOn: [migrator.policy] },
    );
  }

  private createLoader(
    workgroup: Workgroup,
    copyRole: Role,
    loadQueue: EncryptedQueue,
    failures: EncryptedQueue,
  ): PlatformFunction {
    const { context, bundles, databaseName, reserveConcurrency, transform } = this.args;
    const manifests = `arn:aws:s3:::${this.manifestBucket}/manifests/*`;
    const loader = new PlatformFunction(
      `${this.instance}-loader`,
      {
        ...context,
        description: "Loads new archive objects into the warehouse",
        bundle: bundles.loader,
        callbackFactory: () => require("./bundles/warehouse-loader/index.js").handler,
        memoryMb: 512,
        timeoutSeconds: LOADER_TIMEOUT_SECONDS,
        // Loads are serialised by a lock in the warehouse; a second one would only wait there and be paid for.
        ...(reserveConcurrency ? { reservedConcurrency: 1 } : {}),
        environment: {
          LOAD_QUEUE_URL: loadQueue.url,
          WORKGROUP_NAME: workgroup.workgroupName,
          DATABASE_NAME: databaseName,
          COPY_ROLE_ARN: copyRole.arn,
          MANIFEST_BUCKET: this.manifestBucket,
          METRIC_NAMESPACE,
          LOG_LEVEL: "info",
        },
        permissions: [
          ...queryStatements(workgroup.arn),
          ...loadQueue.consumeStatements(),
          { sid: "WriteManifests", actions: ["s3:PutObject"], resources: [manifests] },
          ...failures.sendStatements(),
        ],
        // Redshift gives a federated user the database roles in this tag of its IAM role.
        roleTags: { RedshiftDbRoles: "risk_loader" },
        ...(transform?.loader ? { transform: transform.loader } : {}),
      },
      { parent: this },
    );
    new FunctionEventInvokeConfig(
      `${this.instance}-loader-failures`,
      {
        functionName: loader.functionName,
        // The next schedule tries again anyway: what is not loaded stays in the queue.
        maximumRetryAttempts: 0,
        maximumEventAgeInSeconds: 3600,
        destinationConfig: { onFailure: { destination: failures.arn } },
      },
      { parent: this },
    );
    return loader;
  }

  private scheduleLoads(loader: PlatformFunction, failures: EncryptedQueue, migration: Invocation): void {
    const rule = new EventRule(
      `${this.instance}-load-schedule`,
      { description: "Loads new archive objects into the warehouse", scheduleExpression: this.args.loadSchedule },
      // No load before the tables exist.
      { parent: this, dependsOn: [migration] },
    );
    const permission = new Permission(
      `${this.instance}-load-permission`,
      {
        action: "lambda:InvokeFunction",
        function: loader.functionName,
        principal: "events.amazonaws.com",
        sourceArn: rule.arn,
      },
      { parent: this },
    );
    new EventTarget(
      `${this.instance}-load-target`,
      { rule: rule.name, arn: loader.arn, input: "{}", deadLetterConfig: { arn: failures.arn } },
      { parent: this, dependsOn: [permission] },
    );
  }

  private createAlarms(loader: PlatformFunction, loadQueue: EncryptedQueue, failures: EncryptedQueue): MetricAlarm[] {
    const { context, freshnessAlarmMinutes } = this.args;
    const alarms: AlarmContext = { parent: this, topicArn: context.alarmTopicArn };
    const depth = (name: string, queue: EncryptedQueue, description: string) =>
      queueNotEmptyAlarm(`${this.instance}-${name}`, alarms, queue.queueName, description);
    return [
      ...functionAlarms(`${this.instance}-loader`, alarms, {
        functionName: loader.functionName,
        timeoutSeconds: LOADER_TIMEOUT_SECONDS,
        errorRatePercent: 50,
      }),
      alarm(`${this.instance}-freshness`, alarms, {
        alarmDescription: `An archive object has waited more than ${freshnessAlarmMinutes} minutes for the warehouse.`,
        namespace: "AWS/SQS",
        metricName: "ApproximateAgeOfOldestMessage",
        dimensions: { QueueName: loadQueue.queueName },
        statistic: "Maximum",
        period: 300,
        evaluationPeriods: 1,
        threshold: freshnessAlarmMinutes * 60,
      }),
      ...(loadQueue.deadLetterQueue
        ? [depth("unloadable", loadQueue.deadLetterQueue, "An archive object could not be loaded after five attempts.")]
        : []),
      depth("failed-load", failures, "A run of the loader failed; the message holds its error."),
    ];
  }
}

/** Run SQL and see how it went. The last three actions know no resource: the Data API shows each role its own statements only. */
function statementStatements(workgroupArn: pulumi.Input<string>): Statement[] {
  return [
    {
      sid: "RunSql",
      actions: ["redshift-data:ExecuteStatement", "redshift-data:BatchExecuteStatement"],
      resources: [workgroupArn],
    },
    {
      sid: "FollowSql",
      actions: ["redshift-data:DescribeStatement", "redshift-data:GetStatementResult", "redshift-data:CancelStatement"],
      resources: ["*"],
    },
  ];
}

/** Run SQL as a federated user. */
function queryStatements(workgroupArn: pulumi.Input<string>): Statement[] {
  return [
    ...statementStatements(workgroupArn),
    { sid: "LogIn", actions: ["redshift-serverless:GetCredentials"], resources: [workgroupArn] },
  ];
}
