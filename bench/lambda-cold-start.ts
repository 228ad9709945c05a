/**
 * `lambda.<function>.coldStart` and `.zip`: a fresh process loads the function and answers its first event, timed from the start of the
 * process. A loopback server that answers at once stands in for AWS.
 *
 * Peer `callback-default`: the same handler as CallbackFunction packages it by default, that is unbundled, with the folders of the
 * packages that it imports and of all their dependencies under node_modules (Pulumi's computeCodePaths, if those packages are
 * `dependencies` of the project). Its own modules are tsc's output, loaded as they are; Pulumi would serialise them into one more file.
 * Both run on this machine's Node and disk. On Lambda, download, sandbox and a slower CPU come on top for both.
 */
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { zipSync } from "fflate";
import { buildFunctions } from "../build/bundle";
import { PROFILES } from "../functions/scoring/profiles";
import type { Bench } from "./types";

const ROUNDS = 15;
const run = promisify(execFile);

interface Fixture {
  readonly entry: string;
  readonly env: Readonly<Record<string, string>>;
  readonly event: unknown;
}

const SCORING = {
  POLICY_PARAMETER: "/policy",
  EVENT_BUS_NAME: "bus",
  EVENT_SOURCE: "bench",
  EVENT_DETAIL_TYPE: "Scored",
  METRIC_NAMESPACE: "Bench",
  ENVIRONMENT: "bench",
  TOKEN_SECRET_ARN: "token",
  SCHEMA_ARN: "arn:aws:glue:us-east-1:000000000000:schema/schemas/Transaction",
  LOG_LEVEL: "error",
};
/** Placeholder in a fixture's environment for the address of the stubbed AWS. */
const ENDPOINT = "<endpoint>";
const LEAD = { companySize: 1200, industry: "technology", engagementMetrics: 60 };
const TRANSACTION = { transaction_id: "t-1", user_id: "u-1", amount: 20, timestamp: "2026-11-21T00:00:00Z" };

const FIXTURES: readonly Fixture[] = [
  {
    entry: "rest-scoring",
    env: { ...SCORING, PROFILE: "lead", SCORES_TABLE: "scores", ARCHIVE_BUCKET: "bucket" },
    event: {
      headers: { "content-type": "application/json" },
      body: JSON.stringify(LEAD),
      requestContext: { requestId: "request-1" },
    },
  },
  {
    entry: "stream-scoring",
    env: { ...SCORING, PROFILE: "fraud", RESULTS_TABLE: "results", STATE_TABLE: "states", DATA_BUCKET: "bucket" },
    event: {
      Records: [
        {
          eventID: "shardId-000000000000:1",
          kinesis: {
            sequenceNumber: "1",
            approximateArrivalTimestamp: Date.UTC(2026, 10, 21) / 1000,
            data: Buffer.from(JSON.stringify(TRANSACTION)).toString("base64"),
          },
        },
      ],
    },
  },
  {
    entry: "score-archiver",
    env: { ARCHIVE_BUCKET: "bucket", LOG_LEVEL: "error" },
    event: {
      Records: [
        {
          messageId: "m-1",
          body: JSON.stringify({ detail: { record: { event_id: "1", profile: "lead", scored_at: "2026-11-21T00:00:00Z" } } }),
          attributes: { SentTimestamp: "1795219200000" },
        },
      ],
    },
  },
  // The usual scheduled run, with nothing to load. The migrator is left out: it runs once per deployment, and can't load its SQL unbundled.
  {
    entry: "warehouse-loader",
    env: {
      // The SDK calls the host of the URL itself.
      LOAD_QUEUE_URL: `${ENDPOINT}/000000000000/loads`,
      WORKGROUP_NAME: "warehouse",
      DATABASE_NAME: "risk",
      COPY_ROLE_ARN: "arn:aws:iam::000000000000:role/copy",
      MANIFEST_BUCKET: "bucket",
      METRIC_NAMESPACE: "Bench",
      ENVIRONMENT: "bench",
      LOG_LEVEL: "error",
    },
    event: {},
  },
];

function startAws(policy: string): Promise<Server> {
  const answers: Readonly<Record<string, unknown>> = {
    GetParameters: { Parameters: [{ Name: "/policy", Value: policy }] },
    GetSecretValue: { SecretString: "benchmark" },
    Query: { Items: [], Count: 0, ScannedCount: 0 },
    BatchGetItem: { Responses: {}, UnprocessedKeys: {} },
    ReceiveMessage: {},
    GetQueueAttributes: { Attributes: { ApproximateNumberOfMessages: "0", ApproximateNumberOfMessagesNotVisible: "0" } },
    PutEvents: { FailedEntryCount: 0, Entries: [{ EventId: "1" }] },
  };
  const server = createServer((request, response) => {
    const target =
      String(request.headers["x-amz-target"] ?? "")
        .split(".")
        .at(-1) ?? "";
    request.resume();
    request.on("end", () => {
      response.setHeader("Content-Type", "application/x-amz-json-1.1");
      response.end(target === "" ? "" : JSON.stringify(answers[target] ?? {}));
    });
  });
  return new Promise((started) => server.listen(0, "127.0.0.1", () => started(server)));
}

