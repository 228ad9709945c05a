import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { isResolvedArchive } from "../src/assets";
import { evaluate } from "../src/evaluate";
import { diff } from "../src/graph";
import { inDependencyOrder } from "../src/order";
import type { ResourceType } from "../src/resource";
import type { StackConfig } from "../src/stack-config";

const load = createRequire(join(process.cwd(), "package.json"));
const folder = mkdtempSync(join(tmpdir(), "engine-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const config = (values: Record<string, string> = {}): StackConfig => ({
  project: "proj",
  stack: "dev",
  values,
  secretKeys: [],
  region: "us-west-2",
});

const known = (type: string, honoured: string[]): ResourceType => ({
  type,
  honoured,
  cloudOnly: { tags: "labels for billing" },
  outputs: ({ name, inputs, region }) => ({
    id: name,
    state: { name: inputs.name ?? name, arn: `arn:aws:x:${region}::${name}` },
  }),
});

const types = [
  known("aws:ssm/parameter:Parameter", ["name", "type", "value"]),
  known("aws:kinesis/stream:Stream", ["name", "shardCount"]),
  known("aws:lambda/function:Function", ["code", "handler", "role", "runtime", "timeout"]),
];

const ssm = load("@pulumi/aws/ssm") as typeof import("@pulumi/aws/ssm/index.js");
const kinesis = load("@pulumi/aws/kinesis") as typeof import("@pulumi/aws/kinesis/index.js");
const lambda = load("@pulumi/aws/lambda") as typeof import("@pulumi/aws/lambda/index.js");
const pulumi = load("@pulumi/pulumi") as typeof import("@pulumi/pulumi");

const run = (program: string | (() => unknown), values: Record<string, string> = {}) =>
  evaluate({ config: config(values), program, projectDir: folder, types, accountId: "000000000000" });

const problemsOf = async (program: () => unknown): Promise<readonly string[]> => {
  const error: unknown = await run(program).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Error)) throw new Error("The evaluation succeeded.");
  return error.message.split("\n  - ").slice(1);
};

