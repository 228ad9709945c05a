import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { stackGraph } from "@risk/local-aws";
import { Iam } from "@risk/local-aws/permissions";
import { CredentialStore, createServices, physicalName } from "@risk/local-aws/testing";
import { ResourceTypes } from "@risk/program-graph";
import { afterAll, describe, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "names-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const [region, accountId] = ["us-east-1", "000000000000"];
const db = new DatabaseSync(":memory:");
const { bodies } = createServices({
  context: { region, accountId, endpointUrl: "http://127.0.0.1:0", db, dataDir: folder, clock: Date, log: () => undefined },
  iam: new Iam(accountId, region),
  credentials: new CredentialStore(db, accountId),
  apiPort: 0,
  durable: false,
  databaseRolesOf: () => [],
});
const registry = new ResourceTypes(bodies);

const outputs = (type: string, name: string, inputs: Record<string, unknown> = {}) => {
  const body = registry.get(type);
  if (body === undefined) throw new Error(`no body for ${type}`);
  return body.outputs({ name, inputs, region, accountId });
};

describe("names that the provider makes", () => {
  it("are the logical name and seven hexadecimal digits, always the same", () => {
    expect(outputs("aws:sqs/queue:Queue", "dead").state.name).toMatch(/^dead-[0-9a-f]{7}$/);
    expect(outputs("aws:sqs/queue:Queue", "dead")).toEqual(outputs("aws:sqs/queue:Queue", "dead"));
    expect(physicalName({ field: "name", maxLength: 80 }, "dead", {}, "0123abc")).toBe("dead-0123abc");
  });

  it.each([
    ["aws:s3/bucket:Bucket", "Raw-Events", {}, /^raw-events-[0-9a-f]{7}$/],
    ["aws:kms/alias:Alias", "data-key", {}, /^alias\/data-key-[0-9a-f]{7}$/],
    ["aws:iam/role:Role", "loader", { namePrefix: "load-" }, /^load-[0-9a-f]{26}$/],
  ])("follow the rules of %s", (type, name, inputs, expected) => {
    const { state } = outputs(type, name, inputs);
    expect(state.bucket ?? state.name).toMatch(expected);
  });

  it.each(bodies.flatMap((body) => (body.autoName === undefined ? [] : [[body.type, body.autoName] as const])))(
    "are refused, not cut, when they are too long for %s",
    (type, rule) => {
      const fits = "a".repeat(Math.min(rule.maxLength, 255) - 8 - (rule.adapt?.("x", {}).length ?? 1) + 1);
      const tooLong = new RegExp(
        `${rule.field}: the generated name "\\S*${fits}a-.*limit is .*at most ${fits.length} characters`,
      );
      // A model's generated name is refused at any length.
      if (type !== "aws:apigateway/model:Model") outputs(type, fits);
      expect(() => outputs(type, `${fits}a`)).toThrow(tooLong);
      const explicit = `${rule.field}: "b+" has ${rule.maxLength + 1} characters, the limit is ${rule.maxLength}`;
      expect(() => outputs(type, "x", { [rule.field]: "b".repeat(rule.maxLength + 1) })).toThrow(new RegExp(explicit));
    },
  );
});

describe("names that the program gives", () => {
  it.each([
    ["aws:s3/bucket:Bucket", { bucket: "Raw_Events" }, 'bucket: "Raw_Events" is refused by the service'],
    ["aws:s3/bucket:Bucket", { bucket: "raw..events" }, 'bucket: "raw..events" is refused by the service'],
    ["aws:lambda/function:Function", { name: "score.v2" }, 'name: "score.v2" is refused by the service, which takes letters'],
    ["aws:iam/role:Role", { name: "a role" }, 'name: "a role" is refused by the service'],
    ["aws:apigateway/model:Model", { name: "lead-v1" }, 'name: "lead-v1" is refused by the service'],
    ["aws:kms/alias:Alias", { name: "data" }, "takes alias/"],
    ["aws:cloudwatch/dashboard:Dashboard", { dashboardName: "my board" }, 'dashboardName: "my board" is refused'],
    ["aws:sagemaker/modelPackageGroup:ModelPackageGroup", { modelPackageGroupName: "g".repeat(64) }, "the limit is 63"],
    ["aws:redshiftserverless/namespace:Namespace", { namespaceName: "Risk" }, 'namespaceName: "Risk" is refused'],
  ])("are refused by %s when the service would refuse them", (type, inputs, message) => {
    expect(() => outputs(type, "x", inputs)).toThrow(message);
  });

  it("are needed for an API's model, whose generated name would have a hyphen", () => {
    expect(() => outputs("aws:apigateway/model:Model", "lead")).toThrow(/name: "lead-[0-9a-f]{7}" is refused/);
  });
});

describe("the stacks", () => {
  it.each(["dev", "staging", "prod"])(
    "have no name over its type's limit in %s",
    async (stack) => {
      const graph = await stackGraph(process.cwd(), stack);
      const named = graph.resources.flatMap(({ type, name, state }) => {
        const rule = registry.get(type)?.autoName;
        return rule === undefined ? [] : [{ resource: `${type} ${name}`, rule, physical: String(state[rule.field]) }];
      });
      expect(named.length).toBeGreaterThan(200);
      const wrong = named.filter(
        ({ rule, physical }) =>
          physical.length > rule.maxLength || physical.length < 3 || rule.characters?.pattern.test(physical) === false,
      );
      expect(wrong).toEqual([]);
    },
    120_000,
  );
});

describe("the id of a resource", () => {
  it("stays the same when an input changes in place", async () => {
    const graph = await stackGraph(process.cwd(), "dev");
    const moved = graph.resources.flatMap(({ type, name, id, inputs }) => {
      const body = registry.get(type);
      if (body === undefined) return [];
      const inPlace = Object.keys(inputs).filter((field) => !body.replaceOn.includes(field));
      // A generated name is an input by the time that a provider changes anything.
      const { field = "name" } = body.autoName ?? {};
      const named = inPlace.filter((one) => one !== field);
      return named
        .filter((one) => outputs(type, name, { ...inputs, [one]: undefined }).id !== id)
        .map((one) => `${type} ${name}: ${one}`);
    });
    expect(moved).toEqual([]);
  }, 120_000);
});

describe("the bodies", () => {
  it.each(bodies.map((body) => [body.type, body] as const))("of %s only replace on inputs that they know", (_type, body) => {
    const known = [...body.honoured, ...Object.keys(body.cloudOnly)];
    expect(body.replaceOn.filter((field) => !known.includes(field))).toEqual([]);
  });
});
