import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AwsError } from "../../src/contracts";
import { Api, ok, toFunction } from "./support";

let api: Api;
beforeEach(async () => {
  api = new Api();
  await api.start();
});
afterEach(() => api.end());

const told = async (response: Response) => ({
  status: response.status,
  type: response.headers.get("x-amzn-errortype"),
  body: await response.text(),
});

describe("the proxy integration", () => {
  it("gives the function the event of payload format 1.0", async () => {
    await api.standard();
    const response = await api.post("/score/item?x=1&x=2", '{"size":1}', { "x-custom": "yes" });
    expect([response.status, await response.text()]).toEqual([200, "fine"]);
    expect(response.headers.get("x-amzn-requestid")).toMatch(/^[0-9a-f-]{36}$/);
    expect(api.events[0]).toMatchObject({
      resource: "/score/item",
      path: "/score/item",
      httpMethod: "POST",
      queryStringParameters: { x: "2" },
      multiValueQueryStringParameters: { x: ["1", "2"] },
      pathParameters: null,
      stageVariables: null,
      body: '{"size":1}',
      isBase64Encoded: false,
      requestContext: {
        stage: "v1",
        path: "/v1/score/item",
        resourcePath: "/score/item",
        protocol: "HTTP/1.1",
        requestTime: "02/Jan/2026:03:04:05 +0000",
        identity: { sourceIp: "127.0.0.1" },
        requestId: response.headers.get("x-amzn-requestid"),
      },
    });
    expect(api.events[0]).toMatchObject({ headers: { "x-custom": "yes" } });
  });

  it("gives the function what stands for a parameter in the path, as the caller encoded it, unless a literal part fits", async () => {
    const restApi = await api.standard();
    const parent = await api.add("Resource", "items", {
      restApi: restApi.id,
      parentId: restApi.rootResourceId,
      pathPart: "items",
    });
    const parameter = { restApi: restApi.id, parentId: parent.id, pathPart: "{id}" };
    const [one, literal] = [
      await api.add("Resource", "one", parameter),
      await api.add("Resource", "literal", { ...parameter, pathPart: "all" }),
    ];
    for (const { id: resourceId } of [one, literal]) {
      await api.add("Method", "get", { restApi: restApi.id, resourceId, httpMethod: "GET", authorization: "NONE" });
      await api.add("Integration", "get", { restApi: restApi.id, resourceId, httpMethod: "GET", ...toFunction });
    }
    await api.deploy(restApi.id);
    for (const path of ["/items/a%20b%2F1?x=1", "/items/all"]) expect((await fetch(api.url + path)).status).toBe(200);
    expect(api.events).toMatchObject([
      { resource: "/items/{id}", path: "/items/a%20b%2F1", pathParameters: { id: "a%20b%2F1" }, body: null },
      { resource: "/items/all", pathParameters: null },
    ]);
    for (const path of ["/items/", "/items/a/b", "/items"]) expect((await fetch(api.url + path)).status).toBe(403);
    await expect(api.add("Resource", "two", { ...parameter, pathPart: "{name}" })).rejects.toThrow(
      "A sibling ({id}) of this resource already has a variable path part -- only one unique variable path part is allowed",
    );
    await expect(api.add("Resource", "rest", { ...parameter, pathPart: "{proxy+}" })).rejects.toThrow("has no local body");
  });

  it("passes status, headers, repeated headers and base64 bodies back", async () => {
    await api.standard();
    api.answer = async () =>
      ok({
        statusCode: "201",
        headers: { "X-One": 1 },
        multiValueHeaders: { "Set-Cookie": ["a=1", "b=2"] },
        body: Buffer.from([1, 2]).toString("base64"),
        isBase64Encoded: true,
      });
    const response = await api.post("/score", '{"size":1}');
    expect([response.status, response.headers.get("x-one"), response.headers.getSetCookie()]).toEqual([201, "1", ["a=1", "b=2"]]);
    expect([...new Uint8Array(await response.arrayBuffer())]).toEqual([1, 2]);
  });

  it("passes invalid UTF-8 as U+FFFD, as behind the real gateway", async () => {
    await api.standard();
    await api.post("/score", Buffer.from([0x22, 255, 0x22]), { "content-type": "text/plain" });
    expect(api.events.map(({ body, isBase64Encoded }) => [body, isBase64Encoded])).toEqual([['"\uFFFD"', false]]);
  });

  it.each([
    ["a text", '"text"'],
    ["no status", '{"body":"x"}'],
    ["a body that is no text", '{"statusCode":200,"body":{"a":1}}'],
    ["a wrong status", '{"statusCode":"abc"}'],
    ["wrong headers", '{"statusCode":200,"headers":{"a":{}}}'],
  ])("answers 502 to a function that returns %s", async (_, payload) => {
    await api.standard();
    api.answer = async () => ({ payload, functionError: undefined, requestId: "r" });
    expect(await told(await api.post("/score", '{"size":1}'))).toEqual({
      status: 502,
      type: "InternalServerErrorException",
      body: '{"message":"Internal server error"}',
    });
  });

  it("answers 502 to a function error, 504 to a slow function and 500 without permission", async () => {
    await api.standard();
    api.answer = async () => ({ payload: "{}", functionError: "Unhandled", requestId: "r" });
    expect((await api.post("/score", '{"size":1}')).status).toBe(502);
    api.answer = () => new Promise(() => undefined);
    expect(await told(await api.post("/score", '{"size":1}'))).toMatchObject({
      status: 504,
      body: '{"message":"Endpoint request timed out"}',
    });
    api.answer = () => Promise.reject(new AwsError("AccessDeniedException", "no"));
    expect((await api.post("/score", '{"size":1}')).status).toBe(500);
  });
});

