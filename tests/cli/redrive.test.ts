import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { KinesisClient, type PutRecordsCommandInput } from "@aws-sdk/client-kinesis";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { failureText, parseUnquoted, RedriveFailure } from "../../cli/redrive/failure";
import { followSent, type Outcome, pendingOutcomes } from "../../cli/redrive/outcome";
import { type Put, putRecords } from "../../cli/redrive/put-records";
import type { RawRecord } from "../../cli/redrive/raw-records";
import { redriveReport } from "../../cli/redrive/report";
import { isClean, type Summary } from "../../cli/redrive/run";
import { isSelected, selectionOf } from "../../cli/redrive/selection";
import { inputOf } from "../../cli/redrive/send-back";
import { connectRedrive, redriveTarget } from "../../cli/redrive/target";

const record = (line: number, bytes = 10): RawRecord => ({
  key: "quarantine/x",
  line,
  position: `shard:${line}`,
  source: "kinesis",
  partitionKey: `user-${line}`,
  reason: "not_json",
  arrivedAtMs: 0,
  data: new Uint8Array(bytes),
});

describe("the selection", () => {
  const of = (reason: string, arrivedAtMs = 1000) => ({ reason, arrivedAtMs });

  it("is everything but ids of other events, which are named to be sent", () => {
    const all = selectionOf([], [], undefined);
    expect(all.sources).toEqual(["quarantine", "failures", "dlq"]);
    expect(isSelected(of("not_json"), all)).toBe(true);
    expect(isSelected(of("duplicate_conflict"), all)).toBe(false);
    const named = selectionOf(["quarantine"], ["duplicate_conflict"], undefined);
    expect([isSelected(of("duplicate_conflict"), named), isSelected(of("not_json"), named)]).toEqual([true, false]);
  });

  it("leaves out what arrived before", () => {
    const late = selectionOf(["dlq", "failures"], [], "1970-01-01T00:00:01Z");
    expect(late.sources).toEqual(["failures", "dlq"]);
    expect([isSelected(of("x", 999), late), isSelected(of("x", 1000), late)]).toEqual([false, true]);
  });

  it("is refused with an unknown source or a time that is none", () => {
    expect(() => selectionOf(["archive"], [], undefined)).toThrow('--from: expected quarantine, failures, dlq, got "archive".');
    expect(() => selectionOf([], [], "soon")).toThrow("--since: expected an ISO 8601 time");
  });
});

describe("a selection from the command line", () => {
  it("takes several reasons, and no empty one", () => {
    const two = selectionOf([], ["not_json", "too_large"], undefined);
    const taken = ["not_json", "too_large", "invalid"].filter((reason) => isSelected({ reason, arrivedAtMs: 0 }, two));
    expect(taken).toEqual(["not_json", "too_large"]);
    expect(() => selectionOf([], ["not_json", ""], undefined)).toThrow("--reason: expected a code");
  });

  it.each(["2026-02-30", "2026-13-01", "2026-02-29T00:00:00Z", "2026-01-01T24:01:00Z", "2026", ""])(
    "refuses %j as a time, which no calendar has",
    (since) => {
      expect(() => selectionOf([], [], since)).toThrow("--since: expected an ISO 8601 time");
    },
  );
});

