import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { Child } from "../../src/services/jobs/child";
import { RunControl } from "../../src/services/jobs/control";

const folder = mkdtempSync(join(tmpdir(), "process-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function host(script: string): { readonly child: Child; readonly lines: string[]; readonly said: Promise<void> } {
  const file = join(folder, "script.py");
  writeFileSync(file, script);
  const lines: string[] = [];
  let tell = (): void => undefined;
  const said = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const child = new Child({
    command: "python3",
    args: [join(process.cwd(), "packages/local-aws/python/job_host.py"), join(folder, "error.json"), file],
    cwd: folder,
    env: { PATH: process.env.PATH ?? "", PYTHONUNBUFFERED: "1" },
    onLines: (_, some) => {
      lines.push(...some);
      tell();
    },
  });
  return { child, lines, said };
}

describe("a Python host", () => {
  it("ends with the process that started it, whatever the script does", async () => {
    const { child, said } = host("import time\nprint('here')\ntime.sleep(600)");
    await said;
    // What the kernel does with the pipe when that process dies.
    child.input.destroy();
    expect(await child.exited).toEqual({ code: undefined, signal: "SIGKILL" });
  });

  it("gives the script an empty input and its own folder, and cuts no line", async () => {
    const { child, lines } = host(
      "import sys\nprint(repr(sys.stdin.read()), sys.path[0])\nprint('é' * 100_000)\nsys.stdout.write('no newline')",
    );
    expect(await child.exited).toEqual({ code: 0, signal: undefined });
    expect(lines).toEqual([`'' ${folder}`, "é".repeat(100_000), "no newline"]);
  });

  it("that cannot be started is an error", async () => {
    const child = new Child({ command: join(folder, "no-python"), args: [], cwd: folder, env: {}, onLines: () => undefined });
    await expect(child.exited).rejects.toThrow(/ENOENT/);
    expect(() => child.kill("SIGKILL")).not.toThrow();
  });
});

describe("the control of a run", () => {
  it("ends a process that it gets too late", async () => {
    const control = new RunControl(() => () => undefined, 0);
    control.end("stop");
    control.end("timeout");
    expect(() => control.check()).toThrow("The job was ended: stop.");
    const { child } = host("import time\ntime.sleep(600)");
    control.attach(child);
    expect((await child.exited).signal).toBe("SIGKILL");
  });
});
