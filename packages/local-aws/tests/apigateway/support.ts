import { DatabaseSync } from "node:sqlite";
import type { GraphResource, LocalContext, ResourceBody } from "../../src/contracts";
import { reservePort } from "../../src/engine/ports";
import { apiGatewayBodies } from "../../src/services/apigateway/bodies/gateway-bodies";
import type { Firewall } from "../../src/services/apigateway/firewall";
import type { ApiPorts } from "../../src/services/apigateway/ports";
import { ApiGateway } from "../../src/services/apigateway/server";

const leadModel = JSON.stringify({
  $schema: "http://json-schema.org/draft-04/schema#",
  type: "object",
  required: ["size"],
  properties: { size: { type: "number", minimum: 0, exclusiveMinimum: true } },
});
const functionArn = "arn:aws:lambda:us-east-1:000000000000:function:scoring";

/** Inputs of an integration with the function. */
export const toFunction = {
  type: "AWS_PROXY",
  integrationHttpMethod: "POST",
  timeoutMilliseconds: 200,
  uri: `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${functionArn}/invocations`,
};

/** A gateway whose function and verifier are chosen by the test. */
export class Api {
  now = Date.UTC(2026, 0, 2, 3, 4, 5);
  readonly events: Record<string, unknown>[] = [];
  readonly logs: string[] = [];
  readonly metrics: string[] = [];
  answer: () => Promise<{ payload: string; functionError: string | undefined; requestId: string }> = async () =>
    ok({ statusCode: 200, body: "fine" });
  verify: ApiPorts["verify"] = () => ({ kind: "owner", arn: "arn:aws:iam::000000000000:root" });
  allowed = true;
  private gateway: ApiGateway | undefined;
  private deployments = 0;
  private stageArn = "";
  private bodies: readonly ResourceBody[] = [];
  url = "";

  async start(): Promise<void> {
    const context: LocalContext = {
      region: "us-east-1",
      accountId: "000000000000",
      endpointUrl: "http://127.0.0.1:1",
      db: new DatabaseSync(":memory:"),
      dataDir: "",
      clock: { now: () => this.now },
      log: () => undefined,
    };
    const ports: ApiPorts = {
      invoke: (_arn, payload) => {
        this.events.push(JSON.parse(payload) as Record<string, unknown>);
        return this.answer();
      },
      verify: (request) => this.verify(request),
      isAllowed: () => this.allowed,
      writeLog: (_group, _stream, message) => this.logs.push(message),
      metric: (name, value) => this.metrics.push(`${name} ${name.endsWith("Latency") ? "ms" : value}`),
    };
    this.gateway = new ApiGateway(context, ports, await reservePort(0, "--api-port"));
    this.bodies = apiGatewayBodies(this.gateway);
    await this.gateway.start();
  }

  /** Creates a resource; returns its state with its id. */
  async add(type: string, name: string, inputs: Record<string, unknown>): Promise<Record<string, unknown>> {
    const token = `aws:apigateway/${type.charAt(0).toLowerCase()}${type.slice(1)}:${type}`;
    const body = this.bodies.find((candidate) => candidate.type === token);
    if (body === undefined) throw new Error(`No body for ${token}`);
    const outputs = body.outputs({ name, inputs, region: "us-east-1", accountId: "000000000000" });
    const resource: GraphResource = {
      urn: name,
      type: token,
      name,
      parent: undefined,
      inputs,
      id: outputs.id,
      state: { ...inputs, ...outputs.state },
      dependsOn: [],
      protect: false,
      ignoreChanges: [],
      secretInputs: [],
    };
    await body.create?.(resource);
    return { ...resource.state, id: outputs.id };
  }

  /** POST /score with a model, and POST /keyed with a key; both to the function. */
  async standard(method: Record<string, unknown> = {}, settings: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    const api = await this.add("RestApi", "api", {});
    const restApi = api.id;
    await this.add("Model", "lead", { restApi, name: "Lead", schema: leadModel, contentType: "application/json" });
    const validator = await this.add("RequestValidator", "body", {
      restApi,
      validateRequestBody: true,
    });
    const resource = await this.add("Resource", "score", { restApi, parentId: api.rootResourceId, pathPart: "score" });
    const item = await this.add("Resource", "item", { restApi, parentId: resource.id, pathPart: "item" });
    for (const [name, resourceId] of [
      ["score", resource.id],
      ["item", item.id],
    ]) {
      await this.add("Method", String(name), {
        restApi,
        resourceId,
        httpMethod: "POST",
        authorization: "NONE",
        requestValidatorId: validator.id,
        requestModels: { "application/json": "Lead" },
        ...method,
      });
      await this.add("Integration", String(name), {
        restApi,
        resourceId,
        httpMethod: "POST",
        ...toFunction,
      });
    }
    await this.deploy(restApi);
    if (Object.keys(settings).length > 0)
      await this.add("MethodSettings", "all", { restApi, stageName: "v1", methodPath: "*/*", settings });
    return api;
  }

  /** Freezes the API as it is now and turns the stage to that. */
  async deploy(restApi: unknown): Promise<void> {
    this.deployments += 1;
    const deployment = await this.add("Deployment", "d", { restApi, triggers: { number: String(this.deployments) } });
    const format =
      "$context.status $context.httpMethod $context.resourcePath $context.error.responseType $context.identity.apiKeyId";
    const stage = await this.add("Stage", "v1", {
      restApi,
      deployment: deployment.id,
      stageName: "v1",
      accessLogSettings: { destinationArn: "arn", format },
    });
    this.url = String(stage.invokeUrl);
    this.stageArn = String(stage.arn);
  }

  /** Puts a firewall in front of the stage. */
  protect(firewall: Firewall): void {
    this.gateway?.protect(this.stageArn, () => firewall);
  }

  post(path: string, body: string | Buffer, headers: Record<string, string> = {}): Promise<Response> {
    const bytes = typeof body === "string" ? body : new Uint8Array(body);
    return fetch(this.url + path, { method: "POST", body: bytes, headers: { "content-type": "application/json", ...headers } });
  }

  async end(): Promise<void> {
    await this.gateway?.end();
  }
}

export const ok = (value: unknown) => ({ payload: JSON.stringify(value), functionError: undefined, requestId: "r" });
