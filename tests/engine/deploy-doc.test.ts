/** What docs/deploy.md says, pasted as it stands; only the account is this machine. */
import { readFileSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { parse } from "yaml";
import { ROOT } from "../helpers/recorder";
import { execute, startWorld, type World } from "./world";

let world: World;
beforeAll(async () => {
  world = await startWorld("dev", { select: false });
});
afterAll(() => world?.stop());

/** The first shell block of the document. */
function deployment(): string {
  const found = /```sh\n([\s\S]*?)```/.exec(readFileSync(join(ROOT, "docs", "deploy.md"), "utf8"))?.[1];
  if (found === undefined) throw new Error("docs/deploy.md has no shell block.");
  return found;
}

const configOf = (folder: string): unknown =>
  (parse(readFileSync(join(folder, "Pulumi.dev.yaml"), "utf8")) as { readonly config: unknown }).config;

it("ends in a running stack, and changes nothing in the stack file but what it sets", async () => {
  const before = readFileSync(join(ROOT, "Pulumi.dev.yaml"), "utf8");
  // npm ci makes the packages of the clone itself.
  unlinkSync(join(world.projectDir, "node_modules"));
  const { status, stdout, stderr } = await execute("bash", ["-euo", "pipefail", "-c", deployment()], {
    cwd: world.projectDir,
    // The lines ask a person to confirm the update.
    env: { ...world.env, PULUMI_SKIP_CONFIRMATIONS: "true" },
  });
  expect(`${stdout}\n${stderr}`).toMatch(/\+ \d+ created/);
  expect(status).toBe(0);
  const after = readFileSync(join(world.projectDir, "Pulumi.dev.yaml"), "utf8");
  const changed = after.split("\n").filter((line) => !before.split("\n").includes(line));
  expect(changed).toEqual([
    "  risk:suffix: x7",
    "  risk:notificationEmail: you@example.com",
    expect.stringMatching(/^encryptionsalt: /),
  ]);
  expect(configOf(world.projectDir)).toEqual({
    ...(configOf(ROOT) as object),
    "risk:suffix": "x7",
    "risk:notificationEmail": "you@example.com",
  });
});
