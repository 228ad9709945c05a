import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import type { Item } from "./attribute-values";

/** Bytes of an item that one write unit pays for; a read unit pays for four times as many. */
export const WRITE_UNIT_BYTES = 1024;
export const READ_UNIT_BYTES = 4096;

/** Overhead of every list and map, and of every element of one (DynamoDB developer guide, "DynamoDB item sizes and formats"). */
const CONTAINER_BYTES = 3;
const ELEMENT_BYTES = 1;

/**
 * Size of an item as DynamoDB bills it, in bytes: names and values by the rules of "DynamoDB item sizes and formats". The guide calls its
 * rule for numbers approximate: one byte per two significant digits, plus one.
 */
export function itemBytes(item: Item): number {
  let bytes = 0;
  for (const name in item) bytes += Buffer.byteLength(name) + valueBytes(item[name] as AttributeValue);
  return bytes;
}

function valueBytes(value: AttributeValue): number {
  if (value.S !== undefined) return Buffer.byteLength(value.S);
  if (value.N !== undefined) return numberBytes(value.N);
  if (value.B !== undefined) return value.B.byteLength;
  if (value.L !== undefined) return sum(value.L, (element) => ELEMENT_BYTES + valueBytes(element)) + CONTAINER_BYTES;
  if (value.M !== undefined) {
    const { M: members } = value;
    return itemBytes(members) + Object.keys(members).length * ELEMENT_BYTES + CONTAINER_BYTES;
  }
  if (value.SS !== undefined) return sum(value.SS, (element) => Buffer.byteLength(element));
  if (value.NS !== undefined) return sum(value.NS, numberBytes);
  if (value.BS !== undefined) return sum(value.BS, (element) => element.byteLength);
  // Null or a boolean.
  return 1;
}

const [ZERO, NINE, UPPER_E, LOWER_E] = [48, 57, 69, 101];

/** Leading and trailing zeros don't count. */
function numberBytes(text: string): number {
  let digits = 0;
  let significant = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === LOWER_E || code === UPPER_E) break;
    if (code < ZERO || code > NINE || (digits === 0 && code === ZERO)) continue;
    digits++;
    if (code !== ZERO) significant = digits;
  }
  return 1 + Math.max(1, Math.ceil(significant / 2));
}

const sum = <T>(values: readonly T[], bytes: (value: T) => number): number =>
  values.reduce((total, value) => total + bytes(value), 0);
