import { describe, expect, it } from "vitest";
import type { GraphResource } from "../../src/contracts";
import { call } from "../messaging/helpers";
import {
  api,
  apiResource,
  bodyOf,
  clock,
  create,
  document,
  fn,
  queue,
  resourceOf,
  services,
  stream,
  trust,
} from "./round-trip-world";

const DAY_MS = 86_400_000;
const remove = async (resource: GraphResource) => bodyOf(resource.type).delete?.(resource);
const update = async (resource: GraphResource, inputs: Record<string, unknown>) =>
  bodyOf(resource.type).update?.(resourceOf(resource.type, resource.name, { ...resource.inputs, ...inputs }), resource);

describe("deleting", () => {
  it("a bucket needs it to be empty, versions included, or forceDestroy", async () => {
    const bucket = await create("aws:s3/bucket:Bucket", "full");
    await create("aws:s3/bucketVersioning:BucketVersioning", "full", {
      bucket: bucket.id,
      versioningConfiguration: { status: "Enabled" },
    });
    await services.s3.put(bucket.id, "a", "1");
    await services.s3.store.delete(bucket.id, "a");
    await expect(remove(bucket)).rejects.toMatchObject({
      code: "BucketNotEmpty",
      message: expect.stringContaining("forceDestroy"),
    });
    await remove({ ...bucket, inputs: { forceDestroy: true } });
    expect(services.s3.store.hasBucket(bucket.id)).toBe(false);
    await create("aws:s3/bucket:Bucket", "full");
    expect(services.s3.store.versions(bucket.id)).toEqual([]);
  });

  it("a versioning setting suspends it; turning it off is refused", async () => {
    const bucket = await create("aws:s3/bucket:Bucket", "versioned");
    const type = "aws:s3/bucketVersioning:BucketVersioning";
    const versioning = await create(type, "v", { bucket: bucket.id, versioningConfiguration: { status: "Enabled" } });
    await expect(update(versioning, { versioningConfiguration: { status: "Disabled" } })).rejects.toThrow(/to Suspended/);
    await remove(versioning);
    expect(services.s3.store.config(bucket.id).versioning).toBe("Suspended");
  });

  it("a table needs its protection off", async () => {
    const inputs = { hashKey: "id", attributes: [{ name: "id", type: "S" }], deletionProtectionEnabled: true };
    const table = await create("aws:dynamodb/table:Table", "protected", { ...inputs, billingMode: "PAY_PER_REQUEST" });
    await expect(remove(table)).rejects.toThrow(/currently protected against deletion/);
    await update(table, { deletionProtectionEnabled: false });
    await remove(table);
    await remove(table);
  });

  it("a role needs its policies gone", async () => {
    const owner = await create("aws:iam/role:Role", "owner", { assumeRolePolicy: trust("glue.amazonaws.com") });
    const inline = await create("aws:iam/rolePolicy:RolePolicy", "inline", { role: owner.id, policy: document("s3:*") });
    await expect(remove(owner)).rejects.toMatchObject({
      code: "DeleteConflict",
      message: expect.stringContaining("must delete policies first"),
    });
    await remove(inline);
    await remove(owner);
    expect(services.iam.roleNames()).not.toContain(owner.id);
  });

  it("a bus needs its rules gone, and a rule its targets", async () => {
    const bus = await create("aws:cloudwatch/eventBus:EventBus", "busy");
    const pattern = { eventBusName: bus.id, eventPattern: '{"source":["risk"]}' };
    const rule = await create("aws:cloudwatch/eventRule:EventRule", "busy", pattern);
    const target = await create("aws:cloudwatch/eventTarget:EventTarget", "busy", {
      rule: rule.state.name,
      eventBusName: bus.id,
      arn: (await queue()).state.arn,
    });
    await expect(remove(bus)).rejects.toThrow(/delete its rules first \(busy-/);
    await expect(remove(rule)).rejects.toThrow(/since it has targets; remove them first \(busy-/);
    for (const resource of [target, rule, bus]) await remove(resource);
  });

  it("a model package group needs its versions gone", async () => {
    const group = await create("aws:sagemaker/modelPackageGroup:ModelPackageGroup", "g", { modelPackageGroupName: "versioned" });
    const { ModelPackageArn } = await call(services.sagemakerJobs, "CreateModelPackage", {
      ModelPackageGroupName: "versioned",
      InferenceSpecification: {
        Containers: [{ Image: "xgboost:1.7-1", ModelDataUrl: "s3://pipelines/models/m.tar.gz" }],
        SupportedContentTypes: ["text/csv"],
        SupportedResponseMIMETypes: ["text/csv"],
      },
    });
    await expect(remove(group)).rejects.toMatchObject({
      code: "ConflictException",
      message: expect.stringContaining("cannot be deleted while it has versions, and it has 1"),
    });
    await call(services.sagemakerJobs, "DeleteModelPackage", { ModelPackageName: ModelPackageArn });
    await remove(group);
  });

  it("a secret keeps its name over the recovery window, and its value can't be read", async () => {
    const inputs = { name: "token", recoveryWindowInDays: 7 };
    const secret = await create("aws:secretsmanager/secret:Secret", "token", inputs);
    await create("aws:secretsmanager/secretVersion:SecretVersion", "v", { secretId: secret.id, secretString: "one" });
    await remove(secret);
    const read = () => call(services.secrets, "GetSecretValue", { SecretId: "token" });
    await expect(read()).rejects.toThrow(/marked for deletion/);
    const again = () => create("aws:secretsmanager/secret:Secret", "token", inputs);
    await expect(again()).rejects.toMatchObject({
      code: "InvalidRequestException",
      message: expect.stringContaining("already scheduled"),
    });
    clock.offset = 8 * DAY_MS;
    await again();
    await expect(read()).rejects.toThrow(/can't find the specified secret value/);
    clock.offset = 0;
    await expect(remove({ ...secret, inputs: { recoveryWindowInDays: 3 } })).rejects.toThrow(/from 7 to 30, or 0/);
  });

  it("a key takes a window of seven to thirty days", async () => {
    const key = await create("aws:kms/key:Key", "data", { deletionWindowInDays: 3 });
    await expect(async () => remove(key)).rejects.toThrow(/from 7 to 30, got 3/);
    await remove({ ...key, inputs: { deletionWindowInDays: 7 } });
  });

  it("a namespace needs its workgroups gone", async () => {
    const inputs = { namespaceName: "busy-ns", dbName: "busy" };
    const namespace = await create("aws:redshiftserverless/namespace:Namespace", "busy", inputs);
    const workgroup = await create("aws:redshiftserverless/workgroup:Workgroup", "busy", {
      workgroupName: "busy-wg",
      namespaceName: namespace.id,
    });
    await expect(remove(namespace)).rejects.toMatchObject({
      code: "ConflictException",
      message: expect.stringContaining("busy-wg"),
    });
    await remove(workgroup);
    await remove(namespace);
  });

  it("a model or validator needs the methods gone that use it", async () => {
    const restApi = (await api()).id;
    const schema = { contentType: "application/json", schema: '{"type":"object"}' };
    const model = await create("aws:apigateway/model:Model", "used", { restApi, name: "Used", ...schema });
    const validator = await create("aws:apigateway/requestValidator:RequestValidator", "used", {
      restApi,
      validateRequestBody: true,
    });
    const method = await create("aws:apigateway/method:Method", "used", {
      restApi,
      resourceId: (await apiResource()).id,
      httpMethod: "PUT",
      authorization: "NONE",
      requestModels: { "application/json": "Used" },
      requestValidatorId: validator.id,
    });
    await expect(remove(model)).rejects.toThrow(/model Used: it is referenced in method request \/shared\/PUT/);
    await expect(remove(validator)).rejects.toThrow(/request validator .* is referenced in method request \/shared\/PUT/);
    for (const resource of [method, model, validator]) await remove(resource);
  });
});

describe("changing", () => {
  it("a stream moves by doubling or halving its shards", async () => {
    const own = await create("aws:kinesis/stream:Stream", "steps", { shardCount: 2 });
    await expect(update(own, { shardCount: 8 })).rejects.toThrow(/from 2 to 8 open shards.*Set shardCount to 4 first/);
    await update(own, { shardCount: 1 });
    expect(services.kinesis.store.openShards(String(own.state.name))).toHaveLength(1);
  });

  it("a table from provisioned to on demand and back", async () => {
    const inputs = { hashKey: "id", attributes: [{ name: "id", type: "S" }], readCapacity: 5, writeCapacity: 5 };
    const table = await create("aws:dynamodb/table:Table", "modes", inputs);
    const mode = async () => JSON.stringify(await services.dynamodb.tables.find(table.id));
    await update(table, { billingMode: "PAY_PER_REQUEST" });
    expect(await mode()).toContain('"BillingMode":"PAY_PER_REQUEST"');
    await update(table, { billingMode: "PROVISIONED" });
    expect(await mode()).toMatch(/"ReadCapacityUnits":5/);
    expect(await mode()).toContain('"BillingMode":"PROVISIONED"');
  });

  it("a second mapping of one source to one function is refused", async () => {
    const type = "aws:lambda/eventSourceMapping:EventSourceMapping";
    const inputs = { eventSourceArn: (await stream()).id, functionName: (await fn()).id, startingPosition: "TRIM_HORIZON" };
    const mapping = await create(type, "first", inputs);
    await expect(create(type, "second", inputs)).rejects.toMatchObject({ code: "ResourceConflictException" });
    await remove(mapping);
  });

  it("a function that takes longer than its queue's visibility timeout is refused", async () => {
    const short = await create("aws:sqs/queue:Queue", "short", { visibilityTimeoutSeconds: 10 });
    const own = await create("aws:lambda/function:Function", "slow", (await fn()).inputs);
    const mapping = await create("aws:lambda/eventSourceMapping:EventSourceMapping", "slow", {
      eventSourceArn: short.state.arn,
      functionName: own.id,
    });
    await expect(update(own, { timeout: 60 })).rejects.toThrow(
      /Queue visibility timeout: 10 seconds is less than Function timeout: 60/,
    );
    await remove(mapping);
  });
});