describe("validation", () => {
  it.each(["{}", '{"size":"1"}', '{"size":0}', "not json", "", "[]", "null"])(
    "refuses the body %s before the function runs",
    async (body) => {
      await api.standard();
      expect(await told(await api.post("/score", body))).toEqual({
        status: 400,
        type: "BadRequestException",
        body: '{"message":"Invalid request body"}',
      });
      expect(api.events).toEqual([]);
    },
  );

  it("is passed over for a content type without a model, as on AWS", async () => {
    await api.standard();
    expect((await api.post("/score", "anything", { "content-type": "text/plain" })).status).toBe(200);
  });
});

describe("gateway errors", () => {
  it("answers an unknown route, method and stage with 403, and more than 10 MB with 413", async () => {
    await api.standard();
    expect((await told(await api.post("/nope", "{}"))).type).toBe("MissingAuthenticationTokenException");
    expect((await fetch(`${api.url}/score`)).status).toBe(403);
    expect((await told(await fetch(new URL("/other/score", api.url)))).body).toBe('{"message":"Forbidden"}');
    expect(await told(await api.post("/score", Buffer.alloc(10 * 1024 * 1024 + 1, 32)))).toMatchObject({
      status: 413,
      type: "RequestTooLargeException",
    });
  });

  it("are shaped by the API's own responses, specific before default, with their variables", async () => {
    const { id } = await api.standard();
    const template = (title: string) =>
      `{"title":"${title}","detail":"$context.error.validationErrorString","message":$context.error.messageString,"id":"$context.requestId"}`;
    await api.add("Response", "body", {
      restApiId: id,
      responseType: "BAD_REQUEST_BODY",
      statusCode: "422",
      responseTemplates: { "application/json": template("body") },
      responseParameters: {
        "gatewayresponse.header.Content-Type": "'application/problem+json'",
        "gatewayresponse.header.X-Id": "context.requestId",
      },
    });
    await api.add("Response", "other", {
      restApiId: id,
      responseType: "DEFAULT_4XX",
      responseTemplates: { "application/json": template("other") },
    });
    await api.deploy(id);
    const response = await api.post("/score", "{}");
    expect([response.status, response.headers.get("content-type"), response.headers.get("x-id")]).toEqual([
      422,
      "application/problem+json",
      response.headers.get("x-amzn-requestid"),
    ]);
    expect(await response.json()).toEqual({
      title: "body",
      detail: '[object has missing required properties (["size"])]',
      message: "Invalid request body",
      id: response.headers.get("x-amzn-requestid"),
    });
    const other = await api.post("/nope", "{}");
    expect([other.status, await other.json()]).toMatchObject([403, { title: "other" }]);
  });

  it.each([
    [
      "an unknown variable",
      { responseType: "THROTTLED", responseTemplates: { "application/json": "$context.nope" } },
      /\$context\.nope has no value here/,
    ],
    [
      "a template directive",
      { responseType: "THROTTLED", responseTemplates: { "application/json": "#if(true)#end" } },
      /"#if" is not supported/,
    ],
    [
      "an unknown variable in a header",
      { responseType: "THROTTLED", responseParameters: { "gatewayresponse.header.X-A": "context.nope" } },
      /\$context\.nope has no value here/,
    ],
    [
      "a template of another type",
      { responseType: "THROTTLED", responseTemplates: { "text/plain": "no" } },
      /responseTemplates: expected one of application\/json, got text\/plain/,
    ],
    ["an unknown type", { responseType: "TEAPOT" }, /responseType TEAPOT: expected one of/],
  ])("refuses %s at the start", async (_, inputs, message) => {
    const { id } = await api.standard();
    await expect(api.add("Response", "r", { restApiId: id, ...inputs })).rejects.toThrow(message);
  });

  it("refuses authorisers, integrations and routes that have no local body", async () => {
    const { id, rootResourceId } = await api.standard();
    await expect(api.add("Authorizer", "a", { restApi: id, type: "COGNITO_USER_POOLS" })).rejects.toThrow(
      /COGNITO_USER_POOLS: .* no local body/,
    );
    await expect(
      api.add("Method", "m", { restApi: id, resourceId: rootResourceId, httpMethod: "GET", authorization: "COGNITO_USER_POOLS" }),
    ).rejects.toThrow(/COGNITO/);
    await expect(
      api.add("Integration", "i", { restApi: id, resourceId: rootResourceId, httpMethod: "GET", type: "MOCK" }),
    ).rejects.toThrow(/only AWS_PROXY/);
    await expect(
      api.add("Method", "m", { restApi: id, resourceId: rootResourceId, httpMethod: "ANY", authorization: "NONE" }),
    ).rejects.toThrow(/httpMethod ANY/);
    await expect(api.add("Resource", "r", { restApi: id, parentId: rootResourceId, pathPart: "{id}.json" })).rejects.toThrow(
      /expected a literal or one parameter/,
    );
  });
});

