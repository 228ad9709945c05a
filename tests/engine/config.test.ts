/** Lines with `pulumi config …`, in messages and documents, are pasted into the real CLI. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readStackConfig } from "@risk/program-graph";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ConfigError, parseConfig } from "../../stacks/config";
import { ROOT } from "../helpers/recorder";
import { execute, startWorld, type World } from "./world";

let world: World;
beforeAll(async () => {
  world = await startWorld("dev");
});
afterAll(() => world?.stop());

const stackFile = () => join(world.projectDir, "Pulumi.dev.yaml");

/** Runs a line in the clone; answers what the CLI said when it refused. */
async function refusalOf(line: string): Promise<string> {
  const { status, stderr } = await execute("bash", ["-c", line], { cwd: world.projectDir, env: world.env });
  return status === 0 ? "" : stderr;
}

/** The clone's config as the CLI hands it to the program. */
async function values(): Promise<Record<string, string>> {
  const shown = await execute("pulumi", ["config", "--json", "--stack", "dev"], { cwd: world.projectDir, env: world.env });
  const entries = Object.entries(JSON.parse(shown.stdout) as Record<string, { readonly value: string }>);
  return Object.fromEntries(entries.map(([key, { value }]) => [key.includes(":") ? key : `risk:${key}`, value]));
}

function problems(config: Readonly<Record<string, string>>): readonly string[] {
  try {
    parseConfig("dev", config);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

it("hands the program what the local runtime reads from the same files", async () => {
  expect(parseConfig("dev", await values())).toEqual(parseConfig("dev", readStackConfig(ROOT, "dev").values));
});

it.each<readonly [string, ...string[]]>([
  ["pulumi config set --path risk:fraud.shards 0"],
  ["pulumi config set risk:fraud.shards 2"],
  ["pulumi config set --path risk:fraud.shrads 2"],
  ["pulumi config set risk:sufix x"],
  ["pulumi config set --path risk:warehouse.loadSchedule 'rate(1 minutes)'"],
  ["pulumi config set --path risk:fraud.policy.weights.impossible_travel 7"],
  ["pulumi config set --path risk:fraud.policy.weights.impossible_travle 0.7"],
  ["pulumi config set --path risk:churn.policy.bands.high 0"],
  ["pulumi config set --path risk:churn.policy.weigths.x 1"],
  ["pulumi config set risk:api iam"],
  ["pulumi config set --path risk:api.auth basic"],
  ["pulumi config set --path risk:lead.routeLogScore 97"],
  ["pulumi config set --path risk:fraud.maxRetries --stack dev -- -2"],
  ["pulumi config set --path risk:warehouse.loadSchedule ''"],
  [`pulumi config set --path 'risk:fraud["a.b"]' 1`],
  [`pulumi config set --path 'risk:fraud["a:b"]' 1`],
  [`pulumi config set --path 'risk:fraud[""]' 1`],
  [`pulumi config set --path 'risk:fraud["-d"]' 1`],
  [`pulumi config set --path 'risk:fraud["7"]' 1`],
  [`pulumi config set --path 'risk:fraud["br]k["]' 1`],
  [`pulumi config set --path 'risk:fraud["we ird'\\''x $HOME"]' 1`],
  [`pulumi config set --path 'risk:fraud["qu\\"te"]' 1`],
  [`pulumi config set --path 'risk:fraud["back\\s"]' 1`],
  [`pulumi config set --path 'risk:fraud.end\\' 1`],
  [`pulumi config set --path 'risk:fraud.policy.thresholds["a.b"]' 1`],
  [`pulumi config set --path 'risk:fraud.policy["it'\\''s"].x' 1`],
  [`pulumi config set 'risk:we ird'\\''x' 1`],
])("what is wrong after `%s` is mended by the line of its message", async (line) => {
  const good = readFileSync(stackFile(), "utf8");
  try {
    expect(await refusalOf(line.includes("--stack") ? line : `${line} --stack dev`)).toBe("");
    const found = problems(await values());
    expect(found).toHaveLength(1);
    const fix = /Fix: (.*)$/.exec(found[0] ?? "")?.[1] ?? "none";
    expect(await refusalOf(fix)).toBe("");
    expect(problems(await values())).toEqual([]);
  } finally {
    writeFileSync(stackFile(), good);
  }
});

it("every line of the documents is taken by the CLI and by the program", async () => {
  const documents = ["README.md", "CONTRIBUTING.md", ...readdirSync(join(ROOT, "docs")).map((name) => `docs/${name}`)];
  const text = documents.map((name) => readFileSync(join(ROOT, name), "utf8")).join("\n");
  const lines = [...new Set(text.match(/pulumi config (set|rm) [^`\n#]+/g))].map((line) => line.trim());
  expect(lines.length).toBeGreaterThan(5);
  const good = readFileSync(stackFile(), "utf8");
  for (const line of lines) {
    const ofThisStack = `${line.replace(/ --stack \w+/, "")} --stack dev`;
    expect([line, await refusalOf(ofThisStack)]).toEqual([line, ""]);
    expect([line, problems(await values())]).toEqual([line, []]);
    writeFileSync(stackFile(), good);
  }
});
