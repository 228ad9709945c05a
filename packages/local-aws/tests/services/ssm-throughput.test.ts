/** The rate at which an account reads parameters, as the endpoint keeps it. */
import {
  GetParameterCommand,
  GetParameterHistoryCommand,
  GetParametersCommand,
  PutParameterCommand,
  SSMClient,
} from "@aws-sdk/client-ssm";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type SmallPlatform, smallPlatform } from "../endpoint/small-platform";

let platform: SmallPlatform;
let ssm: SSMClient;
let second = 0;
beforeAll(async () => {
  // Time stands still, so that a slow machine sees the same bucket.
  platform = await smallPlatform(() => second * 1_000);
  ssm = new SSMClient(platform.client());
  for (const name of ["a", "b"]) await ssm.send(new PutParameterCommand({ Name: `/app/${name}`, Type: "String", Value: name }));
});
afterAll(() => platform.end());
beforeEach(() => {
  second += 10;
});

const many = () => ssm.send(new GetParametersCommand({ Names: ["/app/a", "/app/b"] }));
const one = () => ssm.send(new GetParameterCommand({ Name: "/app/a" }));
const times = async (count: number, call: () => Promise<unknown>) => {
  for (let index = 0; index < count; index++) await call();
};

describe("Parameter Store's throughput", () => {
  it("is 40 reads a second, those of several parameters counted once; the 41st is throttled, and a second later reads pass", async () => {
    await times(40, many);
    await expect(many()).rejects.toMatchObject({
      name: "ThrottlingException",
      message: "Rate exceeded",
      $metadata: { httpStatusCode: 400 },
    });
    second++;
    await times(40, many);
    await expect(many()).rejects.toThrow("Rate exceeded");
  });

  it("is shared by both ways to read, and by every caller of the account", async () => {
    const statements = [{ Effect: "Allow", Action: "ssm:GetParameters", Resource: "*" }];
    const role = new SSMClient(platform.roleClient("reader", statements));
    await times(20, one);
    await times(20, many);
    for (const call of [one, many, () => role.send(new GetParametersCommand({ Names: ["/app/a"] }))]) {
      await expect(call()).rejects.toMatchObject({ name: "ThrottlingException" });
    }
  });

  it("does not hold for writes, for histories, nor for what the runtime itself reads", async () => {
    await times(40, many);
    await ssm.send(new PutParameterCommand({ Name: "/app/a", Value: "2", Overwrite: true }));
    await ssm.send(new GetParameterHistoryCommand({ Name: "/app/a" }));
    expect(platform.ssm.parameters.find("/app/a")?.value).toBe("2");
  });
});

describe("GetParameters", () => {
  it("names what isn't there instead of failing", async () => {
    const { Parameters, InvalidParameters } = await ssm.send(
      new GetParametersCommand({ Names: ["/app/b", "/app/none", "/app/b:9"] }),
    );
    expect(Parameters?.map(({ Name, Value }) => [Name, Value])).toEqual([["/app/b", "b"]]);
    expect(InvalidParameters).toEqual(["/app/none", "/app/b:9"]);
  });

  it("takes ten names at most", async () => {
    const Names = Array.from({ length: 11 }, (_, index) => `/app/${index}`);
    await expect(ssm.send(new GetParametersCommand({ Names }))).rejects.toThrow("1 to 10 entries, got 11");
  });

  it("needs its own permission, on every name", async () => {
    const role = (name: string, Action: string, ...paths: string[]) =>
      new SSMClient(
        platform.roleClient(name, [
          { Effect: "Allow", Action, Resource: paths.map((tail) => `arn:aws:ssm:us-east-1:000000000000:parameter/app/${tail}`) },
        ]),
      );
    const call = (client: SSMClient) => client.send(new GetParametersCommand({ Names: ["/app/a", "/app/b"] }));
    await expect(call(role("one-way", "ssm:GetParameter", "a", "b"))).rejects.toThrow(
      /not authorized to perform: ssm:GetParameters on resource: .*parameter\/app\/a /,
    );
    await expect(call(role("half", "ssm:GetParameters", "a"))).rejects.toThrow(
      /ssm:GetParameters on resource: .*parameter\/app\/b /,
    );
    expect((await call(role("whole", "ssm:GetParameters", "a", "b"))).Parameters).toHaveLength(2);
  });
});
