import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { AwsRequest, AwsService, LocalContext } from "../../../local/contracts";
import type { KinesisService } from "../../../local/services/kinesis";
import { createMessaging, type Messaging } from "../../../local/services/messaging";

export interface World extends Messaging {
  readonly context: LocalContext;
  readonly lines: string[];
  readonly advance: (ms: number) => void;
}

/** All messaging services over an in-memory database and a clock that only moves when told. */
export function world(): World {
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
  return { ...createMessaging(context), context, lines, advance: (ms) => (now += ms) };
}

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
