import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { copyStackFiles } from "@risk/local-aws/provider";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseEngineArguments } from "../../cli/engine";
import { announceProvider, runningProvider } from "../../cli/running-provider";

describe("npm run engine", () => {
  it("keeps its own options and passes the others to pulumi", () => {
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

  it("follow the project and keep the salt of their own backend, never that of another", () => {
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

  it("contain encrypted values as given in variables, and are not written without them", () => {
    const folder = join(project, "secure");
    write("config:\n  risk:fraud:\n    # why\n    x:\n      secure: v1:abc\n    y: 1\n");
    expect(() => copyStackFiles(project, "dev", folder, {})).toThrow(
      /Pulumi\.dev\.yaml:\n {2}- risk:fraud\.x: is encrypted .* set PULUMI_CONFIG_RISK_FRAUD_X to the value for this machine\./,
    );
    const { configFile } = copyStackFiles(project, "dev", folder, { PULUMI_CONFIG_RISK_FRAUD_X: "plain" });
    expect(readFileSync(configFile, "utf8")).toBe("config:\n  risk:fraud:\n    # why\n    x: plain\n    y: 1\n");
  });
});

describe("the provider that another process announced", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "provider-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const notices: string[] = [];
  const find = () => runningProvider(join(folder, "provider.json"), (line) => notices.push(line));

  it("is used while its process is alive and its port answers", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const withdraw = announceProvider(join(folder, "provider.json"), port);
    expect(await find()).toEqual({ port, pid: process.pid });
    await new Promise((resolve) => server.close(resolve));
    expect(await find()).toBeUndefined();
    withdraw();
    expect(await find()).toBeUndefined();
    expect(notices).toEqual([]);
  });

  it.each(["", "{", "null", "7", '{"port":1}', '{"port":"1","pid":1}', '{"port":70000,"pid":1}', '{"port":1,"pid":-1}'])(
    "is ignored, with a notice, if the file contains %j",
    async (text) => {
      writeFileSync(join(folder, "provider.json"), text);
      notices.length = 0;
      expect(await find()).toBeUndefined();
      expect(notices).toEqual([expect.stringMatching(/provider\.json: expected \{"port": …, "pid": …\}.* It is ignored/)]);
    },
  );
});
