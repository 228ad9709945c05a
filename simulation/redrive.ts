/** `npm run redrive` over the simulated services. */
import type { FirehoseClient } from "@aws-sdk/client-firehose";
import type { LambdaClient } from "@aws-sdk/client-lambda";
import type { SFNClient } from "@aws-sdk/client-sfn";
import { BULK } from "./clients";
import { RAW_BUCKET, TABLES } from "./functions";
import { Process } from "./kernel/process";
import type { RedriveSummary, RedriveTarget } from "./product";
import { byUrl } from "./services/sqs";
import type { World } from "./world";

const CRASHES = 0.5;
const CRASH_WITHIN_CALLS = [10, 40] as const;
/** Messages that a crashed redrive has received are hidden for so long. */
const HIDDEN_MS = 16 * 60_000;
const WAIT_MS = 10 * 60_000;

/** Once, or once more after a crash. */
export async function redrive(world: World): Promise<RedriveSummary> {
  const { random, scheduler } = world;
  if (random.chance(CRASHES)) {
    const summary = await runOnce(world, "redrive#1", random.between(1, random.pick(CRASH_WITHIN_CALLS)));
    if (summary !== undefined) return summary;
    await scheduler.sleep(HIDDEN_MS);
  }
  const summary = await runOnce(world, "redrive#2", undefined);
  if (summary === undefined) throw new Error("A redrive without a crash has no end.");
  return summary;
}

/** @returns undefined when it crashed */
function runOnce(world: World, runId: string, crashAt: number | undefined): Promise<RedriveSummary | undefined> {
  const { scheduler, prepared } = world;
  const process = new Process(runId, scheduler, Number.POSITIVE_INFINITY, crashAt);
  return new Promise((resolve, reject) => {
    process.onEnd(() => resolve(undefined));
    prepared.product
      .redrive(targetOf(world, process), {
        clock: { now: () => scheduler.now(), pause: (milliseconds) => process.sleep(milliseconds) },
        selection: { sources: ["quarantine", "failures", "dlq"], reason: undefined, sinceMs: 0 },
        dryRun: false,
        waitMs: WAIT_MS,
        runId,
        progress: () => {},
      })
      .then(resolve, reject);
  });
}

function targetOf({ tools: { clients }, eventQueue, archiveQueue, loadQueue }: World, process: Process): RedriveTarget {
  const queues = [eventQueue, archiveQueue, loadQueue].flatMap((queue) =>
    queue.dead === undefined ? [] : [{ queue, dead: queue.dead }],
  );
  return {
    names: {
      roleArn: "",
      rawBucket: RAW_BUCKET,
      streamName: "transactions",
      eventQueueUrl: eventQueue.settings.name,
      resultsTable: TABLES.results,
      archiveQueueUrl: archiveQueue.settings.name,
      queues: queues.map(({ queue: { settings }, dead }) => ({
        name: dead.settings.name,
        url: dead.settings.name,
        back: { to: "queue", url: settings.name, arn: settings.name },
      })),
    },
    s3: clients.s3(process, BULK),
    kinesis: clients.kinesis(process),
    sqs: clients.sqs(process, byUrl(queues.flatMap(({ queue, dead }) => [queue, dead]))),
    events: clients.bus(process),
    dynamodb: clients.dynamodb(process, BULK),
    firehose: notSimulated<FirehoseClient>("Firehose"),
    lambda: notSimulated<LambdaClient>("Lambda"),
    sfn: notSimulated<SFNClient>("Step Functions"),
    pollMs: 5_000,
    close: () => {},
  };
}

/** No dead-letter queue of the simulation goes back that way. */
const notSimulated = <Client>(service: string): Client =>
  Object.create(null, {
    send: {
      value: () => {
        throw new Error(`A redrive calls ${service}, which isn't simulated; add it to simulation/redrive.ts.`);
      },
    },
  });
