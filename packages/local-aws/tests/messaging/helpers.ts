import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { AwsRequest, AwsService, GraphResource, LocalContext } from "../../src/contracts";
import { Iam } from "../../src/permissions/iam";
import { CloudWatchService, cloudwatchBodies } from "../../src/services/cloudwatch";
import { DeliverRegistry } from "../../src/services/deliver";
import { EventsService, eventsBodies } from "../../src/services/events";
import { KinesisService } from "../../src/services/kinesis";
import { KmsService, kmsBodies } from "../../src/services/kms";
import { LogsService } from "../../src/services/logs";
import { ServiceGate } from "../../src/services/service-gate";
import { SnsService } from "../../src/services/sns";
import { SqsService, sqsBodies } from "../../src/services/sqs";

/** All messaging services over an in-memory database and a clock that only moves when told. */
export function world() {
  let now = Date.UTC(2026, 0, 15, 12, 0, 0);
  const lines: string[] = [];
  const context: LocalContext = {
    region: "us-east-1",
    accountId: "000000000000",
    endpointUrl: "http://127.0.0.1:4566",
    db: new DatabaseSync(":memory:"),
    dataDir: mkdtempSync(join(tmpdir(), "messaging-")),
    clock: { now: () => now },
    log: (line) => lines.push(line),
  };
  const registry = new DeliverRegistry();
  const cloudwatch = new CloudWatchService(context, registry);
  const iam = new Iam(context.accountId, context.region);
  const kms = new KmsService(context);
  const gate = new ServiceGate(context, iam, kms);
  const kinesis = new KinesisService(context, gate);
  const sqs = new SqsService(context, gate, cloudwatch.put);
  const sns = new SnsService(context, gate, registry);
  const events = new EventsService(context, gate, { registry, sqs }, cloudwatch.put);
  const logs = new LogsService(context, gate, registry, cloudwatch.putEmbedded);
  registry.register("sqs", (arn, payload, delivery) => sqs.deliver(arn, payload, delivery));
  const advance = (ms: number): void => {
    now += ms;
  };
  const bodies = [...sqsBodies(sqs), ...eventsBodies(events), ...cloudwatchBodies(cloudwatch), ...kmsBodies(kms, iam)];
  /** Gives a resource its body, as the engine does. */
  const create = async (type: string, name: string, inputs: Record<string, unknown>): Promise<GraphResource> => {
    const body = bodies.find((one) => one.type === type);
    if (body?.create === undefined) throw new Error(`${type} has no body.`);
    const { id, state } = body.outputs({ name, inputs, region: context.region, accountId: context.accountId });
    const rest = { parent: undefined, dependsOn: [], protect: false, ignoreChanges: [], secretInputs: [] };
    const resource = { urn: `urn:${name}`, type, name, inputs, id, state: { ...inputs, ...state }, ...rest };
    await body.create(resource);
    return resource;
  };
  /** @returns the queue's URL */
  const queue = async (name: string, inputs: object = {}) => (await create("aws:sqs/queue:Queue", name, { name, ...inputs })).id;
  const rule = (name: string, inputs: object) => create("aws:cloudwatch/eventRule:EventRule", name, { name, ...inputs });
  const target = (ruleName: string, inputs: object) =>
    create("aws:cloudwatch/eventTarget:EventTarget", ruleName, { rule: ruleName, targetId: "1", ...inputs });
  const alarm = (name: string, inputs: object) => create("aws:cloudwatch/metricAlarm:MetricAlarm", name, { name, ...inputs });
  const scene = { create, queue, rule, target, alarm };
  return { iam, kms, gate, registry, kinesis, sqs, sns, events, logs, cloudwatch, context, lines, advance, ...scene };
}

export type World = ReturnType<typeof world>;

/** Calls one action with a JSON body and returns the parsed answer. */
export async function call<T extends object = Record<string, string>>(
  service: AwsService,
  action: string,
  body: object,
): Promise<T> {
  const request: AwsRequest = {
    service: service.name,
    region: "us-east-1",
    action,
    method: "POST",
    url: new URL("http://127.0.0.1/"),
    headers: { "content-type": "application/x-amz-json-1.1" },
    body: Buffer.from(JSON.stringify(body)),
    principal: { kind: "owner", arn: "arn:aws:iam::000000000000:root" },
  };
  service.permissions(request);
  const response = await service.handle(request);
  return JSON.parse(String(response.body)) as T;
}

export function allowService(principal: string, action: string, resource: string): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { Service: principal }, Action: action, Resource: resource }],
  });
}

export function addStream(kinesis: KinesisService, name: string, shards = 1, keyId?: string): void {
  const stream = { name, retentionHours: 24, keyId, maxRecordKib: 1024 };
  kinesis.store.create(stream, shards);
}
