/** The REST API from outside: every bad request gets an answer that says what is wrong, and only valid input is stored. */
import { gzipSync } from "node:zlib";
import { FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { deviceVisit } from "../../cli/training/device-world";
import { connection, type HttpAnswer, lines, mailsAbout, scan, send, settled, startWorld, until, type World } from "./support";

let world: World;
beforeAll(async () => {
  world = await startWorld();
}, 60_000);
afterAll(() => world?.stop());
afterEach(() => world.platform.faults.inject(0, []));

interface Problem {
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
}

function problemOf(answer: HttpAnswer): Problem {
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  const problem: Problem = JSON.parse(answer.text);
  expect(problem.status).toBe(answer.status);
  expect(problem.title).not.toBe("");
  expect(problem.detail).not.toBe("");
  return problem;
}

async function inArchive(id: string): Promise<void> {
  await until("the score in the archive", async () => {
    await settled(world);
    return (await lines(world, "archive/lead/")).some((line) => line.event_id === id);
  });
}

const lead = { companySize: 900, industry: "technology", engagementMetrics: 88 };
const leadText = JSON.stringify(lead);
const leadWith = (members: string) => `{"companySize":1,"industry":"retail","engagementMetrics":1,${members}}`;
const spoiled = Buffer.concat([
  Buffer.from('{"companySize":1,"engagementMetrics":1,"industry":"'),
  Buffer.from([0xff, 0xfe, 0xc0]),
  Buffer.from('"}'),
]);
const huge = (bytes: number) => `{"companySize":1,"engagementMetrics":1,"industry":"${"x".repeat(bytes)}"}`;

/** Name, path, body, status, words that the answer must contain, headers. */
type Case = [string, string, string | Buffer | undefined, number, readonly string[], Readonly<Record<string, string | null>>];

const refused: readonly Case[] = [
  ["no body", "/score", undefined, 400, ["not valid JSON"], {}],
  ["an empty body", "/score", "", 400, ["not valid JSON"], {}],
  ["half a body", "/score", '{"companySize":', 400, ["not valid JSON"], {}],
  ["NaN", "/score", '{"companySize":NaN,"industry":"a","engagementMetrics":1}', 400, ["not valid JSON"], {}],
  ["Infinity", "/score", '{"companySize":Infinity,"industry":"a","engagementMetrics":1}', 400, ["not valid JSON"], {}],
  [
    "1e999",
    "/score",
    '{"companySize":1e999,"industry":"a","engagementMetrics":-1e999}',
    400,
    ["companySize", "engagementMetrics"],
    {},
  ],
  [
    "huge numbers",
    "/score",
    '{"companySize":1e308,"industry":"a","engagementMetrics":1e300}',
    400,
    ["companySize", "engagementMetrics"],
    {},
  ],
  ["null", "/score", "null", 400, ["object"], {}],
  ["an array", "/score", `[${leadText}]`, 400, ["object"], {}],
  ["a string", "/score", '"lead"', 400, ["object"], {}],
  ["missing fields", "/score", "{}", 400, ["companySize", "industry", "engagementMetrics"], {}],
  [
    "wrong types",
    "/score",
    '{"companySize":"x","industry":7,"engagementMetrics":null}',
    400,
    ["companySize", "industry", "engagementMetrics"],
    {},
  ],
  [
    "negative and empty values",
    "/score",
    '{"companySize":-1,"industry":"","engagementMetrics":-1}',
    400,
    ["companySize", "industry", "engagementMetrics"],
    {},
  ],
  ["an unknown field", "/score", leadWith('"compnaySize":1'), 400, ["compnaySize"], {}],
  ["__proto__", "/score", leadWith('"__proto__":{"score":100}'), 400, ["__proto__"], {}],
  ["constructor", "/score", leadWith('"constructor":{"prototype":{"score":100}}'), 400, ["constructor"], {}],
  ["a name twice", "/score", leadWith('"industry":"finance"'), 400, ["industry", "twice"], {}],
  ["100,000 levels of arrays", "/score", "[".repeat(100_000) + "]".repeat(100_000), 400, ["object"], {}],
  ["100,000 levels of objects", "/score", `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`, 400, ["companySize"], {}],
  [
    "30,000 levels past the gateway's model",
    "/score",
    "[".repeat(30_000) + "]".repeat(30_000),
    400,
    ["nesting"],
    { "content-type": "application/vnd.lead+json" },
  ],
  ["a very long string", "/score", huge(201), 400, ["industry"], {}],
  ["70 kB past the gateway's model", "/score", huge(70_000), 413, ["65536"], { "content-type": "application/vnd.lead+json" }],
  ["7 MB", "/score", huge(7 * 1024 * 1024), 400, ["industry"], {}],
  [
    "7 MB past the gateway's model",
    "/score",
    huge(7 * 1024 * 1024),
    413,
    ["Too"],
    { "content-type": "application/vnd.lead+json" },
  ],
  ["11 MB", "/score", huge(11 * 1024 * 1024), 413, ["Too"], {}],
  ["bytes that are not UTF-8", "/score", spoiled, 400, ["/industry"], {}],
  ["a gzip body", "/score", gzipSync(leadText), 400, ["not valid JSON"], { "content-encoding": "gzip" }],
  ["text/plain", "/score", leadText, 415, ["application/json"], { "content-type": "text/plain" }],
  ["XML", "/score", "<lead/>", 415, ["application/json"], { "content-type": "application/xml" }],
  ["a form", "/score", "companySize=1", 415, ["application/json"], { "content-type": "application/x-www-form-urlencoded" }],
  ["Latin-1", "/score", leadText, 415, ["UTF-8"], { "content-type": "application/json; charset=iso-8859-1" }],
  [
    "bad input past the gateway's model",
    "/score",
    '{"companySize":"x","industry":7}',
    400,
    ["companySize", "industry", "engagementMetrics"],
    { "content-type": "application/vnd.lead+json" },
  ],
  ["a bad Idempotency-Key", "/score", leadText, 400, ["Idempotency-Key"], { "idempotency-key": "two words" }],
  ["no API key", "/score", leadText, 403, ["x-api-key"], { "x-api-key": null }],
  ["a wrong API key", "/score", leadText, 403, ["x-api-key"], { "x-api-key": "wrong" }],
  ["an unknown path", "/scores", leadText, 403, ["path"], {}],
  ["a slash at the end", "/score/", leadText, 403, ["path"], {}],
  ["a doubled slash", "//score", leadText, 403, ["path"], {}],
  ["a content encoding", "/score", leadText, 415, ["Content-Encoding"], { "content-encoding": "br" }],
  [
    "11 numbers",
    "/predict",
    '{"data":[1,2,3,4,5,6,7,8,9,10,11]}',
    400,
    ["Invalid input. Expected a list of 12 numerical values."],
    {},
  ],
  [
    "13 numbers",
    "/predict",
    '{"data":[1,2,3,4,5,6,7,8,9,10,11,12,13]}',
    400,
    ["Invalid input. Expected a list of 12 numerical values."],
    {},
  ],
  [
    "a number as text",
    "/predict",
    '{"data":[1,2,3,4,5,6,7,8,9,10,11,"12"]}',
    400,
    ["Invalid input. Expected a list of 12 numerical values."],
    {},
  ],
  ["an infinite number", "/predict", '{"data":[1,2,3,4,5,6,7,8,9,10,11,1e999]}', 400, ["/data"], {}],
  ["no list", "/predict", '{"data":{"0":1}}', 400, ["Invalid input. Expected a list of 12 numerical values."], {}],
  ["no data", "/predict", "{}", 400, ["Invalid input. Expected a list of 12 numerical values."], {}],
];

describe("bad input", () => {
  it.each([...refused])("answers %s on %s with a problem", async (_, path, body, status, words, headers) => {
    const answer = await send(world, path, body, headers);
    expect([answer.status, answer.text.slice(0, 300)]).toEqual([status, expect.any(String)]);
    problemOf(answer);
    for (const word of words) expect(answer.text).toContain(word);
  });

  it.each(["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])("refuses %s", async (method) => {
    const answer = await send(world, "/score", method === "GET" ? undefined : leadText, {}, method);
    expect(answer.status).toBe(403);
    problemOf(answer);
  });

  it("stores nothing and publishes nothing", async () => {
    await settled(world);
    expect(await scan(world, world.names.scoresTable)).toEqual([]);
    expect(await lines(world, "archive/")).toEqual([]);
    expect(await lines(world, "quarantine/")).toEqual([]);
  });
});

describe("scores", () => {
  it.each([
    [900, 88, (900 / 1000) * 30 + 88 * 0.7, "high"],
    [0, 0, 0, "low"],
    [1000, 0, 30, "low"],
    [0, 100, 70, "medium"],
    [5000, 500, 100, "critical"],
  ])("scores a company of %d with engagement %d by the formula", async (companySize, engagementMetrics, score, band) => {
    const answer = await send(world, "/score", JSON.stringify({ companySize, industry: "retail", engagementMetrics }));
    expect(answer.status).toBe(200);
    const body = JSON.parse(answer.text);
    expect(body).toMatchObject({ band, modelVersion: "lead-heuristic-1", policyVersion: "lead-1", cached: false });
    expect(body.score).toBeCloseTo(score, 10);
    const sum = body.reasons.reduce((total: number, reason: { contribution: number }) => total + reason.contribution, 0);
    expect(sum).toBeCloseTo(score, 9);
    expect(answer.headers.get("x-score-id")).toBe(body.id);
    expect(answer.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    expect(answer.headers.get("x-amzn-trace-id")).toMatch(/^Root=1-/);
  });

  it("answers the second call from the cache, whatever the order of fields", async () => {
    const first = JSON.parse((await send(world, "/score", '{"companySize":10,"industry":"media","engagementMetrics":5}')).text);
    const again = await send(world, "/score", ' {"engagementMetrics":5.0,"industry":"media","companySize":1e1}');
    expect(JSON.parse(again.text)).toEqual({ ...first, cached: true });
  });

  it("accepts JSON without a Content-Type and with a +json one", async () => {
    expect((await send(world, "/score", Buffer.from(leadText), { "content-type": null })).status).toBe(200);
    expect((await send(world, "/score", leadText, { "content-type": "application/vnd.lead+json" })).status).toBe(200);
  });

  it("predicts whether a customer leaves", async () => {
    const stays = await send(world, "/predict", '{"data":[619,0,42,2,0,1,1,1,101348.88,1,0,0]}');
    const leaves = await send(world, "/predict", '{"data":[376,0,29,4,115046.74,4,1,0,119346.88,0,1,0]}');
    expect(JSON.parse(stays.text).result).toBe("Will Not Exit");
    expect(JSON.parse(stays.text).score).toBeLessThan(0.5);
    expect(JSON.parse(leaves.text).result).toBe("Will Exit");
    expect(JSON.parse(leaves.text).score).toBeGreaterThanOrEqual(0.5);
  });

  it("routes a score over 80 to the log group, and one over 95 to the mail as well", async () => {
    const good = JSON.parse(
      (await send(world, "/score", '{"companySize":1000,"industry":"energy","engagementMetrics":80}')).text,
    );
    const best = JSON.parse(
      (await send(world, "/score", '{"companySize":9000,"industry":"energy","engagementMetrics":99}')).text,
    );
    await inArchive(good.id);
    await inArchive(best.id);
    const logGroupName = world.names.highScoresLogGroup;
    const { events = [] } = await world.clients.logs.send(new FilterLogEventsCommand({ logGroupName }));
    const logged = events.map(({ message }) => JSON.parse(message ?? "{}").detail?.id);
    expect(logged).toEqual(expect.arrayContaining([good.id, best.id]));
    expect([mailsAbout(world, good.leadId), mailsAbout(world, best.leadId)]).toEqual([0, 1]);
  });
});

describe("a device", () => {
  it("is scored through the gateway's own model of its 85 features, and archived with identifiers as tokens", async () => {
    const device = deviceVisit(3, 7, 100).raw;
    const body = JSON.stringify({ ...device, device_id: "device-0815", ip_address: "192.0.2.7", ip_risk_score: 90, vpn: true });
    const answer = await send(world, "/device", body);
    expect(answer.status, answer.text).toBe(200);
    const { id, flags }: { readonly id: string; readonly flags: readonly string[] } = JSON.parse(answer.text);
    expect(flags).toEqual(expect.arrayContaining(["anonymised", "bad_address"]));
    await until("the score in the archive", async () => {
      await settled(world);
      return (await lines(world, "archive/device/")).some((line) => line.event_id === id);
    });
    const text = JSON.stringify(await lines(world, "archive/device/"));
    expect(text).not.toMatch(/device-0815|192\.0\.2\.7/);

    const bad = await send(world, "/device", JSON.stringify({ request_id: "r", vpn: "yes", colour: "red" }));
    expect(problemOf(bad).status).toBe(400);
    for (const name of ["vpn", "colour"]) expect(bad.text).toContain(name);
  });
});

describe("Idempotency-Key", () => {
  const body = (size: number) => JSON.stringify({ companySize: size, industry: "finance", engagementMetrics: 12 });

  it("repeats the answer for the same body, refuses another", async () => {
    const headers = { "idempotency-key": "key-1" };
    const first = await send(world, "/score", body(31), headers);
    const again = await send(world, "/score", body(31), headers);
    expect(again.text).toBe(first.text);
    expect(first.headers.get("idempotency-replayed")).toBeNull();
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    const other = await send(world, "/score", body(32), headers);
    expect(other.status).toBe(422);
    expect(problemOf(other).detail).toContain("another body");
  });

  it("scores once when calls with the same key race", async () => {
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => send(world, "/score", body(33), { "idempotency-key": "key-2" })),
    );
    const good = answers.filter(({ status }) => status === 200);
    const conflicts = answers.filter(({ status }) => status === 409);
    expect(good.length).toBeGreaterThan(0);
    expect(good.length + conflicts.length).toBe(6);
    expect(new Set(good.map(({ text }) => JSON.parse(text).id)).size).toBe(1);
    for (const conflict of conflicts) {
      problemOf(conflict);
      expect(conflict.headers.get("retry-after")).toBe("1");
    }
  });
});

