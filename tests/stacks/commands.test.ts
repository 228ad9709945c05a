import { execFileSync } from "node:child_process";
import { array, assert, constantFrom, property, string } from "fast-check";
import { describe, expect, it } from "vitest";
import { quoted, removeCommand, setCommand } from "../../stacks/commands";

/** What a command is given by the shell. */
const wordsOf = (line: string): string[] =>
  execFileSync("sh", ["-c", `pulumi() { printf '%s\\0' "$@"; }; ${line}`], { encoding: "utf8" })
    .split("\0")
    .slice(0, -1);

/** Members of a property path, read as the CLI reads them (ParsePropertyPath of its SDK). */
function membersOf(path: string): string[] {
  const members: string[] = [];
  let rest = path;
  while (rest !== "") {
    const quotedName = /^\["((?:\\"|[^"])*?)"\]/s.exec(rest);
    const found = quotedName ?? /^\.?([^.[]*)/s.exec(rest);
    if (found === null || found[0] === "") throw new Error(`no path: ${rest}`);
    members.push(quotedName ? (found[1] ?? "").replaceAll('\\"', '"') : (found[1] ?? ""));
    rest = rest.slice(found[0].length);
  }
  return members;
}

/** Signs that mean something to the shell or to a path. */
const anyText = array(constantFrom(..."ab_1 .[]\"'\\$`\n!*#;&-é".split("")), { maxLength: 6 }).map((signs) => signs.join(""));

describe("lines of the CLI", () => {
  it("are words that a shell reads as intended", () => {
    assert(
      property(array(anyText, { minLength: 1, maxLength: 30 }), (texts) => {
        expect(wordsOf(`pulumi ${texts.map(quoted).join(" ")}`)).toEqual(texts);
      }),
      { numRuns: 30 },
    );
    const unicode = string({ unit: "grapheme", maxLength: 20 }).filter((text) => !text.includes("\0"));
    assert(
      property(unicode, (text) => {
        expect(wordsOf(`pulumi ${quoted(text)}`)).toEqual([text]);
      }),
      { numRuns: 20 },
    );
  });

  it("reach the member that they name, or say that no command can", () => {
    assert(
      property(array(anyText, { minLength: 1, maxLength: 3 }), (members) => {
        const line = removeCommand("dev", ["risk:fraud", ...members]);
        if (members.some((name) => name.endsWith("\\") && /[.[]/.test(name))) {
          expect(line).toBe("edit Pulumi.dev.yaml, since no path of the CLI leads to this name");
          return;
        }
        const [config, rm, option, path = "", ...stack] = wordsOf(line);
        expect([config, rm, option, ...stack]).toEqual(["config", "rm", "--path", "--stack", "dev"]);
        expect(path.slice(0, 10)).toBe("risk:fraud");
        expect(membersOf(path.slice(10))).toEqual(members);
      }),
      { numRuns: 60 },
    );
  });

  it("name a key without members as it is", () => {
    expect(removeCommand("dev", ["risk:fraud.shards"])).toBe("pulumi config rm risk:fraud.shards --stack dev");
    expect(setCommand("dev", ["risk:suffix"], "")).toBe("pulumi config set risk:suffix '' --stack dev");
  });
});
