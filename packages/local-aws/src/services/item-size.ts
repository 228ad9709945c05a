/** What DynamoDB bills by: sizes by the rules of its developer guide, "DynamoDB item sizes and formats". */

export const WRITE_UNIT_BYTES = 1024;
export const READ_UNIT_BYTES = 4096;

/** For every list and map, and for every element. */
const CONTAINER_BYTES = 3;
const ELEMENT_BYTES = 1;

type WireItem = Readonly<Record<string, unknown>>;

/** Bytes of an item as it comes over the wire, where binary values are base64. */
export function itemBytes(item: WireItem): number {
  return sum(Object.entries(item), ([name, value]) => Buffer.byteLength(name) + valueBytes(Object(value)));
}

/** An attribute value has one member, its type; the endpoint has checked it by now. */
function valueBytes(value: WireItem): number {
  const [[type, content] = ["", undefined]] = Object.entries(value);
  const list: readonly unknown[] = Array.isArray(content) ? content : [];
  switch (type) {
    case "S":
      return Buffer.byteLength(String(content));
    case "N":
      return numberBytes(content);
    case "B":
      return base64Bytes(content);
    case "L":
      return CONTAINER_BYTES + sum(list, (element) => ELEMENT_BYTES + valueBytes(Object(element)));
    case "M":
      return CONTAINER_BYTES + Object.keys(Object(content)).length * ELEMENT_BYTES + itemBytes(Object(content));
    case "SS":
      return sum(list, (element) => Buffer.byteLength(String(element)));
    case "NS":
      return sum(list, numberBytes);
    case "BS":
      return sum(list, base64Bytes);
    default:
      // NULL and BOOL.
      return 1;
  }
}

const base64Bytes = (content: unknown): number => Buffer.byteLength(String(content), "base64");

/** The guide calls its rule approximate: a byte for two significant digits, and one more. Zeros at both ends count nothing. */
function numberBytes(content: unknown): number {
  const digits = String(content)
    .replace(/e.*$/i, "")
    .replace(/\D/g, "")
    .replace(/^0+|0+$/g, "");
  return 1 + Math.max(1, Math.ceil(digits.length / 2));
}

const sum = <T>(values: readonly T[], bytes: (value: T) => number): number =>
  values.reduce((total, value) => total + bytes(value), 0);
