import { gzipSync } from "node:zlib";
import { DeliverRegistry } from "../../src/services/deliver";
import type { EventEnvelope } from "../../src/services/events";
import { EventsService } from "../../src/services/events";
import { GlueCatalog, GlueService } from "../../src/services/glue";
import { type InterpreterSource, type JobPorts, jobPorts } from "../../src/services/jobs/ports";
import { LogsService } from "../../src/services/logs";
import { SageMakerRuntimeService, SageMakerService, sageMakerEndpoint } from "../../src/services/sagemaker";
import { SqsService } from "../../src/services/sqs";
import { smallPlatform } from "../endpoint/small-platform";

export const BUCKET = "pipelines";
/** The tests' scripts use nothing but the standard library. */
const plainPython: InterpreterSource = async () => ({ python: "python3" });

/** Glue, SageMaker and what they need on one endpoint; timers fire when told, events are recorded. */
export async function jobsWorld(interpreter: InterpreterSource = plainPython) {
  const platform = await smallPlatform();
  const { context, iam, credentials, s3, gate } = platform;
  const registry = new DeliverRegistry();
  const logs = new LogsService(context, gate, registry);
  const sqs = new SqsService(context, gate);
  const events = new EventsService(context, gate, { registry, sqs });
  const published: EventEnvelope[] = [];
  registry.register("lambda", (_, payload) => void published.push(JSON.parse(payload) as EventEnvelope));
  events.store.saveRule({ bus: "default", name: "all", pattern: '{"source":[{"prefix":"aws."}]}', enabled: true });
  events.store.saveTarget("default", "all", {
    Id: "1",
    Arn: "arn:aws:lambda:us-east-1:000000000000:function:watch",
    MaximumRetryAttempts: 0,
    MaximumEventAgeInSeconds: 60,
  });
  const timers = new Set<{ readonly ms: number; readonly run: () => void }>();
  const listeners = new Set<(line: string) => void>();
  const metrics: { readonly name: string; readonly value: number }[] = [];
  const real = jobPorts({
    context,
    iam,
    credentials,
    s3,
    logs,
    events,
    metrics: (_, name, __, value) => void metrics.push({ name, value }),
    interpreter,
    after: (ms, run) => {
      const timer = { ms, run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
  });
  const ports: JobPorts = {
    ...real,
    writeLogs: (group, stream, lines) => {
      real.writeLogs(group, stream, lines);
      for (const line of lines) for (const listener of listeners) listener(line);
    },
  };
  const glue = new GlueService(ports, new GlueCatalog());
  const sagemaker = new SageMakerService(ports);
  platform.endpoint.register(glue);
  platform.endpoint.register(sageMakerEndpoint(sagemaker, new SageMakerRuntimeService(context)));
  s3.store.createBucket(BUCKET);
  const settled = async () => {
    await Promise.all([glue.settled(), sagemaker.settled()]);
    await events.settle();
  };
  return {
    ...platform,
    logs,
    ports,
    glue,
    sagemaker,
    published,
    metrics,
    /** Resolves when no job runs and every event is delivered. */
    settled,
    /** Resolves with the first line from now on that a job logs and that holds the text. */
    logged: (text: string) =>
      new Promise<string>((resolve) => {
        const listener = (line: string) => {
          if (!line.includes(text)) return;
          listeners.delete(listener);
          resolve(line);
        };
        listeners.add(listener);
      }),
    /** Lets every timer of so many milliseconds fire. Throws when there is none. */
    fire: (ms: number) => {
      const due = [...timers].filter((timer) => timer.ms === ms);
      if (due.length === 0)
        throw new Error(`No timer of ${ms} ms ticks; there are: ${[...timers].map((timer) => timer.ms).join(", ")}.`);
      for (const timer of due) {
        timers.delete(timer);
        timer.run();
      }
    },
    ticking: () => timers.size,
    /** A role of a service with exactly these statements. */
    role: (name: string, service: string, statements: readonly object[]) => {
      const arn = `arn:aws:iam::${context.accountId}:role/${name}`;
      iam.putRole(name, arn, { Statement: [{ Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" }] });
      iam.putInlinePolicy(name, "own", { Version: "2012-10-17", Statement: statements });
      return arn;
    },
    linesOf: (group: string) => [...logs.events(group, 0, Number.MAX_SAFE_INTEGER)].map(({ message }) => message),
    put: (key: string, data: string | Buffer) => s3.put(BUCKET, key, data),
    text: async (key: string) => (await s3.get(BUCKET, key))?.toString("utf8"),
    end: async () => {
      await Promise.all([glue.part().end?.(), sagemaker.part().end?.()]);
      await platform.end();
    },
  };
}

export type JobsWorld = Awaited<ReturnType<typeof jobsWorld>>;

export const READ_WRITE = [
  { Effect: "Allow", Action: ["s3:GetObject", "s3:PutObject"], Resource: `arn:aws:s3:::${BUCKET}/*` },
  { Effect: "Allow", Action: "s3:ListBucket", Resource: `arn:aws:s3:::${BUCKET}` },
];

/** A tar.gz of small files, written independently of the code under test. */
export function archive(files: Readonly<Record<string, string>>): Buffer {
  const blocks = Object.entries(files).flatMap(([name, text]) => {
    const data = Buffer.from(text);
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write("0000644\x000000000\x000000000\0", 100);
    header.write(`${data.length.toString(8).padStart(11, "0")}\x0000000000000\0        0`, 124);
    header.write("ustar\x0000", 257);
    header.write(
      `${header
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, "0")}\0`,
      148,
    );
    return [header, data, Buffer.alloc((512 - (data.length % 512)) % 512)];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}
