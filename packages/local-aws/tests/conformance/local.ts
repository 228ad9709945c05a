/** The local runtime as a side: its endpoint, and what must be there made by the bodies of the program's resources. */

import type { Part } from "../../src/contracts";
import { endAll, openRuntime, type Runtime } from "../../src/engine/runtime";
import { ANYTHING, ASSUMED_BY, DELIVERABLE, type Given } from "./given";

type Inputs = Readonly<Record<string, unknown>>;

export interface Local {
  readonly url: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly given: Given;
  /** `sqs:SendMessage` and so on, of all services. */
  operations(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

export async function startLocal(): Promise<Local> {
  const started: Part[] = [];
  const runtime = await openRuntime(
    { region: "us-east-1", inMemory: true, dataDir: "", databaseRolesOf: () => [], metering: "off" },
    started,
  );
  // Jobs run in processes of their own, which end with these.
  started.push(runtime.services.glue.part(), runtime.services.sagemakerJobs.part());
  return {
    url: runtime.context.endpointUrl,
    credentials: runtime.credentials.owner,
    given: givenBy(runtime),
    operations: async () => (await Promise.all(runtime.services.aws.map((service) => operationsOf(service)))).flat().sort(),
    stop: () => endAll(started, undefined),
  };
}

/** A service tells what it supports when it refuses what it doesn't: by names in JSON and the query protocol, by method and path otherwise. One that doesn't counts as `service:*`. */
async function operationsOf(service: Runtime["services"]["aws"][number]): Promise<string[]> {
  const names = new Set<string>();
  for (const headers of [{ "x-amz-target": "Service.NoSuchOperation" }, {}]) {
    const request = {
      service: service.name,
      region: "us-east-1",
      method: "PATCH",
      url: new URL("http://127.0.0.1/no/such/thing"),
      headers,
      body: Buffer.alloc(0),
    };
    const refusal = await (async () => {
      const action = ("x-amz-target" in headers ? undefined : service.actionOf?.(request)) ?? "NoSuchOperation";
      return service.handle({ ...request, action, principal: { kind: "owner", arn: "arn:aws:iam::000000000000:root" } });
    })().then(
      () => "",
      (error: unknown) => (error instanceof Error ? error.message : ""),
    );
    const [, list = ""] = /Supported: ([^.]*)\./.exec(refusal) ?? [];
    for (const [name] of list.replace(/\([^)]*\)/g, "").matchAll(/\w+/g)) names.add(name);
  }
  return (names.size === 0 ? ["*"] : [...names]).map((name) => `${service.name}:${name}`);
}

function givenBy({ services, context }: Runtime): Given {
  const create = async (type: string, name: string, inputs: Inputs): Promise<Inputs> => {
    const body = services.bodies.find((candidate) => candidate.type === type);
    if (body === undefined) throw new Error(`The local runtime has no body for ${type}.`);
    const { region, accountId } = context;
    const { id, state } = body.outputs({ name, inputs, region, accountId });
    const all = { ...inputs, ...state };
    const rest = { parent: undefined, dependsOn: [], protect: false, ignoreChanges: [], secretInputs: [] };
    await body.create?.({ urn: `${type}::${name}`, type, name, inputs, id, state: all, ...rest });
    return { ...all, id };
  };
  const arnOf = async (made: Promise<Inputs>) => String((await made).arn);
  const role = async (name: string, service: string) => {
    const arn = await arnOf(create("aws:iam/role:Role", name, { name, assumeRolePolicy: ASSUMED_BY(service) }));
    await create("aws:iam/rolePolicy:RolePolicy", name, { name: "all", role: name, policy: ANYTHING });
    return arn;
  };
  return {
    queue: async (name, messages = []) => {
      const { url, arn } = await create("aws:sqs/queue:Queue", name, { name, policy: DELIVERABLE });
      for (const message of messages) services.sqs.deliver(String(arn), message);
      return { url: String(url), arn: String(arn) };
    },
    stream: async (name) => void (await create("aws:kinesis/stream:Stream", name, { name, shardCount: 1 })),
    table: async ({ name, key, sort }) => {
      const keys = [key, ...(sort === undefined ? [] : [sort])];
      await create("aws:dynamodb/table:Table", name, {
        name,
        billingMode: "PAY_PER_REQUEST",
        hashKey: key,
        ...(sort === undefined ? {} : { rangeKey: sort }),
        attributes: keys.map((attribute) => ({ name: attribute, type: "S" })),
      });
    },
    bucket: async (bucket) => void (await create("aws:s3/bucket:Bucket", bucket, { bucket })),
    bus: async (name) => void (await create("aws:cloudwatch/eventBus:EventBus", name, { name })),
    rule: async (eventBusName, eventPattern, arn) => {
      await create("aws:cloudwatch/eventRule:EventRule", "rule", { name: "rule", eventBusName, eventPattern });
      await create("aws:cloudwatch/eventTarget:EventTarget", "one", { rule: "rule", eventBusName, targetId: "one", arn });
    },
    logGroup: async (name) => void (await create("aws:cloudwatch/logGroup:LogGroup", name, { name })),
    logEvents: async (group, stream, messages) => {
      const first = context.clock.now() - 60_000;
      services.logs.append(
        group,
        stream,
        messages.map((message, index) => ({ message, timestamp: first + index * 1000 })),
      );
    },
    metric: async (namespace, name, values) => {
      for (const value of values) services.cloudwatch.put(namespace, name, {}, value, "Count");
    },
    alarm: async ({ name, description, ...rest }) => {
      const how = { statistic: "Sum", period: 60, evaluationPeriods: 1, comparisonOperator: "GreaterThanThreshold" };
      await create("aws:cloudwatch/metricAlarm:MetricAlarm", name, { name, alarmDescription: description, ...rest, ...how });
    },
    secret: async (name, secretString) => {
      const { id } = await create("aws:secretsmanager/secret:Secret", name, { name });
      await create("aws:secretsmanager/secretVersion:SecretVersion", name, { secretId: id, secretString });
    },
    role,
    machine: async (name, definition) =>
      arnOf(
        create("aws:sfn/stateMachine:StateMachine", name, { name, definition, roleArn: await role(`${name}-role`, "states") }),
      ),
    job: async (name) =>
      void (await create("aws:glue/job:Job", name, {
        name,
        roleArn: await role(`${name}-role`, "glue"),
        command: { name: "glueetl", pythonVersion: "3", scriptLocation: "s3://conformance-scripts/job.py" },
        defaultArguments: { "--day": "sunday", "--table": "scores" },
        glueVersion: "5.0",
        timeout: 5,
      })),
    schema: async (registryName, schemaName, schemaDefinition) => {
      const registryArn = await arnOf(create("aws:glue/registry:Registry", registryName, { registryName }));
      const kind = { dataFormat: "AVRO", compatibility: "BACKWARD" };
      await create("aws:glue/schema:Schema", schemaName, { registryArn, schemaName, ...kind, schemaDefinition });
    },
    modelPackageGroup: async (modelPackageGroupName) =>
      void (await create("aws:sagemaker/modelPackageGroup:ModelPackageGroup", modelPackageGroupName, { modelPackageGroupName })),
  };
}