describe("limits and keys", () => {
  it("throttles a stage by rate and burst", async () => {
    await api.standard({}, { throttlingRateLimit: 1, throttlingBurstLimit: 2 });
    const statuses = [];
    for (let call = 0; call < 3; call += 1) statuses.push((await api.post("/score", '{"size":1}')).status);
    api.now += 1000;
    statuses.push((await api.post("/score", '{"size":1}')).status);
    expect(statuses).toEqual([200, 200, 429, 200]);
  });

  it("throttles by a changed limit from the next call on", async () => {
    const { id: restApi } = await api.standard({}, { throttlingRateLimit: 1, throttlingBurstLimit: 1 });
    const call = async () => (await api.post("/score", '{"size":1}')).status;
    expect([await call(), await call()]).toEqual([200, 429]);
    const settings = { throttlingRateLimit: 1, throttlingBurstLimit: 2 };
    await api.add("MethodSettings", "all", { restApi, stageName: "v1", methodPath: "*/*", settings });
    expect([await call(), await call(), await call()]).toEqual([200, 200, 429]);
  });

  const keyed = async (plan: Record<string, unknown>, stage: Record<string, unknown> = {}) => {
    const { id } = await api.standard({ apiKeyRequired: true });
    const key = await api.add("ApiKey", "key", {});
    const usage = await api.add("UsagePlan", "plan", { apiStages: [{ apiId: id, stage: "v1", ...stage }], ...plan });
    await api.add("UsagePlanKey", "pk", { keyId: key.id, keyType: "API_KEY", usagePlanId: usage.id });
    return { "x-api-key": String(key.value) };
  };

  it("wants a known key of a usage plan", async () => {
    const headers = await keyed({});
    expect(await told(await api.post("/score", '{"size":1}'))).toEqual({
      status: 403,
      type: "ForbiddenException",
      body: '{"message":"Forbidden"}',
    });
    expect((await api.post("/score", '{"size":1}', { "x-api-key": "wrong" })).status).toBe(403);
    expect((await api.post("/score", '{"size":1}', headers)).status).toBe(200);
    expect(api.events[0]).toMatchObject({ requestContext: { identity: { apiKey: headers["x-api-key"] } } });
  });

  it("throttles a method of a plan apart from the others", async () => {
    const headers = await keyed(
      { throttleSettings: { rateLimit: 100, burstLimit: 200 } },
      { throttles: [{ path: "/score/POST", rateLimit: 1, burstLimit: 1 }] },
    );
    expect((await api.post("/score", '{"size":1}', headers)).status).toBe(200);
    expect(await told(await api.post("/score", '{"size":1}', headers))).toEqual({
      status: 429,
      type: "TooManyRequestsException",
      body: '{"message":"Too Many Requests"}',
    });
    expect((await api.post("/score/item", '{"size":1}', headers)).status).toBe(200);
  });

  it("counts a quota for each day, and takes no other period", async () => {
    const headers = await keyed({ quotaSettings: { limit: 1, period: "DAY" } });
    expect((await api.post("/score", '{"size":1}', headers)).status).toBe(200);
    expect(await told(await api.post("/score", '{"size":1}', headers))).toMatchObject({
      status: 429,
      body: '{"message":"Limit Exceeded"}',
    });
    api.now += 86_400_000;
    expect((await api.post("/score", '{"size":1}', headers)).status).toBe(200);
    await expect(api.add("UsagePlan", "w", { quotaSettings: { limit: 1, period: "WEEK" } })).rejects.toThrow(/limit of a DAY/);
  });
});

