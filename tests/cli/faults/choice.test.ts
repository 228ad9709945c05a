/** `--faults` and `--seed`: presets, files, and what is wrong with them. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readFaultSchedule } from "@risk/local-aws";
import { afterAll, describe, expect, it } from "vitest";
import { chosenFaults, faultOptions } from "../../../cli/faults/choice";
import { PRESETS } from "../../../cli/faults/presets";
import { announcement, injectedText } from "../../../cli/faults/report";
import { parseCommandLine, UsageError } from "../../../cli/options";

const folder = mkdtempSync(join(tmpdir(), "faults-"));
afterAll(() => rmSync(folder, { recursive: true }));

const choose = (...argv: string[]) =>
  chosenFaults(parseCommandLine({ usage: "", about: "", options: faultOptions, examples: [] }, argv));

const rules = [{ kind: "error", service: "s3", every: 4 }] as const;

describe("--faults", () => {
  it("is a preset or a file, with a seed", () => {
    const file = join(folder, "mine.json");
    writeFileSync(file, JSON.stringify({ rules }));
    expect(choose()).toBeUndefined();
    expect(choose("--faults", "slow")).toEqual({ name: "slow", seed: 1, schedule: PRESETS.slow });
    expect(choose("--faults", file, "--seed", "7")).toEqual({ name: file, seed: 7, schedule: { rules } });
  });

  it.each([
    [["--faults", "slwo"], /"slwo" is neither a file nor a preset\. Presets:\n {2}throttled .*\n {2}flaky /],
    [["--faults", "constructor"], /neither a file nor a preset/],
    [["--faults", "slow", "--seed", "x"], 'expected a whole number from 0 to 4294967295, got "x"'],
    [["--faults", "slow", "--seed", ""], 'got ""'],
    [["--seed", "1"], "--seed: only together with --faults"],
  ])("refuses %j and names the choices", (argv, message) => {
    expect(() => choose(...argv)).toThrow(UsageError);
    expect(() => choose(...argv)).toThrow(message);
  });

  it("refuses a file with a wrong field by its name", () => {
    const file = join(folder, "wrong.json");
    writeFileSync(file, JSON.stringify({ rules: [{ ...rules[0], evry: 1 }] }));
    expect(() => choose("--faults", file)).toThrow(UsageError);
    expect(() => choose("--faults", file)).toThrow("rules[0].evry: unknown field; expected one of kind, service");
  });
});

describe("presets", () => {
  it.each(Object.entries(PRESETS))("%s is a schedule that a file could hold, and says what it is for", (name, schedule) => {
    expect(readFaultSchedule(JSON.stringify(schedule), name)).toEqual(schedule);
    expect(schedule.description).toMatch(/\w/);
  });

  it("are in the documentation, each with its name, and the example there is valid", () => {
    const page = readFileSync("docs/local-runtime.md", "utf8");
    for (const [name, { description }] of Object.entries(PRESETS)) expect(page).toContain(`| \`${name}\` | ${description} |`);
    const example = /```json\n([\s\S]*?)```/.exec(page)?.[1] ?? "";
    expect(readFaultSchedule(example, "the example").rules.length).toBeGreaterThan(2);
  });
});

describe("the report", () => {
  const chosen = { name: "slow", seed: 3, schedule: { description: "calls take longer", rules } };

  it("says at the start what is injected, and with which seed", () => {
    expect(announcement(chosen)).toContain("(slow, seed 3): calls take longer.");
    expect(announcement({ ...chosen, schedule: { rules } })).toContain("(slow, seed 3). ");
  });

  it("counts at the end what was injected, by kind and action", () => {
    const injected = [
      { kind: "full-disk", target: "", count: 2 },
      { kind: "throttle", target: "dynamodb PutItem", count: 12 },
    ] as const;
    expect(injectedText(injected, chosen)).toBe(
      "Injected faults (slow, seed 3):\n  12 × throttle dynamodb PutItem\n   2 × full-disk\n",
    );
    expect(injectedText([], chosen)).toContain("none");
  });
});
