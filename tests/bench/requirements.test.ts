import { describe, expect, it } from "vitest";
import { check, verdict } from "../../bench/requirements";
import type { Requirement } from "../../bench/types";

const result = { ours: 2, peers: { slow: 40, parts: 1 }, note: "" };
const judge = (requirement: Requirement, better: "lower" | "higher" = "lower") =>
  check(requirement, { unit: "ms", better }, result);

describe("check", () => {
  it("compares ours with a limit in the benchmark's unit", () => {
    expect(judge({ atMost: 2 })).toEqual({ required: "≤ 2 ms", measured: "2.00 ms", met: true });
    expect(judge({ atMost: 1.5 }).met).toBe(false);
    expect(judge({ atLeast: 2 })).toEqual({ required: "≥ 2 ms", measured: "2.00 ms", met: true });
    expect(judge({ atLeast: 2.5 }).met).toBe(false);
  });

  it("compares a peer with ours, in the unit's direction", () => {
    expect(judge({ peer: "slow", times: 20 })).toEqual({ required: "≥ 20× faster than slow", measured: "20.0×", met: true });
    expect(judge({ peer: "slow", times: 21 }).met).toBe(false);
    expect(judge({ peer: "slow", times: 1.5 }, "higher")).toMatchObject({ measured: "0.05×", met: false });
  });

  it("reads a factor below one as what ours may cost of the peer", () => {
    expect(judge({ peer: "parts", times: 1 / 2.5 })).toEqual({ required: "≤ 2.5× parts", measured: "2.00×", met: true });
    expect(judge({ peer: "parts", times: 1 / 1.5 }).met).toBe(false);
  });

  it("leaves open what was not measured", () => {
    const open = judge({ peer: "absent", times: 3 });
    expect(open).toEqual({ required: "≥ 3× faster than absent", measured: "–", met: null });
    expect(verdict(open)).toBe("not measured");
  });
});
