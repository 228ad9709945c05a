import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { AwsRequest, AwsService, LocalContext } from "../../src/contracts";
import { Iam } from "../../src/permissions/iam";
import { CloudWatchService } from "../../src/services/cloudwatch";
import { DeliverRegistry } from "../../src/services/deliver";
import { EventsService } from "../../src/services/events";
import { KinesisService } from "../../src/services/kinesis";
import { KmsService } from "../../src/services/kms";
import { LogsService } from "../../src/services/logs";
import { ServiceGate } from "../../src/services/service-gate";
import { SnsService } from "../../src/services/sns";
import { SqsService } from "../../src/services/sqs";

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
  return { iam, kms, gate, registry, kinesis, sqs, sns, events, logs, cloudwatch, context, lines, advance };
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
  const stream = { name, arn: kinesis.arnOf(name), retentionHours: 24, mode: "PROVISIONED", keyId, maxRecordKib: 1024 } as const;
  kinesis.store.create(stream, shards);
}
