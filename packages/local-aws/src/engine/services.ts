/** Creates every local service and connects them to each other. */

import { join } from "node:path";
import { Warehouse } from "@risk/local-warehouse";
import type { AwsService, LocalContext, Part, ResourceBody } from "../contracts";
import type { DiskWatch } from "../disk";
import type { CredentialStore } from "../endpoint/credentials";
import { roleNameOf } from "../endpoint/credentials";
import { verifySignature } from "../endpoint/sigv4";
import { lambdaBodies } from "../lambda/bodies";
import { LambdaService } from "../lambda/service";
import type { Iam } from "../permissions/iam";
import { apiGatewayBodies } from "../services/apigateway/bodies/gateway-bodies";
import { ApiGateway } from "../services/apigateway/server";
import { AthenaService, athenaBodies } from "../services/athena";
import { CloudWatchService, cloudwatchBodies } from "../services/cloudwatch";
import { DeliverRegistry } from "../services/deliver";
import { DynamoDbService, dynamoDbBodies, type Metering, type Usage } from "../services/dynamodb";
import { EventsService, eventsBodies } from "../services/events";
import { FirehoseService, firehoseBodies } from "../services/firehose";
import { catalogBodies, GlueCatalog, GlueService, glueBodies } from "../services/glue";
import { iamBodies } from "../services/iam";
import { localInterpreter } from "../services/jobs/interpreter";
import { jobPorts } from "../services/jobs/ports";
import { KinesisService, kinesisBodies } from "../services/kinesis";
import { KmsService, kmsBodies } from "../services/kms";
import { groupOfArn, LogsService, logsBodies } from "../services/logs";
import { ticker } from "../services/messaging/ticker";
import { firewallBodies, vpcBodies } from "../services/network";
import { RedshiftDataService, RedshiftServerless, redshiftBodies } from "../services/redshift";
import { S3Service, s3Bodies } from "../services/s3";
import { SageMakerRuntimeService, SageMakerService, sageMakerBodies, sageMakerEndpoint } from "../services/sagemaker";
import { SecretsManagerService, secretsManagerBodies } from "../services/secretsmanager";
import { ServiceGate } from "../services/service-gate";
import { SnsService, snsBodies } from "../services/sns";
import { SqsService, sqsBodies } from "../services/sqs";
import { SsmService, ssmBodies } from "../services/ssm";
import { StepFunctionsService, stepFunctionsBodies } from "../services/stepfunctions";
import type { Perform } from "../services/stepfunctions/tasks/calls";
import { stsService } from "../services/sts";
import { firehosePorts } from "./firehose-ports";
import { lambdaPorts } from "./lambda-ports";

export interface ServiceOptions {
  readonly context: LocalContext;
  readonly iam: Iam;
  readonly credentials: CredentialStore;
  readonly apiPort: number;
  /** Data is kept between starts. */
  readonly durable: boolean;
  /** Learns of what the disk refuses; absent where the program is only evaluated. */
  readonly disk?: DiskWatch;
  /** Called when the warehouse's server had to be restarted. */
  readonly onTrouble?: (line: string) => void;
  /** Names in a role's tag `RedshiftDbRoles`. */
  readonly databaseRolesOf: (roleName: string) => readonly string[];
  /** Units of provisioned tables; default enforced. */
  readonly metering?: Metering;
  /** Called when a table first lacks units. */
  readonly onFirstRefusal?: (usage: Usage) => void;
  /** Authorises and carries out what state machines call; absent where the program is only evaluated. */
  readonly perform?: Perform;
}

export type Services = ReturnType<typeof createServices>;

