import { describe, expect, it } from "vitest";
import { parseMapping, toRecord } from "../../../cli/ingest/mapping";
import type { Format } from "../../../cli/ingest/rows";

const schema = {
  required: ["transaction_id", "user_id", "amount"],
  properties: {
    transaction_id: { type: ["string", "integer"] },
    user_id: { type: ["string", "integer"] },
    amount: { type: "number" },
    timestamp: { type: ["string", "number"] },
    card_present: { type: ["boolean", "integer", "null"] },
  },
};
const columns = ["trans_num", "cc_num", "amt", "unix_time", "chip"];

describe("parseMapping", () => {
  it("maps well-known columns automatically", () => {
    expect(Object.fromEntries(parseMapping([], columns, schema))).toEqual({
      transaction_id: "trans_num",
      user_id: "cc_num",
      amount: "amt",
      timestamp: "unix_time",
    });
  });

  it.each([
    [["card_present=chip"]],
    [["card_present:chip"]],
    [["amount=amt,card_present=chip"]],
    [['{"card_present": "chip"}']],
    [["chip=card_present"]],
  ])("understands %j", (options) => {
    expect(parseMapping(options, columns, schema).get("card_present")).toBe("chip");
  });

  it("names every problem at once, with the columns there are", () => {
    const message = () => parseMapping(["amont=amt", "amount=amnt"], ["amt", "cc_num"], schema);
    expect(message).toThrow(/"amont" is not a field[\s\S]*no column "amnt"[\s\S]*Required and not mapped: transaction_id/);
  });

  it("rejects a mapping without a column", () => {
    expect(() => parseMapping(["amount="], columns, schema)).toThrow("expected field=column");
  });

  it("names a mapping file that does not exist", () => {
    expect(() => parseMapping(["nowhere.json"], columns, schema)).toThrow("nowhere.json");
  });
});

describe("toRecord", () => {
  const mapping = parseMapping(["card_present=chip"], columns, schema);
  const record = (cells: Record<string, unknown>, format: Format = "csv") => toRecord(cells, mapping, schema, format);

  it("keeps a long card number as text, to the last digit", () => {
    expect(record({ cc_num: "4992346398065154184" })).toEqual({ user_id: "4992346398065154184" });
  });

  it("converts only text that is a number or a boolean", () => {
    expect(record({ amt: "4.97", chip: "yes", unix_time: "1325376018" })).toEqual({
      amount: 4.97,
      card_present: true,
      timestamp: 1325376018,
    });
    expect(record({ amt: "4,97", chip: "maybe" })).toEqual({ amount: "4,97", card_present: "maybe" });
  });

  it("reads a time without a zone as UTC", () => {
    expect(record({ unix_time: "2019-01-01 00:00:18" })).toEqual({ timestamp: "2019-01-01T00:00:18Z" });
  });

  it("leaves out empty cells", () => {
    expect(record({ amt: "", cc_num: null, trans_num: " " })).toEqual({});
  });

  it("cuts blanks off the cells of CSV and keeps those of NDJSON, so that two ids stay two", () => {
    const cells = { trans_num: "mix-6 ", amt: " 4.5" };
    expect(record(cells)).toEqual({ transaction_id: "mix-6", amount: 4.5 });
    expect(record(cells, "ndjson")).toEqual({ transaction_id: "mix-6 ", amount: " 4.5" });
  });
});