describe("IAM authorisation", () => {
  it("wants a signature, a right one, and the permission", async () => {
    await api.standard({ authorization: "AWS_IAM" });
    const signed = { authorization: "AWS4-HMAC-SHA256 …" };
    expect((await told(await api.post("/score", '{"size":1}'))).type).toBe("MissingAuthenticationTokenException");
    expect((await api.post("/score", '{"size":1}', { authorization: "AWS4-HMAC-SHA256 x" })).status).toBe(200);
    api.verify = () => {
      throw new AwsError("SignatureDoesNotMatch", "wrong", 403);
    };
    expect((await told(await api.post("/score", '{"size":1}', { authorization: "AWS4-HMAC-SHA256 x" }))).type).toBe(
      "InvalidSignatureException",
    );
    api.verify = () => ({ kind: "role", arn: "arn:aws:iam::0:role/r", roleName: "r" });
    api.allowed = false;
    const denied = await told(await api.post("/score", '{"size":1}', { authorization: "AWS4-HMAC-SHA256 x" }));
    expect(denied).toMatchObject({ status: 403, type: "AccessDeniedException" });
    expect(denied.body).toMatch(
      /role\/r is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:us-east-1:000000000000:\w+\/v1\/POST\/score/,
    );
    expect(signed.authorization).toContain("AWS4");
  });
});

