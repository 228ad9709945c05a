/** All services in one process with nothing listening but the warehouse, and resources that others hang on. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { archiveFrom, ResourceTypes } from "@risk/program-graph";
import { afterAll, beforeAll } from "vitest";
import type { GraphResource } from "../../src/contracts";
import { CredentialStore } from "../../src/endpoint/credentials";
import { createServices } from "../../src/engine/services";
import { Iam } from "../../src/permissions/iam";

export type Inputs = Readonly<Record<string, unknown>>;

const folder = mkdtempSync(join(tmpdir(), "round-trip-"));
export const [region, accountId] = ["us-east-1", "000000000000"];
export const db = new DatabaseSync(":memory:");
export const clock = { offset: 0, now: () => Date.now() + clock.offset };
export const services = createServices({
  context: { region, accountId, endpointUrl: "http://127.0.0.1:0", db, dataDir: folder, clock, log: () => undefined },
  iam: new Iam(accountId, region),
  credentials: new CredentialStore(db, accountId),
  apiPort: 1,
  durable: false,
  databaseRolesOf: () => [],
});
export const registry = new ResourceTypes(services.bodies);
beforeAll(() => services.warehouse.start(), 60_000);
afterAll(async () => {
  await services.warehouse.stop();
  db.close();
  rmSync(folder, { recursive: true, force: true });
});

export const bodyOf = (type: string) => {
  const body = registry.get(type);
  if (body === undefined) throw new Error(`no body for ${type}`);
  return body;
};

export function resourceOf(type: string, name: string, inputs: Inputs): GraphResource {
  const { id, state } = bodyOf(type).outputs({ name, inputs, region, accountId });
  const base = { urn: `${type}::${name}`, type, name, parent: undefined, inputs, id, state: { ...inputs, ...state } };
  return { ...base, dependsOn: [], protect: false, ignoreChanges: [], secretInputs: [] };
}

export async function create(type: string, name: string, inputs: Inputs = {}): Promise<GraphResource> {
  const resource = resourceOf(type, name, inputs);
  await bodyOf(type).create?.(resource);
  return resource;
}

export const document = (action: string, resource = "*") =>
  JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: action, Resource: resource }] });
export const letIn = (service: string, action: string) =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { Service: service }, Action: action, Resource: "*" }],
  });
/** A trust policy: it has no Resource. */
export const trust = (service: string) =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" }],
  });

/** Resources that the others hang on; each is made once, when a case asks for it. */
const made = new Map<string, Promise<GraphResource>>();
export const shared = (type: string, name: string, inputs: () => Inputs | Promise<Inputs>): (() => Promise<GraphResource>) => {
  return () => {
    const known = made.get(`${type} ${name}`) ?? Promise.resolve(inputs()).then((given) => create(type, name, given));
    made.set(`${type} ${name}`, known);
    return known;
  };
};
const bareRole = shared("aws:iam/role:Role", "shared-role", () => ({
  assumeRolePolicy: JSON.stringify({
    Statement: ["lambda", "states"].map((service) => ({
      Effect: "Allow",
      Principal: { Service: `${service}.amazonaws.com` },
      Action: "sts:AssumeRole",
    })),
  }),
}));
const everything = shared("aws:iam/rolePolicy:RolePolicy", "shared-role-policy", async () => ({
  role: (await bareRole()).id,
  policy: document("*"),
}));
/** May do everything. */
export const role = async (): Promise<GraphResource> => {
  await everything();
  return bareRole();
};
export const stream = shared("aws:kinesis/stream:Stream", "shared-stream", () => ({ shardCount: 1 }));
export const queue = shared("aws:sqs/queue:Queue", "shared-queue", () => ({
  policy: letIn("s3.amazonaws.com", "sqs:SendMessage"),
}));
export const topic = shared("aws:sns/topic:Topic", "shared-topic", () => ({}));
export const bus = shared("aws:cloudwatch/eventBus:EventBus", "shared-bus", () => ({}));
export const rule = shared("aws:cloudwatch/eventRule:EventRule", "shared-rule", () => ({ scheduleExpression: "rate(1 day)" }));
export const bucket = shared("aws:s3/bucket:Bucket", "shared-bucket", () => ({}));
export const key = shared("aws:kms/key:Key", "shared-key", () => ({ description: "shared" }));
export const otherKey = shared("aws:kms/key:Key", "other-key", () => ({ description: "other" }));
export const code = (text: string) => archiveFrom({ "index.js": Buffer.from(text) });
export const fn = shared("aws:lambda/function:Function", "shared-function", async () => ({
  code: code("exports.handler = async () => 1"),
  handler: "index.handler",
  runtime: "nodejs22.x",
  role: (await role()).state.arn,
}));
export const api = shared("aws:apigateway/restApi:RestApi", "shared-api", () => ({}));
export const apiResource = shared("aws:apigateway/resource:Resource", "shared-resource", async () => ({
  restApi: (await api()).id,
  parentId: (await api()).state.rootResourceId,
  pathPart: "shared",
}));
const method = shared("aws:apigateway/method:Method", "shared-method", async () => ({
  restApi: (await api()).id,
  resourceId: (await apiResource()).id,
  httpMethod: "GET",
  authorization: "NONE",
}));
const integration = shared("aws:apigateway/integration:Integration", "shared-integration", async () => ({
  restApi: (await method()).inputs.restApi,
  resourceId: (await apiResource()).id,
  httpMethod: "GET",
  type: "AWS_PROXY",
  integrationHttpMethod: "POST",
  uri: (await fn()).state.invokeArn,
}));
export const deployment = shared("aws:apigateway/deployment:Deployment", "shared-deployment", async () => ({
  restApi: (await integration()).inputs.restApi,
}));
export const stage = shared("aws:apigateway/stage:Stage", "shared-stage", async () => ({
  restApi: (await api()).id,
  deployment: (await deployment()).id,
  stageName: "v1",
}));
export const namespace = shared("aws:redshiftserverless/namespace:Namespace", "shared-namespace", () => ({
  namespaceName: "shared-ns",
  dbName: "shared",
}));
