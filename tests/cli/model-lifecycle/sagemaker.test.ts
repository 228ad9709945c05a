import { InvokeEndpointCommand, SageMakerRuntimeClient } from "@aws-sdk/client-sagemaker-runtime";
import { FaultInjector, SageMakerRuntimeService } from "@risk/local-aws/testing";
import { loadTrees } from "@risk/tree-kernel";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { endpointModel } from "../../../cli/shipped-models";
import { type SmallPlatform, smallPlatform } from "../../../packages/local-aws/tests/endpoint/small-platform";
import { treeImage } from "../../helpers/tree-image";

const FEATURES = ["age", "balance", "products"];
const { bytes } = treeImage("churn-test", FEATURES);
const model = loadTrees(bytes);

let platform: SmallPlatform;
let sagemaker: SageMakerRuntimeService;
let client: SageMakerRuntimeClient;
beforeAll(async () => {
  platform = await smallPlatform();
  sagemaker = new SageMakerRuntimeService(platform.context);
  platform.endpoint.register(sagemaker);
  client = new SageMakerRuntimeClient(platform.client());
});
beforeEach(() => sagemaker.putEndpoint("churn", endpointModel(bytes)));
afterAll(async () => {
  client.destroy();
  await platform.end();
});

async function invoke(
  body: string,
  contentType = "text/csv",
  more: { Accept?: string; EndpointName?: string } = {},
  by = client,
) {
  const answer = await by.send(
    new InvokeEndpointCommand({ EndpointName: "churn", ContentType: contentType, Body: Buffer.from(body), ...more }),
  );
  return {
    text: Buffer.from(answer.Body ?? []).toString(),
    contentType: answer.ContentType,
    variant: answer.InvokedProductionVariant,
  };
}

const scoreOf = (...row: number[]) => model.predict(row)[0];

describe("InvokeEndpoint", () => {
  it("returns a line for each line of CSV; an empty cell is a missing value", async () => {
    const { text, contentType, variant } = await invoke("42,1000.5,2\n,0,1\n");
    expect(text.split("\n").map(Number)).toEqual([scoreOf(42, 1000.5, 2), scoreOf(Number.NaN, 0, 1)]);
    expect(contentType).toMatch(/^text\/csv/);
    expect(variant).toBe("AllTraffic");
  });

  it("returns predictions for JSON instances; null is a missing value", async () => {
    const { text, contentType } = await invoke('{"instances":[[42,1000.5,2],[null,0,1]]}', "application/json");
    expect(JSON.parse(text)).toEqual({ predictions: [{ score: scoreOf(42, 1000.5, 2) }, { score: scoreOf(Number.NaN, 0, 1) }] });
    expect(contentType).toBe("application/json");
  });

  it("answers in the type that the caller accepts", async () => {
    expect(JSON.parse((await invoke("1,2,3", "text/csv", { Accept: "application/json" })).text)).toEqual({
      predictions: [{ score: scoreOf(1, 2, 3) }],
    });
  });

  it("finds the model's features in the columns that are sent", async () => {
    sagemaker.putEndpoint("wide", endpointModel(bytes), ["products", "unused", "age", "balance"]);
    expect(Number((await invoke("3,9,1,2", "text/csv", { EndpointName: "wide" })).text)).toBe(scoreOf(1, 2, 3));
    expect(() => sagemaker.putEndpoint("narrow", endpointModel(bytes), ["age"])).toThrow(/needs balance, products/);
  });

  it.each([
    ["1,2", "text/csv", /expects 3 features a row, got 2/],
    ["1,2,x", "text/csv", /expects numbers, got "x"/],
    ["", "text/csv", /got no row/],
    ["{", "application/json", /not JSON/],
    ['{"rows":[]}', "application/json", /expects \{"instances": \[…\]\}/],
    ['{"instances":[{}]}', "application/json", /instances that are lists/],
    ['{"instances":[["1",2,3]]}', "application/json", /expects numbers, got "1"/],
    ["<row/>", "text/xml", /reads text\/csv and application\/json, got "text\/xml"/],
  ])("passes on the container's answer to %j as %s", async (body, contentType, message) => {
    await expect(invoke(body, contentType)).rejects.toMatchObject({
      name: "ModelError",
      message: expect.stringMatching(message),
    });
  });

  it("answers 400 for an endpoint that does not exist", async () => {
    await expect(invoke("1,2,3", "text/csv", { EndpointName: "other" })).rejects.toMatchObject({
      name: "ValidationError",
      $metadata: { httpStatusCode: 400 },
    });
  });

  it("is throttled by injected faults", async () => {
    platform.endpoint.injectFaults(new FaultInjector(1, [{ kind: "throttle", service: "sagemaker", probability: 1, times: 1 }]));
    await expect(invoke("1,2,3")).rejects.toMatchObject({ name: "ThrottlingException" });
    platform.endpoint.injectFaults(undefined);
  });

  it("needs sagemaker:InvokeEndpoint on this endpoint", async () => {
    const role = platform.roleClient("caller", [
      { Effect: "Allow", Action: "sagemaker:InvokeEndpoint", Resource: sagemaker.arnOf("churn") },
    ]);
    const caller = new SageMakerRuntimeClient(role);
    sagemaker.putEndpoint("other", endpointModel(bytes));
    expect((await invoke("1,2,3", "text/csv", {}, caller)).variant).toBe("AllTraffic");
    await expect(invoke("1,2,3", "text/csv", { EndpointName: "other" }, caller)).rejects.toMatchObject({
      name: "AccessDeniedException",
      message: expect.stringMatching(/sagemaker:InvokeEndpoint on resource: .*endpoint\/other/),
    });
    caller.destroy();
  });
});
