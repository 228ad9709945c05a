/** Destroys the stack as an engine does, dependents first, and creates it again in the same services. */

import type { Platform } from "@risk/local-aws";
import { deploy, type ResourceBody } from "@risk/local-aws/testing";
import { type GraphResource, inDependencyOrder } from "@risk/program-graph";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startPlatform, until } from "./support";

let platform: Platform;
beforeAll(async () => {
  platform = await startPlatform({ stack: "dev", inMemory: true });
}, 60_000);
afterAll(async () => {
  await platform?.stop();
});

const bodyOf = ({ type }: GraphResource): ResourceBody | undefined => platform.services.bodies.find((body) => body.type === type);

async function destroy(): Promise<void> {
  for (const resource of inDependencyOrder(platform.graph).reverse()) await bodyOf(resource)?.delete?.(resource);
}

/** Everything that the services list. */
async function remains(): Promise<Record<string, readonly string[]>> {
  const { services } = platform;
  const names = (all: readonly { readonly name: string }[]) => all.map(({ name }) => name);
  const databases = await services.warehouse.query("SELECT datname AS name FROM pg_database", [], "postgres");
  const users = await services.warehouse.query("SELECT rolname AS name FROM pg_roles", [], "postgres");
  return {
    apis: [...services.api.apis.keys()],
    functions: services.lambda.pool.names(),
    mappings: services.lambda.mappings.all().map(({ uuid }) => uuid),
    roles: services.iam.roleNames(),
    queues: names(services.sqs.store.queues()),
    topics: names(services.sns.topics()),
    subscriptions: services.sns.subscriptions().map(({ arn }) => arn),
    streams: names(services.kinesis.store.streams()),
    buses: names(services.events.store.buses()).filter((name) => name !== "default"),
    rules: names(services.events.store.rules()),
    logGroups: names(services.logs.groups()),
    logPolicies: names(services.logs.policies()),
    alarms: services.cloudwatch.alarms().map(({ alarm }) => alarm.AlarmName),
    tables: services.dynamodb.tables.settings.entries().map(([name]) => name),
    buckets: names(services.s3.store.buckets()),
    parameters: services.ssm.parameters.names(),
    secrets: services.secrets.names(),
    aliases: services.kms.aliases(),
    machines: names([...services.stepFunctions.machines.values()]),
    modelGroups: services.sagemakerJobs.registry.groupNames(),
    databases: databases.map(({ name }) => String(name)).filter((name) => !/^(postgres|template\d)$/.test(name)),
    users: users.map(({ name }) => String(name)).filter((name) => !/^(pg_|warehouse_admin$)/.test(name)),
  };
}

async function score(): Promise<number> {
  const { apiUrl, apiKey } = platform.outputs;
  const response = await fetch(`${String(apiUrl).replace(/\/$/, "")}/score`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-api-key": String(apiKey) },
    body: JSON.stringify({ companySize: 900, industry: "technology", engagementMetrics: 88 }),
  });
  return response.status;
}

const idle = () => until("all functions idle", () => platform.services.lambda.idle());

describe("a stack that is destroyed", () => {
  it("leaves nothing behind and can be created again", async () => {
    const { graph, services } = platform;
    const before = await remains();
    expect(Object.entries(before).filter(([, list]) => list.length === 0)).toEqual([]);
    expect(await score()).toBe(200);
    await idle();

    await destroy();
    expect(Object.entries(await remains()).filter(([, list]) => list.length > 0)).toEqual([]);
    expect(await score()).toBe(403);
    // Deleting a deleted resource again succeeds, because an engine that was killed in the middle starts over.
    await destroy();

    await expect(deploy(graph, services.bodies)).rejects.toThrow(/Secret.*already scheduled for deletion/);
    for (const name of before.secrets ?? []) services.secrets.deleteSecret(name, 0);
    await deploy(graph, services.bodies);
    expect(await remains()).toEqual(before);
    expect(await score()).toBe(200);
    await idle();
  }, 120_000);
});
