import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseEngineArguments } from "../../../local/cli/engine";
import { copyStackFiles } from "../../../local/provider/stack-files";

describe("npm run engine", () => {
  it("keeps its own options and hands the others to pulumi", () => {
    expect(parseEngineArguments(["up", "--yes", "--stack", "staging", "--exit", "--target", "urn"])).toEqual({
      command: "up",
      stack: "staging",
      exit: true,
      rest: ["--yes", "--target", "urn"],
    });
    expect(parseEngineArguments(["preview", "--stack=prod"])).toMatchObject({ stack: "prod", rest: [] });
    expect(parseEngineArguments(["preview"])).toMatchObject({ stack: "dev", exit: false });
  });

  it.each([[[]], [["--help"]], [["up", "-h"]], [["help"]]])("%j asks for help", (argv) => {
    expect(parseEngineArguments(argv)).toBe("help");
  });

  it.each([
    [["deploy"], /Expected one of preview, up, refresh, destroy, serve, got "deploy"/],
    [["up", "--stack", "../x"], /--stack: expected the name of a stack, got "\.\.\/x"/],
    [["up", "--stack"], /--stack: expected the name of a stack, got ""/],
  ])("refuses %j", (argv, message) => {
    expect(() => parseEngineArguments(argv)).toThrow(message);
  });
});

describe("copies of the stack files", () => {
  let project: string;
  beforeAll(() => {
    project = mkdtempSync(join(tmpdir(), "stack-files-"));
    writeFileSync(join(project, "Pulumi.yaml"), "name: risk\n");
  });
  afterAll(() => rmSync(project, { recursive: true, force: true }));
  const write = (text: string) => writeFileSync(join(project, "Pulumi.dev.yaml"), text);

  it("follow the project, keep the salt of their own backend, and never take that of another", () => {
    const folder = join(project, "engine");
    mkdirSync(folder);
    write("config:\n  # why\n  risk:suffix: a1\nencryptionsalt: theirs\n");
    const { configFile } = copyStackFiles(project, "dev", folder);
    expect(readFileSync(configFile, "utf8")).toBe("config:\n  # why\n  risk:suffix: a1\n");
    writeFileSync(configFile, `${readFileSync(configFile, "utf8")}encryptionsalt: ours\n`);
    write("config:\n  # why\n  risk:suffix: b2\nencryptionsalt: theirs\n");
    copyStackFiles(project, "dev", folder);
    expect(readFileSync(configFile, "utf8")).toBe("config:\n  # why\n  risk:suffix: b2\nencryptionsalt: ours\n");
  });
});