describe("putting records back", () => {
  /** A stream that refuses what `refuses` says, per call. */
  function stream(refuses: (call: number, key: string) => boolean) {
    const calls: string[][] = [];
    const kinesis = new KinesisClient({ region: "us-east-1" });
    kinesis.middlewareStack.add(() => async ({ input }) => {
      const { Records: entries = [] } = input as PutRecordsCommandInput;
      const keys = entries.map(({ PartitionKey }) => PartitionKey ?? "");
      calls.push(keys);
      const Records = keys.map((key, index) =>
        refuses(calls.length, key)
          ? { ErrorCode: "ProvisionedThroughputExceededException", ErrorMessage: "Rate exceeded" }
          : { ShardId: "shardId-1", SequenceNumber: `${calls.length}${index}` },
      );
      return { output: { $metadata: {}, Records }, response: {} };
    });
    return { calls, kinesis };
  }
  async function putAll(kinesis: KinesisClient, records: readonly RawRecord[]): Promise<readonly Put[]> {
    const put: Put[] = [];
    await putRecords(
      kinesis,
      "s",
      records,
      () => Promise.resolve(),
      (one) => put.push(one),
    );
    return put;
  }

  it("keeps the partition keys, stays within the limits of a request, and tells the new positions", async () => {
    const { calls, kinesis } = stream(() => false);
    const put = await putAll(
      kinesis,
      Array.from({ length: 501 }, (_, line) => record(line)),
    );
    expect(calls.map((keys) => keys.length)).toEqual([500, 1]);
    expect(put[500]).toMatchObject({ record: { line: 500 }, position: "shardId-1:20" });
    const large = stream(() => false);
    await putAll(large.kinesis, [record(1, 1_000_000), record(2, 4_000_000), record(3, 1)]);
    expect(large.calls).toEqual([["user-1"], ["user-2", "user-3"]]);
  });

  it("repeats only what the stream refused, and ends with its message when that does not help", async () => {
    const once = stream((call, key) => call === 1 && key === "user-1");
    expect(await putAll(once.kinesis, [record(0), record(1)])).toHaveLength(2);
    expect(once.calls).toEqual([["user-0", "user-1"], ["user-1"]]);
    const full = stream(() => true);
    await expect(putAll(full.kinesis, [record(0)])).rejects.toThrow("The stream refused 1 records 8 times: Rate exceeded");
  });
});

describe("the input of an execution", () => {
  const event = { detail: { ModelPackageArn: 'arn:"x"' } };
  const target = { Id: "1", Arn: "arn" };

  it("is what the target makes of the event", () => {
    const InputTransformer = { InputPathsMap: { arn: "$.detail.ModelPackageArn" }, InputTemplate: '{"modelPackageArn": <arn>}' };
    expect(JSON.parse(inputOf({ ...target, InputTransformer }, event))).toEqual({ modelPackageArn: 'arn:"x"' });
    expect(inputOf({ ...target, Input: '{"dataset":"fraud"}' }, event)).toBe('{"dataset":"fraud"}');
    expect(JSON.parse(inputOf(target, event))).toEqual(event);
    expect(() => inputOf({ ...target, InputPath: "$.detail" }, event)).toThrow("InputPath");
  });
});

describe("a message that went to the archiver", () => {
  const message = { position: "rest:new", before: "rest:old" };

  /** What it is after a wait in which quarantine gets a line for it or not. */
  async function becomes(
    waitMs: number,
    quarantinedAtMs = Number.POSITIVE_INFINITY,
  ): Promise<readonly [Outcome | undefined, number]> {
    let now = 0;
    const sent = { put: [], messages: [message] };
    const outcomes = pendingOutcomes(sent);
    const object = { bucket: "raw", key: "quarantine/rest/x", modifiedMs: 0 };
    const ports = {
      raw: {
        objects: async () => (now >= quarantinedAtMs ? [object] : []),
        records: async () => [{ ...record(0), position: message.position, reason: "invalid_envelope" }],
      },
      dynamodb: new DynamoDBClient({ region: "us-east-1" }),
      resultsTable: "results",
      clock: {
        now: () => now,
        pause: async (milliseconds: number) => {
          now += milliseconds;
        },
      },
      pollMs: 5_000,
    };
    await followSent(sent, outcomes, 0, waitMs, ports, () => {});
    return [outcomes.get(message.position), now];
  }

  it("is in quarantine again as soon as its new line is there", async () => {
    expect(await becomes(120_000, 30_000)).toEqual([{ ...message, state: "quarantined", reason: "invalid_envelope" }, 30_000]);
  });

  it("was taken when quarantine has no line after a minute, and before that nobody knows", async () => {
    expect(await becomes(120_000)).toEqual([{ ...message, state: "archived" }, 60_000]);
    expect(await becomes(20_000)).toEqual([{ ...message, state: "pending" }, 20_000]);
  });
});

