/** The same scripts of SDK calls against the local runtime and against moto: what differs is listed, with the page of AWS that decides. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { busEvents } from "./cases/events";
import { executions } from "./cases/executions";
import { jobs } from "./cases/jobs";
import { objects } from "./cases/objects";
import { observation } from "./cases/observation";
import { queues } from "./cases/queues";
import { settings } from "./cases/settings";
import { streams } from "./cases/streams";
import { tables } from "./cases/tables";
import { DIFFERENCES } from "./differences";
import { type Local, startLocal } from "./local";
import { type Moto, startMoto } from "./moto";
import { MOTO_CREDENTIALS, motoGiven } from "./moto-side";
import { NOT_COMPARED } from "./not-compared";
import { type Case, transcriptOf } from "./sides";
import { type Difference, differences, type Entry } from "./transcript";

const CASES: readonly Case[] = [
  ...queues,
  ...streams,
  ...tables,
  ...objects,
  ...settings,
  ...observation,
  ...busEvents,
  ...executions,
  ...jobs,
];

/** Signing names of the services by the names of their clients. */
const SERVICES: Readonly<Record<string, string>> = {
  CloudWatch: "monitoring",
  CloudWatchLogs: "logs",
  DynamoDB: "dynamodb",
  EventBridge: "events",
  Glue: "glue",
  Kinesis: "kinesis",
  Lambda: "lambda",
  S3: "s3",
  SFN: "states",
  SQS: "sqs",
  SSM: "ssm",
  SageMaker: "sagemaker",
  SecretsManager: "secretsmanager",
};

/** The first run makes the Python environment; a later one takes some seconds. */
const SETUP_MS = 600_000;

interface Compared {
  readonly local: readonly Entry[];
  readonly differences: readonly Difference[];
  /** What a script threw: it expects what one side doesn't do. */
  readonly failure?: unknown;
}

let local: Local | undefined;
let moto: Moto | undefined;
const compared = new Map<string, Compared>();

beforeAll(async () => {
  [local, moto] = await Promise.all([startLocal(), startMoto()]);
  const given = motoGiven(moto.url);
  for (const script of CASES) {
    const both = Promise.all([
      transcriptOf(script, local.url, local.credentials, local.given),
      transcriptOf(script, moto.url, MOTO_CREDENTIALS, given),
    ]);
    compared.set(
      script.name,
      await both.then(
        ([mine, theirs]) => ({ local: mine, differences: differences(mine, theirs) }),
        (failure: unknown) => ({ local: [], differences: [], failure }),
      ),
    );
  }
}, SETUP_MS);

afterAll(async () => {
  await Promise.all([local?.stop(), moto?.stop()]);
});

function isListed({ operation, path }: Difference): boolean {
  return DIFFERENCES.some((listed) => listed.operation === operation && listed.paths.includes(path));
}

describe("the local runtime answers as moto does, but where differences.ts says otherwise", () => {
  it.each(CASES.map(({ name }) => name))("%s", (name) => {
    const { failure, differences: found = [] } = compared.get(name) ?? {};
    if (failure !== undefined) throw failure;
    expect(found.filter((difference) => !isListed(difference))).toEqual([]);
  });

  it("every listed difference is still there", () => {
    const seen = [...compared.values()].flatMap(({ differences: found }) => found);
    const gone = DIFFERENCES.flatMap(({ operation, paths }) =>
      paths
        .filter((path) => !seen.some((difference) => difference.operation === operation && difference.path === path))
        .map((path) => `${operation} ${path}`),
    );
    expect(gone, "take these out of differences.ts").toEqual([]);
  });
});

describe("every operation of the local runtime", () => {
  it("is compared in a case, or not-compared.ts says why not", async () => {
    const all = (await local?.operations()) ?? [];
    const called = new Set([...compared.values()].flatMap(({ local: entries }) => entries.flatMap(signedName)));
    const excused = (operation: string) => operation in NOT_COMPARED || `${operation.split(":")[0]}:*` in NOT_COMPARED;
    const missing = all.filter((operation) => !called.has(operation) && !excused(operation));
    const needless = Object.keys(NOT_COMPARED).filter((entry) => {
      const [service, name] = entry.split(":");
      const own = all.filter((operation) => (name === "*" ? operation.startsWith(`${service}:`) : operation === entry));
      return own.length === 0 || own.some((operation) => called.has(operation));
    });
    expect(missing, "write a case that calls these with success, or a reason into not-compared.ts").toEqual([]);
    expect(needless, "take these out of not-compared.ts: they are gone, or compared").toEqual([]);
  });
});

/** `sqs:SendMessage` of a call that was answered; a refusal alone compares nothing. */
function signedName({ operation, answer }: Entry): string[] {
  const [client = "", name = ""] = operation.split(".");
  const isRefused = typeof answer === "object" && answer !== null && "error" in answer && "status" in answer;
  return SERVICES[client] === undefined || isRefused ? [] : [`${SERVICES[client]}:${name}`];
}
