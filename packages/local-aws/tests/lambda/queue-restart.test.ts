/** A queue's event source mapping over the real queue store: what happens to messages when the platform ends and starts again. */
import { expect, it } from "vitest";
import { queueSource } from "../../src/engine/lambda-ports";
import type { InvokeResult } from "../../src/lambda/function-config";
import type { LambdaPorts } from "../../src/lambda/ports";
import { QueuePoller } from "../../src/lambda/queue-poller";
import { world } from "../messaging/helpers";
import { Harness, mappingOf, queueArn, until } from "./support";

const VISIBILITY_SECONDS = 60;
const done: InvokeResult = { requestId: "r", payload: "null", functionError: undefined, logTail: "" };

/** A clock with its timers, which only moves when told. */
class Time {
  private timers: { readonly at: number; readonly run: () => void }[] = [];
  constructor(private readonly services: ReturnType<typeof world>) {}
  after = (ms: number, run: () => void) => {
    const timer = { at: this.services.context.clock.now() + ms, run };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((one) => one !== timer);
    };
  };
  advance(ms: number): void {
    this.services.advance(ms);
    for (;;) {
      const due = this.timers.find(({ at }) => at <= this.services.context.clock.now());
      if (due === undefined) return;
      this.timers = this.timers.filter((one) => one !== due);
      due.run();
    }
  }
}

function setUp(windowSeconds = 0) {
  const services = world();
  const time = new Time(services);
  services.sqs.store.save("work", { VisibilityTimeout: String(VISIBILITY_SECONDS), MessageRetentionPeriod: "345600" });
  const batches: string[][] = [];
  const queues = queueSource(services.sqs);
  const start = (
    invoke: (bodies: string[]) => Promise<InvokeResult> = async () => done,
    changes: Partial<LambdaPorts["queues"]> = {},
  ) => {
    const poller = new QueuePoller({
      context: services.context,
      ports: { ...new Harness().ports, queues: { ...queues, ...changes } },
      timers: time,
      mapping: mappingOf("fn", { sourceArn: queueArn, batchSize: 10, windowSeconds }),
      invoke: (payload) => {
        const { Records } = JSON.parse(payload) as { readonly Records: readonly { readonly body: string }[] };
        batches.push(Records.map(({ body }) => body));
        return invoke(batches.at(-1) ?? []);
      },
    });
    poller.start();
    return poller;
  };
  const send = (body: string) => services.sqs.deliver(queueArn, body);
  return { services, time, batches, queues, start, send, left: () => services.sqs.store.counts("work") };
}

it("runs messages that a killed platform had received when their visibility timeout ends", async () => {
  const { time, batches, queues, start, send, left } = setUp();
  send("a");
  expect(queues.receive(queueArn, 10)).toHaveLength(1);
  const poller = start();
  time.advance(VISIBILITY_SECONDS * 1000 - 1);
  expect(batches).toEqual([]);
  time.advance(1);
  await until(() => poller.idle() && batches.length > 0);
  expect(batches).toEqual([["a"]]);
  expect(left()).toMatchObject({ visible: 0, inFlight: 0 });
});

it("returns the messages of an open batching window when the platform ends", async () => {
  const { batches, start, send, left } = setUp(60);
  send("a");
  const poller = start();
  expect(left()).toMatchObject({ visible: 0, inFlight: 1 });
  await poller.end();
  expect(left()).toMatchObject({ visible: 1, inFlight: 0 });
  expect(batches).toEqual([]);
});

it("returns the messages of an invocation that the end of the platform cut off", async () => {
  const { start, send, left } = setUp();
  send("a");
  let cutOff = (): void => undefined;
  const poller = start(
    () =>
      new Promise((resolve) => {
        cutOff = () => resolve({ ...done, functionError: "Unhandled" });
      }),
  );
  poller.flush();
  const ended = poller.end();
  cutOff();
  await ended;
  expect(left()).toMatchObject({ visible: 1, inFlight: 0 });
});

it("repeats a failed batch when its visibility timeout ends", async () => {
  const { time, batches, start, send } = setUp();
  send("a");
  const poller = start(async () => ({ ...done, functionError: batches.length === 1 ? "Unhandled" : undefined }));
  time.advance(0);
  await until(() => poller.idle() && batches.length === 1);
  time.advance(VISIBILITY_SECONDS * 1000);
  await until(() => poller.idle() && batches.length === 2);
});

it("deletes what was processed once the disk takes the deletion, and doesn't run it again", async () => {
  const { time, batches, queues, start, send, left } = setUp();
  send("a");
  let full = true;
  let refusals = 0;
  const poller = start(undefined, {
    delete: (queue, handles) => {
      if (full) {
        refusals += 1;
        throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
      }
      queues.delete(queue, handles);
    },
  });
  time.advance(0);
  await until(() => refusals === 1);
  full = false;
  time.advance(1000);
  await until(() => poller.idle());
  expect(left()).toMatchObject({ visible: 0, inFlight: 0 });
  expect(batches).toEqual([["a"]]);
});

it("goes on when its queue can't be read for a while, and the sender isn't told", async () => {
  const { time, batches, queues, start, send } = setUp();
  let full = true;
  const poller = start(undefined, {
    receive: (queue, limit) => {
      if (full) throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
      return queues.receive(queue, limit);
    },
  });
  expect(() => send("a")).not.toThrow();
  full = false;
  time.advance(1000);
  await until(() => poller.idle() && batches.length === 1);
});
