import { describe, expect, it } from "vitest";
import { FILE_OPTIONS, fileOptions, givenPairs, MAPPING_OPTIONS, mappingOptions } from "../../../cli/ingest/file-options";
import { parseCommandLine } from "../../../cli/options";

const command = { usage: "", about: "", options: { ...FILE_OPTIONS, ...MAPPING_OPTIONS }, examples: [] };
const parsed = (...args: readonly string[]) => parseCommandLine(command, args);

describe("fileOptions", () => {
  it("are nothing unless they are given", () => {
    expect(fileOptions(parsed())).toEqual({});
    expect(mappingOptions(parsed())).toEqual({});
  });

  it("say how a file is read", () => {
    const args = "--format csv --encoding windows-1252 --delimiter tab --quote ' --header no --columns a,b".split(" ");
    expect(fileOptions(parsed(...args))).toEqual({
      format: "csv",
      encoding: "windows-1252",
      delimiter: "\t",
      quote: "'",
      header: false,
      columns: ["a", "b"],
    });
  });

  it("say where the fields are", () => {
    const args = [
      "--preset",
      "none",
      "--map",
      "amount=a",
      "--map",
      "user_id=u",
      "--id",
      "row",
      "--time",
      "t as D.M.YY",
      "--decimal",
      "comma",
    ];
    expect(mappingOptions(parsed(...args))).toEqual({
      preset: "none",
      map: [
        ["amount", "a"],
        ["user_id", "u"],
      ],
      id: "row",
      time: "t as D.M.YY",
      decimal: "comma",
    });
  });

  it.each([
    ["--format", "xlsx", "--format: expected csv, ndjson, json, avro, got"],
    ["--delimiter", ";;", "--delimiter: expected one ASCII character"],
    ["--quote", "«", "--quote: expected one ASCII character"],
    ["--header", "maybe", "--header: expected yes, no"],
  ])("refuse %s %s", (name, value, message) => {
    expect(() => fileOptions(parsed(name, value))).toThrow(message);
  });
});

describe("--map", () => {
  it.each([
    ["card_present=chip", [["card_present", "chip"]]],
    ["card_present:chip", [["card_present", "chip"]]],
    [
      "amount=amt, card_present = chip",
      [
        ["amount", "amt"],
        ["card_present", "chip"],
      ],
    ],
    ['{"card_present": "chip"}', [["card_present", "chip"]]],
  ])("understands %j", (option, pairs) => expect(givenPairs(option)).toEqual(pairs));

  it.each([
    ["amount=", "expected field=column"],
    ["nowhere.json", "nowhere.json"],
    ["{[]", "not JSON"],
    ["{}[].json", "--map {}[].json"],
  ])("refuses %s", (option, message) => expect(() => givenPairs(option)).toThrow(message));
});
