import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { expect, it } from "vitest";
import { itemBytes } from "../../../functions/shared/item-size";

it.each([
  ["a text, by its bytes of UTF-8", { S: "Zürich" }, 7],
  ["a number, two digits a byte", { N: "1234567" }, 5],
  ["zeros at both ends of a number, not at all", { N: "-0.0012300" }, 3],
  ["an exponent, not at all", { N: "1e-7" }, 2],
  ["zero", { N: "0" }, 2],
  ["bytes as they are", { B: new Uint8Array(10) }, 10],
  ["a yes or no", { BOOL: true }, 1],
  ["null", { NULL: true }, 1],
  ["an empty list", { L: [] }, 3],
  ["a list, one byte more an element", { L: [{ S: "ab" }, { N: "1" }] }, 3 + 1 + 2 + 1 + 2],
  ["a map, its names and one byte more a member", { M: { ab: { S: "c" } } }, 3 + 1 + 2 + 1],
  ["sets of texts, numbers and bytes", { SS: ["ab", "c"] }, 3],
  ["a set of numbers", { NS: ["1", "23"] }, 4],
  ["a set of bytes", { BS: [new Uint8Array(2), new Uint8Array(3)] }, 5],
])("counts %s", (_, value, bytes) => {
  expect(itemBytes({ name: value as AttributeValue })).toBe(4 + bytes);
});