/** Milliseconds from the start of a process to the first answer of the module's handler. */
async function coldStart(modulePath: string, fixture: Fixture, endpoint: string): Promise<number> {
  const script = `
    const { handler } = require(${JSON.stringify(modulePath)});
    handler(${JSON.stringify(fixture.event)}, { awsRequestId: "bench", getRemainingTimeInMillis: () => 60000 }).then((answer) => {
      const time = performance.now();
      const failed = answer.batchItemFailures?.length > 0 || (answer.statusCode ?? 200) !== 200;
      process.stdout.write("\\n" + (failed ? "failed " + JSON.stringify(answer) : time));
      process.exit();
    });`;
  const own = Object.entries(fixture.env).map(([name, value]) => [name, value.replace(ENDPOINT, endpoint)]);
  const env = {
    ...Object.fromEntries(own),
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "id",
    AWS_SECRET_ACCESS_KEY: "secret",
    AWS_ENDPOINT_URL: endpoint,
  };
  const { stdout } = await run(process.execPath, ["-e", script], { env });
  const last = stdout.trim().split("\n").at(-1) ?? "";
  const milliseconds = Number(last);
  if (!Number.isFinite(milliseconds)) throw new Error(`${fixture.entry} did not answer its first event: ${last}`);
  return milliseconds;
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** The modules that a fresh process loads for an entry, from which follow the packages that default packaging includes. */
async function loadedFiles(modulePath: string, env: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const script = `require(${JSON.stringify(modulePath)}); process.stdout.write("\\n" + JSON.stringify(Object.keys(require.cache)))`;
  const { stdout } = await run(process.execPath, ["-e", script], { env: { ...env, AWS_REGION: "us-east-1" } });
  const files: unknown = JSON.parse(stdout.trim().split("\n").at(-1) ?? "[]");
  if (!Array.isArray(files)) throw new Error("The module list of the process is not a list.");
  return files.map(String);
}

function packageFiles(folder: string, prefix: string, into: Record<string, Uint8Array>): void {
  for (const item of readdirSync(folder, { withFileTypes: true })) {
    if (item.name === "node_modules") continue;
    const path = join(folder, item.name);
    if (item.isDirectory()) packageFiles(path, `${prefix}${item.name}/`, into);
    else if (item.isFile()) into[`${prefix}${item.name}`] = readFileSync(path);
  }
}

/** Adds a package and all its dependencies, as Pulumi's code paths do. */
function addPackage(name: string, into: Record<string, Uint8Array>, seen: Set<string>): void {
  if (seen.has(name)) return;
  seen.add(name);
  const folder = resolve("node_modules", name);
  packageFiles(folder, `node_modules/${name}/`, into);
  const manifest: { dependencies?: Record<string, string> } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  for (const dependency of Object.keys(manifest.dependencies ?? {})) {
    try {
      addPackage(dependency, into, seen);
    } catch (error) {
      // A nested copy is inside its parent, whose nested folder is left out, so the peer is a little smaller than it really would be.
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    }
  }
}

async function peerZip(modulePath: string, fixture: Fixture): Promise<number> {
  const files: Record<string, Uint8Array> = {};
  const seen = new Set<string>();
  for (const path of await loadedFiles(modulePath, fixture.env)) {
    const name = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
    if (name === undefined) files[path.slice(1)] = readFileSync(path);
    else addPackage(name, files, seen);
  }
  return zipSync(files).length;
}

function zipBench(fixture: Fixture, unbundled: (entry: string) => string): Bench {
  return {
    id: `lambda.${fixture.entry}.zip`,
    unit: "bytes",
    better: "lower",
    async run() {
      const bundle = readFileSync(buildFunctions()[fixture.entry] ?? "");
      return {
        ours: zipSync({ [`bundles/${fixture.entry}/index.js`]: bundle }).length,
        peers: { "callback-default": await peerZip(unbundled(fixture.entry), fixture) },
        note:
          "one bundle against the handler's compiled modules with the whole folders of the packages that they import and of their dependencies " +
          "(without nested copies, so the peer is a little smaller than it really would be); zip, default level",
      };
    },
  };
}

function coldStartBench(fixture: Fixture, unbundled: (entry: string) => string): Bench {
  return {
    id: `lambda.${fixture.entry}.coldStart`,
    unit: "ms",
    better: "lower",
    async run() {
      const ours = resolve(buildFunctions()[fixture.entry] ?? "");
      const peer = unbundled(fixture.entry);
      const policy = fixture.env.PROFILE === "fraud" ? PROFILES.fraud.defaultPolicy : PROFILES.lead.defaultPolicy;
      const server = await startAws(JSON.stringify(policy));
      const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const times: { readonly ours: number[]; readonly peer: number[] } = { ours: [], peer: [] };
      try {
        for (let round = 0; round < ROUNDS; round++) {
          times.ours.push(await coldStart(ours, fixture, endpoint));
          times.peer.push(await coldStart(peer, fixture, endpoint));
        }
      } finally {
        server.closeAllConnections();
        server.close();
      }
      return {
        ours: median(times.ours),
        peers: { "callback-default": median(times.peer) },
        note:
          `from the start of a process (including Node's own) to the first answer, median of ${ROUNDS} interleaved fresh processes; AWS answers ` +
          "on loopback at once; peer: the handler's compiled modules, unbundled, with their packages from node_modules",
      };
    },
  };
}

/** Benchmarks run from tsc's output, which also has the unbundled handler. */
const unbundled = (entry: string): string => join(__dirname, "..", "functions", "entries", `${entry}.js`);

export const benches: readonly Bench[] = FIXTURES.flatMap((fixture) => [
  coldStartBench(fixture, unbundled),
  zipBench(fixture, unbundled),
]);
