import { describe, expect, it } from "vitest";
import { cases } from "./round-trip-cases";
import { api, bodyOf, create, fn, resourceOf, services } from "./round-trip-world";

describe.each(cases)("$type", ({ type, inputs, change, seen }) => {
  it(`is created${change === undefined ? "" : ", changed in place"}, deleted and created again`, async () => {
    const body = bodyOf(type);
    const first = await inputs();
    const resource = await create(type, "trip", first);
    const created = await seen(resource);
    expect(created).toBeDefined();
    if (change !== undefined) {
      const changes = await change();
      const changed = resourceOf(type, "trip", { ...first, ...changes });
      expect(changed.id).toBe(resource.id);
      expect(Object.keys(changes).filter((field) => body.replaceOn.includes(field))).toEqual([]);
      await body.update?.(changed, resource);
      const after = await seen(changed);
      expect(after).toBeDefined();
      expect(after).not.toEqual(created);
      await body.update?.(resource, changed);
      expect(await seen(resource)).toEqual(created);
    }
    await body.delete?.(resource);
    expect(await seen(resource)).toBeUndefined();
    await body.delete?.(resource);
    await body.create?.(resource);
    expect(await seen(resource)).toEqual(created);
    await body.delete?.(resource);
  });
});

describe("usage plans and API keys", () => {
  it("are created, changed in place and deleted: a key is admitted while both know each other", async () => {
    const [plan, key, member] = ["UsagePlan", "ApiKey", "UsagePlanKey"].map(
      (name) => `aws:apigateway/${name.charAt(0).toLowerCase()}${name.slice(1)}:${name}`,
    ) as [string, string, string];
    const apiId = (await api()).id;
    const planResource = await create(plan, "trip", { apiStages: [{ apiId, stage: "v1" }] });
    const keyResource = await create(key, "trip");
    const memberInputs = { keyId: keyResource.id, keyType: "API_KEY", usagePlanId: planResource.id };
    const memberResource = await create(member, "trip", memberInputs);
    const admitted = () =>
      ["v1", "v2"].filter((stageName) => {
        try {
          return services.api.usage.admit(String(keyResource.state.value), apiId, stageName, "score/POST");
        } catch {
          return false;
        }
      });
    expect(admitted()).toEqual(["v1"]);
    const moved = resourceOf(plan, "trip", { apiStages: [{ apiId, stage: "v2" }] });
    await bodyOf(plan).update?.(moved, planResource);
    expect(admitted()).toEqual(["v2"]);
    const closed = resourceOf(key, "trip", { enabled: false });
    await bodyOf(key).update?.(closed, keyResource);
    expect(admitted()).toEqual([]);
    await bodyOf(key).update?.(keyResource, closed);
    expect(admitted()).toEqual(["v2"]);
    for (const resource of [memberResource, keyResource, planResource]) {
      await bodyOf(resource.type).delete?.(resource);
      expect(admitted()).toEqual([]);
      await bodyOf(resource.type).delete?.(resource);
      await bodyOf(resource.type).create?.(resource);
      if (resource === planResource) expect(admitted()).toEqual([]);
    }
    await bodyOf(member).create?.(memberResource);
    expect(admitted()).toEqual(["v1"]);
  });
});

describe("warm executions", () => {
  it("are taken from the account, changed, and given back", async () => {
    const warm = "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig";
    const { name: functionName, version: functionVersion } = (await fn()).state;
    const alias = await create("aws:lambda/alias:Alias", "warm", { name: "warm", functionName, functionVersion });
    const of = (executions: number) =>
      resourceOf(warm, "trip", { functionName, qualifier: alias.inputs.name, provisionedConcurrentExecutions: executions });
    const reserve = () => services.lambda.pool.concurrency.provision("another", 500);
    await bodyOf(warm).create?.(of(500));
    expect(reserve).toThrow(/UnreservedConcurrentExecution below its minimum value of \[100\]/);
    await bodyOf(warm).update?.(of(300), of(500));
    expect(reserve).not.toThrow();
    services.lambda.pool.concurrency.unprovision("another");
    await bodyOf(warm).update?.(of(500), of(300));
    await bodyOf(warm).delete?.(of(500));
    expect(reserve).not.toThrow();
    services.lambda.pool.concurrency.unprovision("another");
    await bodyOf(alias.type).delete?.(alias);
  });
});

describe("every body", () => {
  const tested = new Set(cases.map(({ type }) => type));
  /** Tested elsewhere: above, by e2e/teardown, and the authoriser that can't be created at all. */
  const elsewhere = [
    "aws:apigateway/usagePlan:UsagePlan",
    "aws:apigateway/apiKey:ApiKey",
    "aws:apigateway/usagePlanKey:UsagePlanKey",
    "aws:apigateway/authorizer:Authorizer",
    "aws:lambda/invocation:Invocation",
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
    "aws:secretsmanager/secretVersion:SecretVersion",
    "aws:s3/bucketVersioning:BucketVersioning",
    "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig",
    // It is checked, and nothing more: tests/messaging/services.test.ts.
    "aws:cloudwatch/dashboard:Dashboard",
    // tests/components/firewall.test.ts, tests/services/dynamodb-metering.test.ts and warehouse-bodies.test.ts.
    "aws:wafv2/webAcl:WebAcl",
    "aws:wafv2/webAclAssociation:WebAclAssociation",
    "aws:appautoscaling/target:Target",
    "aws:redshiftserverless/usageLimit:UsageLimit",
  ];

  it("with an effect is tested", () => {
    const effective = services.bodies.filter(({ create: effect }) => effect !== undefined).map(({ type }) => type);
    expect(effective.filter((type) => !tested.has(type) && !elsewhere.includes(type))).toEqual([]);
  });

  it("with an effect can be deleted, and changed where any input changes in place", () => {
    const effective = services.bodies.filter(({ create: effect }) => effect !== undefined);
    expect(effective.filter((body) => body.delete === undefined).map(({ type }) => type)).toEqual([]);
    const fixed = effective.filter(({ honoured, replaceOn, update }) => {
      const inPlace = honoured.filter((field) => !replaceOn.includes(field));
      return update === undefined && inPlace.length > 0;
    });
    expect(fixed.map(({ type, honoured, replaceOn }) => [type, honoured.filter((field) => !replaceOn.includes(field))])).toEqual([
      ["aws:apigateway/authorizer:Authorizer", ["name", "type", "providerArns", "identitySource"]],
    ]);
  });
});
