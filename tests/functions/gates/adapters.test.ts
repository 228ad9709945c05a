/** The adapters over real SDK clients, with the HTTP handler replaced: what goes over the wire is what is asserted. */
import { Readable } from "node:stream";
import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { S3Client } from "@aws-sdk/client-s3";
import { SSMClient } from "@aws-sdk/client-ssm";
import { HttpResponse } from "@smithy/core/protocols";
import { describe, expect, it } from "vitest";
import { createObjects, createParameters } from "../../../functions/gates/common/adapters";
import { textOf } from "../../../functions/gates/common/ports";
import { createHealthReader } from "../../../functions/gates/promotion/health";
import { EnvReader } from "../../../functions/shared/env";

interface Answer {
  readonly status?: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function wire(...answers: readonly Answer[]) {
  const seen: {
    readonly method: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  }[] = [];
  const requestHandler = {
    handle: async (request: { method: string; path: string; headers: Record<string, string>; body?: unknown }) => {
      const { body } = request;
      const text = body instanceof Uint8Array ? Buffer.from(body).toString("utf8") : typeof body === "string" ? body : "";
      seen.push({ method: request.method, path: request.path, headers: request.headers, body: text });
      const answer = answers[Math.min(seen.length, answers.length) - 1]!;
      return {
        response: new HttpResponse({
          statusCode: answer.status ?? 200,
          headers: { "content-type": "application/x-amz-json-1.1", ...answer.headers },
          body: Readable.from([Buffer.from(answer.body ?? "")]),
        }),
      };
    },
  };
  const config = { region: "us-east-1", credentials: { accessKeyId: "a", secretAccessKey: "b" }, maxAttempts: 1, requestHandler };
  return { seen, config };
}

describe("objects", () => {
  const objects = (...answers: readonly Answer[]) => {
    const { seen, config } = wire(...answers);
    return { seen, objects: createObjects(new S3Client(config), "bucket") };
  };

  it("gives the size, and distinguishes a missing object from a failure", async () => {
    const found = objects({ headers: { "content-length": "12" } });
    expect(await found.objects.size("a/b")).toBe(12);
    expect(found.seen[0]).toMatchObject({ method: "HEAD", path: "/a/b" });
    expect(await objects({ status: 404 }).objects.size("a")).toBeUndefined();
    await expect(objects({ status: 403 }).objects.size("a")).rejects.toThrow();
  });

  it("reads bytes and text", async () => {
    expect(await textOf(objects({ body: "hello" }).objects, "a")).toBe("hello");
    expect(await textOf(objects({ status: 404 }).objects, "a")).toBeUndefined();
    await expect(objects({ status: 403 }).objects.bytes("a")).rejects.toThrow();
  });

  it("writes", async () => {
    const { seen, objects: written } = objects({});
    await written.put("report/a.json", "{}", "application/json");
    expect(seen[0]).toMatchObject({ method: "PUT", path: "/report/a.json", headers: { "content-type": "application/json" } });
  });

  it("writes once: a taken key is left alone, a conflict is retried", async () => {
    const { seen, objects: written } = objects({ status: 409 }, { status: 412 });
    await written.putIfAbsent("models/x.rsm", Uint8Array.of(1), { profile: "fraud", name: "m" });
    expect(seen).toHaveLength(2);
    expect(seen[0]?.headers).toMatchObject({ "if-none-match": "*", "x-amz-meta-profile": "fraud", "x-amz-meta-name": "m" });
    await objects({}).objects.putIfAbsent("k", Uint8Array.of(1), {});
    await expect(objects({ status: 409 }).objects.putIfAbsent("k", Uint8Array.of(1), {})).rejects.toThrow();
    await expect(objects({ status: 403 }).objects.putIfAbsent("k", Uint8Array.of(1), {})).rejects.toThrow();
  });
});

describe("parameters", () => {
  const parameters = (...answers: readonly Answer[]) => {
    const { seen, config } = wire(...answers);
    return { seen, parameters: createParameters(new SSMClient(config)) };
  };
  const error = (type: string): Answer => ({ status: 400, body: JSON.stringify({ __type: type, message: "no" }) });

  it("reads the newest version, or an earlier one", async () => {
    const body = JSON.stringify({ Parameter: { Value: "{}", Version: 4, LastModifiedDate: 1_000 } });
    const { seen, parameters: store } = parameters({ body });
    expect(await store.read("/models/fraud")).toEqual({ text: "{}", version: 4, modifiedAtMs: 1_000_000 });
    await store.read("/models/fraud", 3);
    expect(seen.map((one) => JSON.parse(one.body).Name)).toEqual(["/models/fraud", "/models/fraud:3"]);
  });

  it("distinguishes a missing parameter from a failure", async () => {
    for (const type of ["ParameterNotFound", "ParameterVersionNotFound"]) {
      expect(await parameters(error(type)).parameters.read("/x")).toBeUndefined();
    }
    expect(await parameters({ body: '{"Parameter":{}}' }).parameters.read("/x")).toBeUndefined();
    await expect(parameters(error("AccessDeniedException")).parameters.read("/x")).rejects.toThrow("no");
  });

  it("writes a new version and returns its number", async () => {
    const { seen, parameters: store } = parameters({ body: '{"Version":5}' });
    expect(await store.write("/models/fraud", "{}")).toBe(5);
    expect(JSON.parse(seen[0]!.body)).toEqual({ Name: "/models/fraud", Value: "{}", Overwrite: true });
  });
});

describe("health", () => {
  it("adds up what the functions of this stack reported in whole minutes since the canary", async () => {
    const sent: Record<string, unknown>[] = [];
    const client = new CloudWatchClient({ region: "us-east-1", credentials: { accessKeyId: "a", secretAccessKey: "b" } });
    client.middlewareStack.add(
      () => async (args) => {
        // The command's own input, before it is written in the service's protocol.
        sent.push(args.input as Record<string, unknown>);
        const MetricDataResults = [{ Id: "failures", Values: [1, 2] }, { Id: "refreshes" }];
        return { response: undefined, output: { $metadata: {}, MetricDataResults } };
      },
      { step: "initialize" },
    );
    const read = createHealthReader(
      () => client,
      { environment: "prod-a1", namespaces: { fraud: "RiskScoring" } },
      () => Date.UTC(2026, 10, 21, 3, 9, 30),
    );
    expect(await read("fraud", "m", Date.UTC(2026, 10, 21, 3, 4, 50))).toEqual({ modelFailures: 3, refreshFailures: 0 });
    expect(sent[0]).toMatchObject({
      StartTime: new Date("2026-11-21T03:04:00Z"),
      EndTime: new Date("2026-11-21T03:10:00Z"),
      MetricDataQueries: [
        {
          Id: "failures",
          MetricStat: {
            Metric: {
              Namespace: "RiskScoring",
              MetricName: "ModelFailures",
              Dimensions: [
                { Name: "Environment", Value: "prod-a1" },
                { Name: "Profile", Value: "fraud" },
                { Name: "Model", Value: "m" },
              ],
            },
            Period: 60,
            Stat: "Sum",
          },
        },
        {
          MetricStat: {
            Metric: {
              MetricName: "ModelRefreshFailures",
              Dimensions: [
                { Name: "Environment", Value: "prod-a1" },
                { Name: "Profile", Value: "fraud" },
              ],
            },
          },
        },
      ],
    });
    expect(await read("lead", "m", 0)).toBeUndefined();
    expect(sent).toHaveLength(1);
  });
});

describe("texts of the environment", () => {
  const texts = (value?: string) => {
    const env = new EnvReader("f", value === undefined ? {} : { NAMES: value });
    const read = env.texts("NAMES");
    env.done();
    return read;
  };
  it("are a JSON object of texts", () => {
    expect(texts('{"fraud":"/models/fraud"}')).toEqual({ fraud: "/models/fraud" });
  });
  it.each([undefined, "{", "[]", "null", "5", '{"fraud":1}'])("%j is refused with what was expected", (value) => {
    expect(() => texts(value)).toThrow(/environment variable NAMES (is missing|must be a JSON object of texts, got)/);
  });
});
