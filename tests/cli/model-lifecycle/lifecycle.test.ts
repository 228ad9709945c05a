/** `npm run model` on a platform: real clients against the local endpoint, with generated models. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { isLifecycleAction, runLifecycle } from "../../../cli/model-lifecycle/main";
import { awsTarget, connectModels, type Target } from "../../../cli/model-lifecycle/target";
import type { Parsed } from "../../../cli/options";
import { PROFILES, type ProfileId } from "../../../functions/scoring/profiles";
import { type SmallPlatform, smallPlatform } from "../../../packages/local-aws/tests/endpoint/small-platform";
import { treeImage } from "../../helpers/tree-image";

const BUCKET = "models";
const FEATURES = PROFILES.churn.features.definitions.slice(0, 4).map(({ name }) => name);
const START = { chain: [{ kind: "logistic", name: "churn-logistic-1" }] };

let platform: SmallPlatform;
let target: Target;
let folder: string;
let run = 0;
beforeAll(async () => {
  platform = await smallPlatform();
  folder = mkdtempSync(join(tmpdir(), "lifecycle-"));
  for (const seed of [1, 2]) writeFileSync(join(folder, `churn-${seed}.rsm`), treeImage(`churn-${seed}`, FEATURES, seed).bytes);
  writeFileSync(join(folder, "alien.rsm"), treeImage("alien", ["age", "height"]).bytes);
});
afterAll(async () => {
  await platform.end();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  run += 1;
  const { region, endpoint, credentials } = platform.client();
  const parameter = (profile: ProfileId) => `/test-${run}/${profile}/models`;
  platform.s3.store.createBucket(`${BUCKET}-${run}`);
  for (const profile of ["lead", "churn", "fraud", "device"] as const) {
    const value = profile === "churn" ? START : { chain: [PROFILES[profile].defaultPolicy.model] };
    platform.ssm.parameters.put({ name: parameter(profile), type: "String", value: JSON.stringify(value) });
  }
  const modelsParameters = {
    lead: parameter("lead"),
    churn: parameter("churn"),
    fraud: parameter("fraud"),
    device: parameter("device"),
  };
  target = connectModels({ modelBucket: `${BUCKET}-${run}`, modelsParameters, region }, { endpoint, credentials });
});

/** Runs `model ACTION SUBJECT` with options; the profile is churn unless given. */
async function model(action: string, subject?: string, options: Readonly<Record<string, string | true>> = {}): Promise<string> {
  if (!isLifecycleAction(action)) throw new Error(`${action} is no action`);
  const given: Readonly<Record<string, string | true>> = { profile: "churn", ...options };
  const parsed: Parsed = {
    positionals: [action, ...(subject === undefined ? [] : [subject])],
    text: (name) => (typeof given[name] === "string" ? given[name] : undefined),
    list: () => [],
    flag: (name) => given[name] === true,
  };
  const lines: string[] = [];
  expect(await runLifecycle(target, action, parsed, (line) => lines.push(line))).toBe(0);
  return lines.join("\n");
}

const stored = (): unknown => JSON.parse(platform.ssm.parameters.find(`/test-${run}/churn/models`)?.value ?? "");
const version = () => platform.ssm.parameters.find(`/test-${run}/churn/models`)?.version;
const add = (seed: number) => model("add", join(folder, `churn-${seed}.rsm`));