describe("the summary", () => {
  const clean: Summary = {
    dryRun: false,
    found: { not_json: 2 },
    unknownReasons: [],
    reasons: ["not_json"],
    redriven: 2,
    returned: 0,
    scored: 2,
    known: 0,
    archived: 0,
    pending: 0,
    quarantined: [],
    queues: [{ queue: "dlq", found: 1, redriven: 1, failed: {} }],
    stopped: [],
  };
  const again = { position: "shardId-1:7", before: "shardId-1:3", state: "quarantined", reason: "not_json" } as const;

  it("is clean when everything arrived, and else says what failed again and why", () => {
    expect(isClean(clean)).toBe(true);
    const failed = {
      ...clean,
      quarantined: [again],
      queues: [{ queue: "dlq", found: 1, redriven: 0, failed: { "no such queue": 1 } }],
    };
    expect([isClean({ ...clean, pending: 1 }), isClean(failed)]).toEqual([false, false]);
    expect(redriveReport(failed)).toMatch(/not_json +1 +shardId-1:7[\s\S]*dlq +1 +no such queue/);
    expect(redriveReport({ ...clean, dryRun: true, found: {} })).toContain("No records to redrive.");
  });

  it("says what ended early, and is not clean then", () => {
    const stopped = { ...clean, stopped: [{ what: "quarantine", why: "SlowDown" }] as const };
    const queue = { ...clean, queues: [{ queue: "dlq", found: 0, redriven: 0, failed: {}, stopped: "QueueDoesNotExist" }] };
    expect([stopped, queue].map(isClean)).toEqual([false, false]);
    expect([redriveReport(stopped), redriveReport(queue)]).toEqual([
      expect.stringMatching(/quarantine +SlowDown/),
      expect.stringMatching(/dlq +QueueDoesNotExist/),
    ]);
  });

  it("says which reasons there are when nothing has the one that was asked for", () => {
    const missed = { ...clean, unknownReasons: ["nojson"], reasons: ["not_json", "too_large"] };
    expect(redriveReport(missed)).toContain("Nothing has the reason nojson; there are not_json, too_large.");
    expect(redriveReport({ ...missed, reasons: [] })).toContain("Nothing has the reason nojson; there are none.");
  });
});

it("says what is missing when there is no stack to redrive", async () => {
  await expect(connectRedrive({ region: "us-east-1" }, {})).rejects.toThrow("The outputs have no region or no redrive");
  await expect(redriveTarget({ aws: true, outputsFile: undefined })).rejects.toThrow("--aws needs --outputs FILE");
  await expect(redriveTarget({ aws: true, outputsFile: "missing.json" })).rejects.toThrow("missing.json does not exist");
  await expect(redriveTarget({ aws: true, outputsFile: "README.md" })).rejects.toThrow(/README.md is not JSON; write it/);
});

it("refuses the outputs of a stack without --aws, instead of redriving this machine", async () => {
  await expect(redriveTarget({ aws: false, outputsFile: "outputs.json" })).rejects.toThrow("add --aws");
});

describe("the text of a failure", () => {
  const thrownBy = (run: () => unknown): unknown => {
    try {
      return run();
    } catch (error) {
      return error;
    }
  };
  const named = (name: string, message: string) => Object.assign(new Error(message), { name });

  it("quotes nothing of a message", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const secret = `{SECRET${text}`;
        for (const run of [() => parseUnquoted(secret, "The message"), () => JSON.parse(secret)])
          expect(failureText(thrownBy(run))).toMatch(/^(The message is not JSON\.|SyntaxError)$/);
      }),
    );
    expect(failureText(named("ValidationException", "Value 'SECRET' at 'name'"))).toBe("ValidationException");
    expect(failureText("SECRET")).toBe("Unknown error");
    expect(failureText(Object.assign(new Error("connect 10.0.0.1"), { code: "ECONNREFUSED" }))).toBe("ECONNREFUSED");
  });

  it("says which right is missing, and what this command found itself", () => {
    expect(failureText(named("AccessDeniedException", "not authorized to perform: x"))).toBe("not authorized to perform: x");
    expect(failureText(new RedriveFailure("The bus refused it."))).toBe("The bus refused it.");
  });
});