describe("when a service is down", () => {
  const every = (service: string, action?: string) => ({
    kind: "error" as const,
    service,
    probability: 1,
    ...(action === undefined ? {} : { action }),
  });

  it("scores without the cache when DynamoDB is down", async () => {
    world.platform.faults.inject(1, [every("dynamodb")]);
    const text = JSON.stringify({ companySize: 51, industry: "retail", engagementMetrics: 3 });
    const first = await send(world, "/score", text, { "idempotency-key": "key-3" });
    const second = await send(world, "/score", text);
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(JSON.parse(second.text)).toMatchObject({ cached: false, score: JSON.parse(first.text).score });
    expect(second.headers.get("x-degraded")).toContain("cache");
  });

  it("archives the score itself when the event bus is down", async () => {
    world.platform.faults.inject(1, [every("events", "PutEvents")]);
    const answer = await send(world, "/score", JSON.stringify({ companySize: 52, industry: "retail", engagementMetrics: 3 }));
    expect(answer.status).toBe(200);
    expect(answer.headers.get("x-degraded")).toBe("events");
    const { id } = JSON.parse(answer.text);
    const date = new Date().toISOString().slice(0, 10);
    const key = `archive/lead/dt=${date}/rest_${id}.ndjson.zst`;
    const object = await world.clients.s3.send(new GetObjectCommand({ Bucket: world.names.dataBucket, Key: key }));
    expect(object.ContentLength).toBeGreaterThan(0);
  });

  it("puts an event that isn't a score into quarantine, with the archiver's own role", async () => {
    const events = new EventBridgeClient(connection(world));
    const entry = { EventBusName: world.names.eventBusName, Source: "lead.scoring", DetailType: "Lead Scored" };
    await events.send(new PutEventsCommand({ Entries: [{ ...entry, Detail: JSON.stringify({ record: { profile: "lead" } }) }] }));
    events.destroy();
    const quarantined = await until("the event in quarantine", async () => {
      await settled(world);
      return (await lines(world, "quarantine/rest/")).find(({ reason }) => reason === "invalid_envelope");
    });
    expect(quarantined.detail).toBe("Expected text at detail.record.event_id, got none.");
  });

  it("accepts nothing when neither bus nor archive can take the score", async () => {
    world.platform.faults.inject(1, [every("events", "PutEvents"), every("s3", "PutObject")]);
    const text = JSON.stringify({ companySize: 53, industry: "retail", engagementMetrics: 3 });
    const answer = await send(world, "/score", text);
    expect(answer.status).toBe(503);
    expect(problemOf(answer).detail).toContain("Try again");
    expect(answer.headers.get("retry-after")).toBe("1");
    world.platform.faults.inject(0, []);
    const later = await send(world, "/score", text);
    const { id } = JSON.parse(later.text);
    expect(later.status).toBe(200);
    await inArchive(id);
  });
});

describe("throttling", () => {
  it("answers 429 beyond the burst of 200 and lets calls through again after that", async () => {
    const answers = await Promise.all(Array.from({ length: 600 }, () => send(world, "/score", "{}")));
    const throttled = answers.filter(({ status }) => status === 429);
    expect(answers.length - throttled.length).toBeGreaterThanOrEqual(200);
    expect(throttled.length).toBeGreaterThan(0);
    for (const answer of throttled) {
      expect(problemOf(answer).title).toBe("Too many requests");
      expect(answer.headers.get("retry-after")).toBe("1");
    }
    await until("a call is let through", async () => (await send(world, "/score", leadText)).status === 200);
  });
});