describe("evaluate", () => {
  it("records inputs, provider outputs, dependencies, secrets and options of every resource", async () => {
    const graph = await run(async () => {
      const stream = new kinesis.Stream("events", { shardCount: 2 }, { protect: true });
      const parameter = new ssm.Parameter(
        "policy",
        { type: "String", value: pulumi.secret(stream.arn) },
        { ignoreChanges: ["value"], parent: stream },
      );
      return { arn: stream.arn, hidden: pulumi.secret("s"), nested: { name: parameter.name } };
    });
    const stream = graph.resources.find(({ name }) => name === "events");
    const parameter = graph.resources.find(({ name }) => name === "policy");
    expect(graph.outputs).toEqual({ arn: "arn:aws:x:us-west-2::events", hidden: "s", nested: { name: "policy" } });
    expect(stream).toMatchObject({ inputs: { shardCount: 2 }, protect: true, state: { arn: "arn:aws:x:us-west-2::events" } });
    expect(parameter).toMatchObject({
      inputs: { type: "String", value: "arn:aws:x:us-west-2::events" },
      secretInputs: ["value"],
      ignoreChanges: ["value"],
      parent: stream?.urn,
    });
    expect(parameter?.dependsOn).toContain(stream?.urn);
  });

  it("lists every unsupported type and every unknown field in one error", async () => {
    const problems = await problemsOf(() => {
      new kinesis.StreamConsumer("consumer", { streamArn: "arn" });
      new kinesis.Stream("events", { shardCount: 1, encryptionType: "KMS", kmsKeyId: "k", tags: { a: "b" } });
    });
    expect(problems).toEqual([
      "aws:kinesis/streamConsumer:StreamConsumer (consumer): this resource type has no local body.",
      'aws:kinesis/stream:Stream (events): the field "encryptionType" has no local effect and is not known to be cloud-only.',
      'aws:kinesis/stream:Stream (events): the field "kmsKeyId" has no local effect and is not known to be cloud-only.',
    ]);
  });

  it("keeps what the program warns of, instead of printing it", async () => {
    const printed: unknown[] = [];
    const { warn } = console;
    console.warn = (...parts: unknown[]) => void printed.push(...parts);
    try {
      const graph = await run(() => {
        void pulumi.log.warn("few units");
        console.warn("for whoever reads");
      });
      expect(graph.warnings).toEqual(["few units"]);
      expect(printed).toEqual(["for whoever reads"]);
      console.warn("again");
      expect(printed).toHaveLength(2);
    } finally {
      console.warn = warn;
    }
  });

  it("refuses a URN that is registered twice", async () => {
    const problems = await problemsOf(() => {
      new kinesis.Stream("events", { shardCount: 1 });
      new kinesis.Stream("events", { shardCount: 2 });
    });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/Stream::events: registered twice .*give one another name/);
  });

  it("reports a failed apply with the resource that waits for it", async () => {
    const problems = await problemsOf(() => {
      const broken = pulumi.output(1).apply((): string => {
        throw new Error("no such threshold");
      });
      new ssm.Parameter("policy", { type: "String", value: broken });
    });
    expect(problems).toEqual(['aws:ssm/parameter:Parameter (policy): error serializing property "value": no such threshold']);
  });

  it("reports a failed apply that nothing waits for", async () => {
    const problems = await problemsOf(() => {
      pulumi.output(1).apply(() => {
        throw new Error("lost");
      });
    });
    expect(problems).toEqual(["lost"]);
  });

  it("reports a program that throws, and the next evaluation is not affected", async () => {
    const problems = await problemsOf(() => {
      throw new Error("bad config");
    });
    expect(problems).toEqual(["bad config"]);
    const graph = await run(() => ({ ok: true }));
    expect(graph.outputs).toEqual({ ok: true });
  });

  it("names a provider function that isn't implemented locally", async () => {
    const problems = await problemsOf(async () => {
      await ssm.getParameter({ name: "x" });
    });
    expect(problems).toEqual(["aws:ssm/getParameter:getParameter: this provider function isn't implemented locally."]);
  });

  it("loads a program file anew with each evaluation's own config", async () => {
    const program = join(folder, "index.js");
    const pulumiPath = JSON.stringify(load.resolve("@pulumi/pulumi"));
    writeFileSync(
      program,
      `const pulumi = require(${pulumiPath}); exports.size = new pulumi.Config("proj").requireNumber("size"); exports.stack = pulumi.getStack();`,
    );
    const [one, two] = await Promise.all([run(program, { "proj:size": "1" }), run(program, { "proj:size": "2" })]);
    expect([one.outputs, two.outputs]).toEqual([
      { size: 1, stack: "dev" },
      { size: 2, stack: "dev" },
    ]);
  });

  it("resolves archives to bytes", async () => {
    writeFileSync(join(folder, "data.txt"), "from a file");
    const graph = await run(() => {
      new lambda.Function("fn", {
        role: "arn",
        handler: "i.handler",
        runtime: "nodejs24.x",
        code: new pulumi.asset.AssetArchive({
          "./i.js": new pulumi.asset.StringAsset("exports.handler = 1"),
          nested: new pulumi.asset.AssetArchive({ "data.txt": new pulumi.asset.FileAsset("data.txt") }),
        }),
      });
    });
    const code = graph.resources.find(({ name }) => name === "fn")?.inputs.code;
    if (!isResolvedArchive(code)) throw new Error("The code was not resolved to an archive.");
    expect(Object.fromEntries(Object.entries(code.files).map(([path, bytes]) => [path, bytes.toString()]))).toEqual({
      "i.js": "exports.handler = 1",
      "nested/data.txt": "from a file",
    });
  });
});

describe("diff", () => {
  const program = (threshold: string, extra: boolean) => () => {
    new ssm.Parameter("policy", { type: "String", value: threshold });
    new ssm.Parameter("secret", { type: "String", value: threshold }, { ignoreChanges: ["value"] });
    new kinesis.Stream(extra ? "b" : "a", { shardCount: 1 });
  };

  it("names added, removed and changed resources with the changed fields, without ignored ones", async () => {
    const difference = diff(await run(program("0.8", false)), await run(program("0.9", true)));
    expect(difference.added.map(({ name }) => name)).toEqual(["b"]);
    expect(difference.removed.map(({ name }) => name)).toEqual(["a"]);
    expect(difference.changed.map(({ after, fields }) => [after.name, fields])).toEqual([
      ["policy", [{ path: "value", before: "0.8", after: "0.9" }]],
    ]);
  });

  it("is empty for equal programs", async () => {
    const difference = diff(await run(program("1", true)), await run(program("1", true)));
    expect(difference).toEqual({ added: [], removed: [], changed: [] });
  });
});

describe("inDependencyOrder", () => {
  it("puts what is inside a component before what depends on the component", async () => {
    const graph = await run(() => {
      const component = new pulumi.ComponentResource("risk:x:Part", "part");
      const user = new kinesis.Stream("user", { shardCount: 1 }, { dependsOn: component });
      new ssm.Parameter("inner", { type: "String", value: "1" }, { parent: component });
      return { user: user.arn };
    });
    const names = inDependencyOrder(graph).map(({ name }) => name);
    expect(names.indexOf("inner")).toBeLessThan(names.indexOf("user"));
  });
});