/** Creates all services; nothing listens yet. `parts` are to be started in order and ended in reverse. */
export function createServices(options: ServiceOptions) {
  const { context, iam, credentials } = options;
  const registry = new DeliverRegistry();
  const cloudwatch = new CloudWatchService(context, registry);
  /** Metrics and logs are lost on a full disk; what they are about goes on. */
  const bestEffort =
    <T extends unknown[]>(write: (...values: T) => void) =>
    (...values: T): void => {
      try {
        write(...values);
      } catch (error) {
        if (options.disk?.report(error) !== true) throw error;
      }
    };
  const metrics = bestEffort(cloudwatch.put);
  const kms = new KmsService(context);
  const gate = new ServiceGate(context, iam, kms);
  const ssm = new SsmService(context, gate);
  const secrets = new SecretsManagerService(context, gate);
  const sts = stsService(context, { iam, credentials });
  const dynamodb = new DynamoDbService(context, {
    metering: options.metering ?? "enforced",
    gate,
    metrics,
    onFirstRefusal: (usage) => options.onFirstRefusal?.(usage),
  });
  const s3 = new S3Service(context, { iam, gate, deliver: registry.deliver });
  const sagemaker = new SageMakerRuntimeService(context);
  const sqs = new SqsService(context, gate, metrics);
  const kinesis = new KinesisService(context, gate);
  const sns = new SnsService(context, gate, registry);
  const logs = new LogsService(context, gate, registry, cloudwatch.putEmbedded);
  const events = new EventsService(context, gate, { registry, sqs }, metrics);
  const warehouse = new Warehouse({
    folder: join(context.dataDir, "warehouse"),
    durable: options.durable,
    ...(options.onTrouble === undefined ? {} : { onTrouble: options.onTrouble }),
    readObject: ({ bucket, key }) => s3.get(bucket, key),
    writeObject: async ({ bucket, key }, content) => void (await s3.put(bucket, key, content)),
    listObjects: async ({ bucket, prefix }) => s3.list(bucket, prefix).map(({ key }) => key),
    authorizeRole: (roleArn, permission) => {
      const principal = { kind: "role", arn: roleArn, roleName: roleNameOf(roleArn) } as const;
      const [service, action = ""] = permission.action.split(":");
      for (const needed of [permission, ...(service === "s3" ? s3.keyUse(action, permission.resource) : [])]) {
        const decision = iam.authorize(principal, needed);
        if (!decision.allowed) throw new Error(decision.reason);
      }
    },
  });
  const redshift = new RedshiftServerless(
    warehouse,
    (secretArn, admin) => {
      const name = (secretArn.split(":secret:")[1] ?? secretArn).replace(/-[A-Za-z0-9]{6}$/, "");
      secrets.putValue(secrets.putSecret(name, "Administrator of the warehouse"), JSON.stringify(admin));
    },
    (secretArn) => secrets.deleteSecret(secretArn, 0),
  );
  const redshiftData = new RedshiftDataService(context, { redshift, warehouse, databaseRolesOf: options.databaseRolesOf });
  const lambda = new LambdaService(
    context,
    lambdaPorts({ context, iam, credentials, registry, kinesis, sqs, s3, logs, metrics, bestEffort }),
  );
  const firehose = new FirehoseService(
    context,
    firehosePorts({
      clock: context.clock,
      iam,
      s3,
      logs,
      invoke: (arn, payload) => lambda.pool.invoke(lambda.resolve(arn).config.name, payload),
      metrics,
      bestEffort,
    }),
  );
  const jobs = jobPorts({
    context,
    iam,
    credentials,
    s3,
    logs,
    events,
    metrics,
    interpreter: localInterpreter,
  });
  const catalog = new GlueCatalog();
  const glue = new GlueService(jobs, catalog);
  const athena = new AthenaService(context, { catalog, s3, warehouse, iam });
  const sagemakerJobs = new SageMakerService(jobs);
  const stepFunctions = new StepFunctionsService(context, {
    iam,
    registry,
    events,
    logs,
    gate,
    metrics,
    perform: options.perform ?? (() => Promise.reject(new Error("Nothing is called while the program is only evaluated."))),
  });
  const api = new ApiGateway(
    context,
    {
      invoke: (arn, payload, caller, traceId) => lambda.invokeAsService(arn, payload, caller, traceId),
      verify: async (request) =>
        (await verifySignature(request, context.region, credentials.lookup, context.clock.now())).principal,
      isAllowed: (principal, action, resource) => iam.authorize(principal, { action, resource }).allowed,
      writeLog: bestEffort((groupArn, stream, message) =>
        logs.append(groupOfArn(groupArn), stream, [{ timestamp: context.clock.now(), message }]),
      ),
      metric: (name, value, unit, dimensions) => metrics("AWS/ApiGateway", name, dimensions, value, unit),
    },
    options.apiPort,
  );
  registry.register("sqs", (arn, payload, target) => sqs.deliver(arn, payload, target));
  registry.register("lambda", (arn, payload, target) => lambda.deliver(arn, payload, target));
  const aws: AwsService[] = [
    ssm,
    secrets,
    dynamodb,
    s3,
    sageMakerEndpoint(sagemakerJobs, sagemaker),
    sqs,
    kinesis,
    firehose,
    sns,
    sts,
    logs,
    events,
    cloudwatch,
    redshiftData,
    lambda,
    glue,
    athena,
    stepFunctions,
  ];
  const parts: Part[] = [
    { title: "warehouse", start: () => warehouse.start(), end: () => warehouse.stop() },
    ticker("DynamoDB expiry", 60_000, async () => void (await dynamodb.sweepExpired()), context.log),
    { title: "S3 notifications", end: () => s3.end() },
    ticker("S3 expiry", 3_600_000, async () => void (await s3.sweepExpired()), context.log),
    kinesis.part(),
    sqs.part(),
    logs.part(),
    cloudwatch.part(),
    events.part(),
    lambda,
    firehose,
    api,
    glue.part(),
    sagemakerJobs.part(),
    stepFunctions.part(),
  ];
  const bodies: ResourceBody[] = [
    ...kmsBodies(kms, iam),
    ...ssmBodies(ssm),
    ...secretsManagerBodies(secrets),
    ...iamBodies(iam),
    ...dynamoDbBodies(dynamodb),
    ...s3Bodies(s3, iam),
    ...sqsBodies(sqs),
    ...kinesisBodies(kinesis),
    ...firehoseBodies(firehose),
    ...snsBodies(sns),
    ...logsBodies(logs),
    ...eventsBodies(events),
    ...cloudwatchBodies(cloudwatch),
    ...redshiftBodies(redshift),
    ...vpcBodies(),
    ...firewallBodies(api),
    ...lambdaBodies(lambda, context),
    ...glueBodies(glue),
    ...catalogBodies(catalog),
    ...athenaBodies(athena.workgroups),
    ...sageMakerBodies(sagemakerJobs),
    ...stepFunctionsBodies(stepFunctions),
    ...apiGatewayBodies(api),
  ];
  return {
    aws,
    parts,
    bodies,
    kms,
    ssm,
    secrets,
    dynamodb,
    s3,
    sagemaker,
    sqs,
    kinesis,
    firehose,
    sns,
    logs,
    events,
    cloudwatch,
    warehouse,
    redshift,
    redshiftData,
    lambda,
    glue,
    catalog,
    athena,
    sagemakerJobs,
    stepFunctions,
    api,
    registry,
    iam,
  };
}
