/** What SageMaker's List actions share: filters by name and time, order, pages. */
import type { Input } from "../messaging/input";
import { page } from "../messaging/operations";

export const LIST_FIELDS = [
  "CreationTimeAfter",
  "CreationTimeBefore",
  "LastModifiedTimeAfter",
  "LastModifiedTimeBefore",
  "NameContains",
  "SortBy",
  "SortOrder",
  "MaxResults",
  "NextToken",
];

const PAGE = 10;
const MAX_PAGE = 100;

export interface Listed {
  readonly name: string;
  readonly createdMs: number;
  readonly modifiedMs: number;
  readonly status?: string;
}

/** @param items oldest first */
export function listing<T extends Listed>(
  items: readonly T[],
  input: Input,
): { readonly items: readonly T[]; readonly NextToken?: string } {
  const sortBy = input.text("SortBy") ?? "CreationTime";
  const order = input.text("SortOrder") ?? "Ascending";
  const keys: Readonly<Record<string, (item: T) => string | number>> = {
    CreationTime: ({ createdMs }) => createdMs,
    Name: ({ name }) => name,
    Status: ({ status }) => status ?? "",
  };
  const key = keys[sortBy];
  if (key === undefined) throw input.error(`SortBy must be ${Object.keys(keys).join(", ")}, got '${sortBy}'`);
  if (order !== "Ascending" && order !== "Descending")
    throw input.error(`SortOrder must be Ascending or Descending, got '${order}'`);
  const within = (ms: number, name: string) =>
    ms > (input.time(`${name}After`) ?? -Infinity) && ms < (input.time(`${name}Before`) ?? Infinity);
  const found = items
    .filter(({ name }) => name.includes(input.text("NameContains") ?? ""))
    .filter(({ createdMs, modifiedMs }) => within(createdMs, "CreationTime") && within(modifiedMs, "LastModifiedTime"))
    // Stable: of equal keys the older item stays first.
    .sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
  if (order === "Descending") found.reverse();
  const { items: paged, nextToken } = page(found, input.text("NextToken"), input.integer("MaxResults", 1, MAX_PAGE) ?? PAGE);
  return { items: paged, ...(nextToken === undefined ? {} : { NextToken: nextToken }) };
}
