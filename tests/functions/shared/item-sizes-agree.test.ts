import { itemBytes } from "@risk/local-aws/testing";
import { expect, it } from "vitest";
import { itemBytes as plannedBytes } from "../../../functions/shared/item-size";

const base64 = (length: number) => Buffer.alloc(length, 7).toString("base64");

it("agrees with the local table about the size of an item", () => {
  const shared = {
    näme: { S: "Zürich" },
    digits: { N: "1234567" },
    zeros: { N: "-0.0012300" },
    exponent: { N: "1e-7" },
    zero: { N: "0" },
    flag: { BOOL: true },
    nothing: { NULL: true as const },
    texts: { SS: ["ab", "ü"] },
    numbers: { NS: ["1", "23"] },
    empty: { L: [] },
    list: { L: [{ S: "ab" }, { M: { inner: { N: "12" } } }] },
  };
  const planned = { ...shared, bytes: { B: Buffer.alloc(10, 7) }, sets: { BS: [Buffer.alloc(2, 7), Buffer.alloc(3, 7)] } };
  const wire = { ...shared, bytes: { B: base64(10) }, sets: { BS: [base64(2), base64(3)] } };
  expect(itemBytes(wire)).toBe(plannedBytes(planned));
});
