import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { APIGatewayProxyEvent } from "aws-lambda";
import { describe, expect, it } from "vitest";
import { createDecisionsHandler, type DecisionsArgs } from "../../../functions/rest/decisions";
import { PROFILES } from "../../../functions/scoring/profiles";
import { createLog } from "../../../functions/shared/log";
import { createMetrics } from "../../../functions/shared/metrics";
import { findResult } from "../../../functions/stream/find-result";
import { resultItem } from "../../../functions/stream/result-item";
import { context, encode, event, kinesisRecord, StreamWorld, transaction } from "../../helpers/stream-world";

async function get(pathParameters: Readonly<Record<string, string>> | null, find: DecisionsArgs["find"]) {
  const clock = { now: () => 0 };
  const handler = createDecisionsHandler({
    profile: PROFILES.fraud,
    find,
    clock,
    log: createLog("error", {}, () => {}),
    metrics: createMetrics("Test", {}, clock, () => {}),
  });
  const request: Partial<APIGatewayProxyEvent> = { headers: {}, pathParameters };
  // The members that the handler reads.
  const { statusCode, body } = await handler(request as APIGatewayProxyEvent);
  return { statusCode, said: JSON.parse(body) as Readonly<Record<string, unknown>> };
}

const nothing = async () => null;

/** A table with one item, as DynamoDB answers. */
const tableOf = (id: string, item: unknown): DynamoDBClient => {
  const send = async ({ input }: { readonly input: { readonly Key?: { readonly transaction_id?: { readonly S?: string } } } }) =>
    input.Key?.transaction_id?.S === id ? { Item: item } : {};
  return Object.create(null, { send: { value: send } });
};

describe("GET /decisions/{id}", () => {
  it("answers with the decision on an event of the stream, and with nothing else of it", async () => {
    const world = new StreamWorld();
    const id = "a b/1";
    const risky = transaction(id, { amount: 20_000, location_mismatch: 1, velocity_flag: 1 });
    await world.handler()(event(kinesisRecord(1, encode(risky))), context);
    const stored = world.results.get(id);
    if (stored === undefined) throw new Error("The event should have been scored.");
    const table = tableOf(id, resultItem(stored, 1));
    const { statusCode, said } = await get({ id: "a%20b%2F1" }, (eventId) => findResult(table, "results", eventId));
    expect(statusCode).toBe(200);
    expect(said).toEqual({
      id,
      score: expect.closeTo(stored.decision.score, 6),
      band: stored.decision.band,
      reasons: stored.decision.reasons.map((reason) => ({ ...reason, contribution: expect.closeTo(reason.contribution, 6) })),
      flags: expect.arrayContaining([...stored.decision.flags]),
      modelVersion: stored.decision.modelVersion,
      policyVersion: stored.decision.policyVersion,
      timestamp: stored.scoredAt,
    });
    expect(await findResult(table, "results", "another")).toBeNull();
  });

  it.each([
    ["that nobody scored", { id: "t-1" }],
    ["that no event can have", { id: "x".repeat(129) }],
    ["with a blank at its end", { id: "a%20" }],
    ["that isn't encoded", { id: "%zz" }],
    ["that is empty", { id: "" }],
    ["that isn't there", null],
  ])("answers 404 for an id %s", async (_, parameters) => {
    expect(await get(parameters, nothing)).toMatchObject({
      statusCode: 404,
      said: { type: "urn:risk-scoring:problem:unknown-decision", title: "Not Found" },
    });
  });

  it("answers 503 while the table can't be read", async () => {
    const down = () => Promise.reject(new Error("down"));
    expect((await get({ id: "t-1" }, down)).statusCode).toBe(503);
  });
});
