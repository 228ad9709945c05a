import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Deliver, LocalContext } from "../../src/contracts";
import { CredentialStore } from "../../src/endpoint/credentials";
import { AwsEndpoint } from "../../src/endpoint/endpoint";
import { Iam } from "../../src/permissions/iam";
import { DynamoDbService } from "../../src/services/dynamodb";
import { KmsService } from "../../src/services/kms";
import { S3Service } from "../../src/services/s3";
import { SecretsManagerService } from "../../src/services/secretsmanager";
import { ServiceGate } from "../../src/services/service-gate";
import { SsmService } from "../../src/services/ssm";
import { stsService } from "../../src/services/sts";

export interface Delivered {
  readonly target: string;
  readonly payload: string;
}

/** The endpoint with the state services on a free port, a settable clock and recorded deliveries. */
export async function smallPlatform(now: () => number = Date.now) {
  const dataDir = mkdtempSync(join(tmpdir(), "gateway-"));
  const db = new DatabaseSync(":memory:");
  const time = { offset: 0 };
  const clock = { now: () => now() + time.offset };
  const [region, accountId] = ["us-east-1", "000000000000"];
  const lines: string[] = [];
  const log = (line: string): void => void lines.push(line);
  const credentials = new CredentialStore(db, accountId);
  const iam = new Iam(accountId, region);
  const endpoint = new AwsEndpoint({ region: "us-east-1", keys: credentials.lookup, iam, now: () => Date.now(), log });
  const endpointUrl = await endpoint.start(0);
  const context: LocalContext = { region, accountId, endpointUrl, db, dataDir, clock, log };
  const delivered: Delivered[] = [];
  const broken = new Set<string>();
  const deliver: Deliver = async (target, payload) => {
    if (broken.has(target)) throw new Error("not authorized");
    delivered.push({ target, payload });
  };
  const kms = new KmsService(context);
  const gate = new ServiceGate(context, iam, kms);
  const ssm = new SsmService(context, gate);
  const secrets = new SecretsManagerService(context, gate);
  const s3 = new S3Service(context, { iam, gate, deliver });
  const dynamodb = new DynamoDbService(context, { gate });
  for (const service of [ssm, secrets, s3, dynamodb, stsService(context, { iam, credentials })]) endpoint.register(service);
  const client = (keys: { accessKeyId: string; secretAccessKey: string; sessionToken?: string } = credentials.owner) => ({
    region,
    endpoint: endpointUrl,
    credentials: keys,
    maxAttempts: 1,
  });
  /** A client of a role that has exactly these statements. */
  const roleClient = (name: string, statements: readonly object[]) => {
    const arn = `arn:aws:iam::${accountId}:role/${name}`;
    iam.putRole(name, arn, {
      Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
    });
    if (statements.length > 0) iam.putInlinePolicy(name, "own", { Version: "2012-10-17", Statement: statements });
    return client(credentials.issue(arn, "fn"));
  };
  const end = async (): Promise<void> => {
    await endpoint.end();
    await s3.end();
    db.close();
    rmSync(dataDir, { recursive: true, force: true });
  };
  return {
    endpoint,
    endpointUrl,
    context,
    credentials,
    iam,
    kms,
    gate,
    ssm,
    secrets,
    s3,
    dynamodb,
    delivered,
    broken,
    client,
    roleClient,
    time,
    lines,
    end,
  };
}

export type SmallPlatform = Awaited<ReturnType<typeof smallPlatform>>;
