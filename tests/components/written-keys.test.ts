/** What functions write into the data bucket, as their own code names it, against what their roles may write. */
import { S3Client } from "@aws-sdk/client-s3";
import type { APIGatewayProxyEvent, SQSEvent } from "aws-lambda";
import { beforeAll, expect, it } from "vitest";
import { feedback as validateLabels } from "#validators";
import { createArchiverHandler } from "../../functions/archiver/handler";
import { createManifestStore } from "../../functions/loader/adapters";
import { createFeedbackHandler } from "../../functions/rest/feedback";
import { createLog } from "../../functions/shared/log";
import { createMetrics } from "../../functions/shared/metrics";
import { type Evaluation, evaluateStack } from "../helpers/recorder";
import { context, encode, event, kinesisRecord, StreamWorld, transaction } from "../helpers/stream-world";

let dev: Evaluation;
beforeAll(async () => {
  dev = await evaluateStack("dev");
}, 60_000);

const NOW = Date.UTC(2026, 10, 21);
const clock = { now: () => NOW };
const log = createLog("error", {}, () => {});

/** An object store that only takes note of keys. */
function notes() {
  const keys: string[] = [];
  const putIfAbsent = async (key: string) => {
    keys.push(key);
    return "created" as const;
  };
  return { keys, objects: { putIfAbsent, size: async () => null } };
}

async function archiver(): Promise<string[]> {
  const { keys, objects } = notes();
  const record = { event_id: "e-1", profile: "lead", scored_at: "2026-11-21T00:00:00.000Z" };
  const bodies = [JSON.stringify({ detail: { record } }), "no envelope"];
  const Records = bodies.map((body, index) => ({
    messageId: `m-${index}`,
    body,
    attributes: { SentTimestamp: String(NOW) },
  }));
  // The members that the handler reads.
  await createArchiverHandler({ objects, raw: objects, log })({ Records } as SQSEvent);
  return keys;
}

async function stream(): Promise<string[]> {
  const world = new StreamWorld();
  const risky = transaction("risky", { amount: 20_000, location_mismatch: 1, velocity_flag: 1 });
  await world.handler()(event(kinesisRecord(1, encode(risky)), kinesisRecord(2, "bm90IEpTT04=")), context);
  return [...world.objects.keys()];
}

async function feedback(): Promise<string[]> {
  const { keys, objects } = notes();
  const metrics = createMetrics("Test", {}, clock, () => {});
  const labels = [{ event_id: "tx-1", label: true, labelled_at: "2026-11-20T09:00:00Z", source: "chargeback" }];
  const request: Partial<APIGatewayProxyEvent> = {
    body: JSON.stringify({ labels }),
    headers: { "Content-Type": "application/json" },
  };
  // The members that the handler reads.
  await createFeedbackHandler({ validate: validateLabels, objects, clock, log, metrics })(request as APIGatewayProxyEvent);
  return keys;
}

async function loader(): Promise<string[]> {
  const client = new S3Client({ region: "us-east-1" });
  const keys: unknown[] = [];
  client.middlewareStack.add(() => async ({ input }) => {
    keys.push(Object(input).Key);
    return { output: { $metadata: {} }, response: {} };
  });
  await createManifestStore(client, "bucket").write("risk_events/1.manifest", "{}");
  return keys.map(String);
}

it.each([
  ["scoring-archiver", archiver, ["archive", "quarantine"]],
  ["fraud-processor", stream, ["archive", "high-risk", "quarantine"]],
  ["scoring-feedback", feedback, ["labels"]],
  ["warehouse-loader", loader, ["manifests"]],
])("%s may write every key that its code makes", async (name, write, folders) => {
  const keys = await write();
  expect([...new Set(keys.map((key) => key.split("/")[0]))].sort()).toEqual(folders);
  const policy: { readonly Statement: readonly { readonly Action: readonly string[]; readonly Resource: readonly string[] }[] } =
    JSON.parse(String(dev.find("aws:iam/rolePolicy:RolePolicy", `${name}-permissions`).inputs.policy));
  const bucket = dev.find("aws:s3/bucket:Bucket", "fraud-data-bucket").inputs.bucket;
  const allowed = policy.Statement.filter(({ Action }) => Action.includes("s3:PutObject"))
    .flatMap(({ Resource }) => Resource)
    .map((arn) => arn.split(`${bucket}/`)[1]?.replace(/\*$/, "") ?? arn);
  for (const key of keys)
    expect(
      allowed.filter((prefix) => key.startsWith(prefix)),
      key,
    ).not.toEqual([]);
});