describe("add", () => {
  it("uploads under the hash of the content, once", async () => {
    expect(await add(1)).toMatch(/^churn-1: 10 trees, at models\/churn\/[0-9a-f]{64}\.rsm/);
    await add(1);
    expect(platform.s3.list(`${BUCKET}-${run}`)).toHaveLength(1);
  });

  it("refuses other content under an existing name, and models whose features the profile lacks", async () => {
    await add(1);
    await expect(model("add", join(folder, "churn-2.rsm"), { name: "churn-1" })).rejects.toThrow(/choose a new name/);
    await expect(model("add", join(folder, "alien.rsm"))).rejects.toThrow(/feature "height" is not one of the profile's/);
  });
});

describe("promote", () => {
  it("makes the model champion, keeps the fallbacks, and prints how to go back", async () => {
    await add(1);
    await add(2);
    platform.ssm.parameters.put({
      name: `/test-${run}/churn/models`,
      type: "String",
      value: JSON.stringify({ chain: [{ kind: "rules-only" }, START.chain[0]] }),
      overwrite: true,
    });
    const said = await model("promote", "churn-1");
    expect(stored()).toMatchObject({ chain: [{ kind: "trees", name: "churn-1" }, START.chain[0]] });
    expect(said).toContain("ok  churn-1: 10 trees, content hash correct");
    expect(said).toContain("champion churn-1 (trees), then churn-logistic-1 (logistic)");
    expect(said).toContain("To go back to version 2: npm run model -- rollback --profile churn");
    await model("promote", "churn-2");
    expect(stored()).toMatchObject({ chain: [{ name: "churn-2" }, START.chain[0]] });
  });

  it("accepts built-in models, rules and endpoints", async () => {
    await model("promote", "endpoint:churn-prod", { format: "application/json", timeout: "120" });
    expect(stored()).toEqual({
      chain: [
        { kind: "endpoint", name: "churn-prod", endpointName: "churn-prod", contentType: "application/json", timeoutMs: 120 },
      ],
    });
    await model("promote", "rules");
    expect(stored()).toEqual({ chain: [{ kind: "rules-only" }] });
    await model("promote", "builtin");
    expect(stored()).toEqual(START);
  });

  it("removes the model from the challengers", async () => {
    await add(1);
    await model("challenge", "churn-1");
    await model("promote", "churn-1");
    expect(stored()).toEqual({ chain: [expect.objectContaining({ name: "churn-1" })] });
  });

  it("changes nothing for an unknown or damaged model", async () => {
    await add(1);
    await expect(model("promote", "churn-3")).rejects.toThrow(
      /churn: expected builtin, rules, churn-1 or endpoint:NAME, got "churn-3"/,
    );
    const [object] = platform.s3.list(`${BUCKET}-${run}`);
    await platform.s3.put(`${BUCKET}-${run}`, object?.key ?? "", "no model", { headers: { "x-amz-meta-name": "churn-1" } });
    await expect(model("promote", "churn-1")).rejects.toThrow(/is damaged; upload the model again/);
    expect(version()).toBe(1);
  });
});

describe("challenge and withdraw", () => {
  it("adds a challenger in shadow, gives it a share, and removes it", async () => {
    await add(1);
    expect(await model("challenge", "churn-1")).toContain("challenger   churn-1 (trees), in shadow");
    expect(await model("challenge", "churn-1", { percent: "10" })).toContain("answers 10 %, scores the others in shadow");
    expect(stored()).toMatchObject({ ...START, challengers: [{ model: { name: "churn-1" }, percent: 10 }] });
    await model("withdraw", "churn-1");
    expect(stored()).toEqual(START);
    await expect(model("withdraw", "churn-1")).rejects.toThrow(/no challenger "churn-1"; its challengers: none/);
  });

  it.each([
    ["percent", "101", /--percent: expected a number from 0 to 100, got "101"/],
    ["percent", "ten", /--percent/],
    ["format", "xml", /--format: expected text\/csv or application\/json/],
    ["profile", "credit", /--profile: expected lead, churn, fraud, device, got "credit"/],
  ])("refuses --%s %s", async (option, value, message) => {
    await expect(model("challenge", "rules", { [option]: value })).rejects.toThrow(message);
  });

  it("refuses the champion as its own challenger", async () => {
    await expect(model("challenge", "builtin")).rejects.toThrow(/name each model once/);
  });
});

describe("rollback", () => {
  it("goes back to the previous version, or to a given one", async () => {
    await expect(model("rollback")).rejects.toThrow(/never changed/);
    await model("promote", "rules");
    await model("promote", "endpoint:other");
    expect(await model("rollback")).toContain("champion rules only");
    expect(stored()).toEqual({ chain: [{ kind: "rules-only" }] });
    await model("rollback", undefined, { to: "1" });
    expect(stored()).toEqual(START);
    await expect(model("rollback", undefined, { to: "9" })).rejects.toThrow(/no version 9. Versions: 1, 2, 3, 4, 5/);
  });

  it("leaves the model no share of the answers after a canary", async () => {
    await model("challenge", "rules", { percent: "10" });
    await model("promote", "rules");
    await model("rollback");
    expect(stored()).toEqual(START);
  });

  it("works when the present document is unreadable", async () => {
    platform.ssm.parameters.put({ name: `/test-${run}/churn/models`, type: "String", value: "{", overwrite: true });
    await expect(model("promote", "rules")).rejects.toThrow(/Version 2 .* is not JSON; roll back with/);
    await model("rollback");
    expect(stored()).toEqual(START);
  });
});

describe("list", () => {
  it("shows champion, challengers and earlier versions", async () => {
    await add(1);
    await model("promote", "churn-1");
    await model("challenge", "builtin", { percent: "5" });
    const text = await model("list");
    expect(text).toContain(`churn  (/test-${run}/churn/models, version 3)`);
    expect(text).toMatch(/champion {5}churn-1 \(trees\)/);
    expect(text).toMatch(/challenger {3}churn-logistic-1 \(logistic\), answers 5 %/);
    expect(text).toMatch(/in the bucket {2}churn-1 {2}[0-9a-f]{12} {2}\d/);
    expect(text).toContain("before       version 1 churn-logistic-1, version 2 churn-1");
  });

  it("prints JSON of every profile", async () => {
    const states: unknown = JSON.parse(await model("list", undefined, { json: true, profile: "churn" }));
    expect(states).toEqual([
      {
        profile: "churn",
        parameter: `/test-${run}/churn/models`,
        version: 1,
        models: START,
        available: [],
        history: [{ version: 1, champion: "churn-logistic-1", changedAt: expect.stringMatching(/Z$/) }],
      },
    ]);
    const change: unknown = JSON.parse(await model("promote", "rules", { json: true }));
    expect(change).toMatchObject({ profile: "churn", version: 2, previousVersion: 1, verified: {} });
  });
});

describe("the stack on AWS", () => {
  it("is found through the outputs of the stack", () => {
    const file = join(folder, "outputs.json");
    const fix = /pulumi stack output --json > outputs\.json/;
    expect(() => awsTarget(undefined)).toThrow(fix);
    expect(() => awsTarget(join(folder, "none.json"))).toThrow(fix);
    writeFileSync(file, "{");
    expect(() => awsTarget(file)).toThrow(fix);
    writeFileSync(file, JSON.stringify({ modelBucket: "b", region: "us-east-1", modelsParameters: { lead: "/l", churn: "/c" } }));
    expect(() => awsTarget(file)).toThrow(/has no fraud/);
    writeFileSync(
      file,
      JSON.stringify({
        modelBucket: "b",
        region: "us-east-1",
        modelsParameters: { lead: "/l", churn: "/c", fraud: "/f", device: "/d" },
      }),
    );
    const named = awsTarget(file);
    expect(named).toMatchObject({ bucket: "b", parameters: { fraud: "/f" } });
    named.close();
  });
});