describe("a stage", () => {
  it("serves its deployment, not what was changed since", async () => {
    const { id } = await api.standard();
    await api.add("Response", "denied", {
      restApiId: id,
      responseType: "MISSING_AUTHENTICATION_TOKEN",
      responseTemplates: { "application/json": '{"title":"gone"}' },
    });
    await api.add("Model", "lead", { restApi: id, name: "Lead", schema: '{"type":"object"}', contentType: "application/json" });
    for (const path of ["/nope", "/score/", "//score", "/score//"])
      expect([path, (await told(await api.post(path, "{}"))).body]).toEqual([path, '{"message":"Missing Authentication Token"}']);
    expect((await api.post("/score", "{}")).status).toBe(400);
    await api.deploy(id);
    expect((await told(await api.post("/nope", "{}"))).body).toBe('{"title":"gone"}');
    expect((await api.post("/score", "{}")).status).toBe(200);
  });

  it("keeps its limits when it turns to another deployment", async () => {
    const { id } = await api.standard({}, { throttlingRateLimit: 1, throttlingBurstLimit: 1 });
    await api.deploy(id);
    const statuses = [];
    for (let call = 0; call < 2; call += 1) statuses.push((await api.post("/score", '{"size":1}')).status);
    expect(statuses).toEqual([200, 429]);
  });

  it("is refused with a deployment that does not exist, and a deployment without methods or integrations", async () => {
    const { id: restApi, rootResourceId: resourceId } = await api.add("RestApi", "empty", {});
    await expect(api.add("Stage", "s", { restApi, deployment: "d", stageName: "v1" })).rejects.toThrow(
      /deployment d of API \w+ does not exist/,
    );
    await expect(api.add("Deployment", "d", { restApi })).rejects.toThrow("The REST API doesn't contain any methods.");
    await api.add("Method", "m", { restApi, resourceId, httpMethod: "POST", authorization: "NONE" });
    await expect(api.add("Deployment", "d", { restApi })).rejects.toThrow(/No integration defined for method \w+ POST/);
  });
});

describe("what a call leaves behind", () => {
  it("is an access log line and metrics", async () => {
    await api.standard();
    await api.post("/score", '{"size":1}');
    await api.post("/score", "{}");
    expect(api.logs).toEqual(["200 POST /score - -", "400 POST /score BAD_REQUEST_BODY -"]);
    expect(api.metrics).toEqual(
      expect.arrayContaining(["Count 1", "4XXError 1", "5XXError 0", "Latency ms", "IntegrationLatency ms"]),
    );
  });
});

describe("several APIs", () => {
  it("are told apart by the id in the path", async () => {
    await api.standard();
    const second = await api.add("RestApi", "second", {});
    const route = { restApi: second.id, resourceId: second.rootResourceId, httpMethod: "POST" };
    await api.add("Method", "root", { ...route, authorization: "NONE" });
    await api.add("Integration", "root", { ...route, ...toFunction });
    const deployment = await api.add("Deployment", "second", { restApi: second.id });
    const stage = await api.add("Stage", "second", { restApi: second.id, deployment: deployment.id, stageName: "v1" });
    expect(String(stage.invokeUrl)).toMatch(new RegExp(`/${String(second.id)}/v1$`));
    expect((await told(await fetch(`${String(stage.invokeUrl)}/score`, { method: "POST" }))).type).toBe(
      "MissingAuthenticationTokenException",
    );
  });
});

describe("the socket", () => {
  it("survives a client that hangs up in the middle of its request", async () => {
    await api.standard();
    const { port } = new URL(api.url);
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), "127.0.0.1", () => {
        socket.write("POST /v1/score HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf", () => {
          socket.destroy();
          resolve();
        });
      });
    });
    expect((await api.post("/score", '{"size":1}')).status).toBe(200);
  });
});
