import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { S3Client } from "@aws-sdk/client-s3";
import { SSMClient } from "@aws-sdk/client-ssm";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { models as validateModels } from "#validators";
import { PROFILES } from "../../../functions/scoring/profiles";
import { EnvReader } from "../../../functions/shared/env";
import { createLog } from "../../../functions/shared/log";
import { createMetrics } from "../../../functions/shared/metrics";
import { readModelEnvironment, wireModels } from "../../../functions/shared/model-wiring";
import { createParameterSource, parametersReader } from "../../../functions/shared/parameter-source";
import { treeImage } from "../../helpers/tree-image";

const IMAGE = treeImage("churn-trees-1", ["age", "balance"]);
const DOCUMENT = {
  chain: [
    { kind: "endpoint", name: "e", endpointName: "churn-e", contentType: "text/csv", timeoutMs: 5000, features: ["age", "male"] },
    IMAGE.ref,
  ],
};

/** SSM, S3 and the SageMaker runtime as far as a scoring function calls them. */
const requests: { readonly method: string; readonly url: string; readonly body: string }[] = [];
let parameter: string | undefined;
const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on("data", (part: Buffer) => parts.push(part));
  request.on("end", () => {
    const { method = "", url = "" } = request;
    requests.push({ method, url, body: Buffer.concat(parts).toString() });
    if (request.headers["x-amz-target"] === "AmazonSSM.GetParameters") {
      response.setHeader("Content-Type", "application/x-amz-json-1.1");
      response.end(
        JSON.stringify(
          parameter === undefined
            ? { Parameters: [], InvalidParameters: ["/models"] }
            : { Parameters: [{ Name: "/models", Value: parameter }], InvalidParameters: [] },
        ),
      );
    } else if (url.startsWith("/endpoints/churn-e/invocations")) {
      response.setHeader("Content-Type", "text/csv");
      response.end("0.25,0.75");
    } else if (url.startsWith(`/models/${IMAGE.ref.key}`)) response.end(IMAGE.bytes);
    else {
      response.statusCode = 404;
      response.end();
    }
  });
});

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  vi.stubEnv("AWS_ENDPOINT_URL", `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  for (const [name, value] of [
    ["AWS_REGION", "us-east-1"],
    ["AWS_ACCESS_KEY_ID", "id"],
    ["AWS_SECRET_ACCESS_KEY", "secret"],
  ] as const)
    vi.stubEnv(name, value);
});
afterAll(() => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  server.close();
});

const clock = { now: () => 0 };
function wire(environment: Record<string, string>) {
  const endpoint = process.env.AWS_ENDPOINT_URL ?? "";
  const config = { region: "us-east-1", endpoint, credentials: { accessKeyId: "id", secretAccessKey: "secret" } };
  const env = new EnvReader("test", environment);
  const values = readModelEnvironment(env);
  env.done();
  return wireModels({
    environment: values,
    parameters: createParameterSource({
      read: parametersReader(new SSMClient(config), [values.parameter]),
      ttlMs: 60_000,
      clock,
    }),
    s3: () => new S3Client({ ...config, forcePathStyle: true }),
    profile: PROFILES.churn,
    validateModels,
    clock,
    log: createLog("error", {}, () => {}),
    metrics: createMetrics("Test", {}, clock, () => {}),
  });
}

describe("models of a function's environment", () => {
  it("are undefined without MODELS_PARAMETER, and need a bucket with it", () => {
    expect(wire({})).toBeUndefined();
    expect(() => wire({ MODELS_PARAMETER: "/models" })).toThrow(/MODEL_BUCKET is missing/);
  });

  it("come from SSM and S3, and score on an endpoint with CSV rows", async () => {
    const environment = { MODELS_PARAMETER: "/models", MODEL_BUCKET: "models" };
    parameter = undefined;
    expect(await wire(environment)?.current()).toBeNull();
    parameter = JSON.stringify(DOCUMENT);
    const set = await wire(environment)?.current();
    expect(set?.chain.map(({ name, local }) => [name, local !== null])).toEqual([
      ["e", false],
      ["churn-trees-1", true],
    ]);
    const rows = new Float64Array(2 * PROFILES.churn.features.size);
    rows[PROFILES.churn.features.slot("age")] = 42;
    rows[PROFILES.churn.features.slot("male")] = Number.NaN;
    const out = new Float64Array(2);
    await set?.chain[0]?.model.scoreBatch(rows, 2, out);
    expect([...out]).toEqual([0.25, 0.75]);
    expect(requests.at(-1)).toMatchObject({ method: "POST", body: "42,\n0,0" });
  });
});
