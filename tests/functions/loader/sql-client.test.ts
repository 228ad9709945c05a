import { describe, expect, it } from "vitest";
import {
  createSqlClient,
  type DataApi,
  literal,
  StatementFailed,
  type StatementState,
  StatementTimeout,
} from "../../../functions/loader/sql-client";

const state = (status: StatementState["status"], changes: Partial<StatementState> = {}): StatementState => ({
  status,
  error: undefined,
  subStatements: [],
  ...changes,
});

/** A Data API that answers from lists, and a clock that moves only by sleeping. */
function scripted(answers: { describe: StatementState[]; batch?: (string | Error)[]; execute?: (string | Error)[] }) {
  const calls: { readonly name: string; readonly argument: unknown }[] = [];
  const next = <T>(list: (T | Error)[] | undefined, fallback: T): T => {
    const answer = list?.shift() ?? fallback;
    if (answer instanceof Error) throw answer;
    return answer;
  };
  let now = 0;
  const api: DataApi = {
    execute: async (argument) => {
      calls.push({ name: "execute", argument });
      return next(answers.execute, "id");
    },
    batch: async (argument) => {
      calls.push({ name: "batch", argument });
      return next(answers.batch, "id");
    },
    describe: async () => next(answers.describe, state("STARTED")),
    result: async (id, nextToken) => {
      calls.push({ name: "result", argument: id });
      return nextToken === undefined
        ? { columns: ["a"], rows: [["1"]], nextToken: "more" }
        : { columns: ["a"], rows: [[null]], nextToken: undefined };
    },
    cancel: async (id) => {
      calls.push({ name: "cancel", argument: id });
      throw new Error("too late");
    },
  };
  const clock = {
    now: () => now,
    sleep: async (milliseconds: number) => {
      now += milliseconds;
    },
  };
  return { client: createSqlClient(api, clock), calls };
}

const named = (name: string) => Object.assign(new Error("passing"), { name });
const options = { name: "test", token: "token", deadline: 60_000 };

describe("createSqlClient", () => {
  it("treats nothing as done before FINISHED", async () => {
    const { client, calls } = scripted({ describe: [state("SUBMITTED"), state("PICKED"), state("STARTED"), state("FINISHED")] });
    expect(await client.transaction(["LOCK TABLE a"], options)).toEqual([]);
    expect(calls.map(({ name }) => name)).toEqual(["batch"]);
  });

  it("reads every page of the last statement's rows", async () => {
    const subStatements = [
      { id: "id:1", status: "FINISHED", error: undefined },
      { id: "id:2", status: "FINISHED", error: undefined },
    ];
    const { client, calls } = scripted({ describe: [state("FINISHED", { subStatements })] });
    expect(await client.transaction(["LOCK TABLE a", "SELECT a FROM b"], options)).toEqual([{ a: "1" }, { a: null }]);
    expect(calls.filter(({ name }) => name === "result").map(({ argument }) => argument)).toEqual(["id:2", "id:2"]);
  });

  it("submits again while the workgroup wakes up, with the same token", async () => {
    const { client, calls } = scripted({
      describe: [state("FINISHED")],
      execute: [named("DatabaseConnectionException"), named("ActiveStatementsExceededException"), "id"],
    });
    await client.query("SELECT 1", options);
    const tokens = calls.filter(({ name }) => name === "execute").map(({ argument }) => argument);
    expect(tokens).toEqual(Array.from({ length: 3 }, () => ({ sql: "SELECT 1", name: "test", token: "token" })));
  });

  it("gives up on a permanent error, and on one that lasts too long", async () => {
    await expect(
      scripted({ describe: [], execute: [named("ValidationException")] }).client.query("SELECT 1", options),
    ).rejects.toThrow("passing");
    const execute = Array.from({ length: 6 }, () => named("ThrottlingException"));
    await expect(scripted({ describe: [], execute }).client.query("SELECT 1", options)).rejects.toThrow("passing");
    expect(execute).toHaveLength(0);
  });

  it("repeats a temporary failure as a new attempt", async () => {
    const { client, calls } = scripted({
      describe: [state("FAILED", { error: "ERROR: Redshift is resuming" }), state("FINISHED")],
    });
    await client.transaction(["LOCK TABLE a"], options);
    expect(calls.map(({ argument }) => argument)).toMatchObject([{ token: "token" }, { token: "token-1" }]);
  });

  it("names the statement and the reason of a failure", async () => {
    const subStatements = [
      { id: "id:1", status: "FINISHED", error: undefined },
      { id: "id:2", status: "FAILED", error: "no such table" },
    ];
    const { client } = scripted({ describe: [state("FAILED", { subStatements })] });
    const failure = await client
      .transaction(["LOCK TABLE a", `SELECT ${"x".repeat(300)}`], options)
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(StatementFailed);
    expect(failure).toMatchObject({ index: 1, reason: "no such table", code: "STATEMENT_FAILED" });
    expect(String(failure)).toMatch(/test failed at statement 2: no such table.*…/);
  });

  it.each([
    [state("ABORTED"), ["A", "B"], /test failed: the statement was aborted/],
    [state("FAILED", { error: "reason" }), ["A"], /at statement 1: reason/],
  ])("reports what is known about %j", async (described, sqls, message) => {
    await expect(scripted({ describe: [described] }).client.transaction(sqls, options)).rejects.toThrow(message);
  });

  it("stops waiting at the deadline and asks to cancel", async () => {
    const { client, calls } = scripted({ describe: [] });
    await expect(client.query("SELECT 1", { ...options, deadline: 500 })).rejects.toThrow(StatementTimeout);
    expect(calls.at(-1)).toEqual({ name: "cancel", argument: "id" });
  });

  it("checks the Data API's limits before it sends anything", async () => {
    const { client, calls } = scripted({ describe: [] });
    await expect(client.transaction([], options)).rejects.toThrow(/1 to 40 statements, got 0/);
    await expect(
      client.transaction(
        Array.from({ length: 41 }, () => "SELECT 1"),
        options,
      ),
    ).rejects.toThrow(/got 41/);
    await expect(client.query("ü".repeat(50_001), options)).rejects.toThrow(/statement 1 has 100002 bytes/);
    expect(calls).toEqual([]);
  });
});

describe("literal", () => {
  it.each([
    ["it's", "'it''s'"],
    ["a\\b", "'a\\\\b'"],
    ["\\'; DROP", "'\\\\''; DROP'"],
  ])("quotes %s", (text, expected) => expect(literal(text)).toBe(expected));

  it("refuses NUL", () => expect(() => literal("a\0")).toThrow(RangeError));
});
