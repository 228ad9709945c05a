/** Whether a value is an object in the sense of JSON: neither an array nor null. */
export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The JSON text of `members` and one more, whose value is JSON text already: parsing it only to write it again would be waste. */
export function withJsonMember(members: Readonly<Record<string, unknown>>, name: string, json: string): string {
  const text = JSON.stringify(members);
  const before = text === "{}" ? "{" : `${text.slice(0, -1)},`;
  return `${before}${JSON.stringify(name)}:${json}}`;
}
