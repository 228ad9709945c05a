import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { pairsTable } from "../../controls/pairs-table";

describe("docs/controls.md", () => {
  it("shows the table of pairs that controls and local deliveries are evaluated with", () => {
    expect(readFileSync("docs/controls.md", "utf8")).toContain(pairsTable());
  });
});
