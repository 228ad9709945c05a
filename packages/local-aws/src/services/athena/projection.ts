/**
 * The partitions of a table that projects them: those that its parameters describe and that have objects. Athena lists each projected prefix;
 * one listing of the table's location finds the same objects. https://docs.aws.amazon.com/athena/latest/ug/partition-projection.html
 */
import type { CatalogTable } from "../glue/catalog";
import { s3Location } from "../jobs/role-s3";

export interface FileObject {
  readonly key: string;
  readonly size: number;
}

export interface FilePartition {
  /** Of the partition columns, in their order. */
  readonly values: readonly string[];
  readonly bucket: string;
  readonly objects: readonly FileObject[];
}

const DAY_MS = 86_400_000;

/** @param list objects of a bucket below a prefix */
export function partitionsOf(
  table: CatalogTable,
  nowMs: number,
  list: (bucket: string, prefix: string) => readonly FileObject[],
): FilePartition[] {
  const { bucket, key: prefix } = s3Location(table.location, `${table.name}: location`);
  const files = list(bucket, prefix).filter(({ key }) => isVisible(key.slice(prefix.length)));
  if (table.partitionKeys.length === 0) return [{ values: [], bucket, objects: files }];
  if (table.parameters["projection.enabled"] !== "true")
    throw new Error(
      `${table.name}: the local Athena reads partitions that are projected; set the parameter projection.enabled to "true".`,
    );
  const pattern = patternOf(table, prefix);
  const accepts = table.partitionKeys.map(({ name }) => acceptor(table, name, nowMs));
  const found = new Map<string, { readonly values: readonly string[]; readonly objects: FileObject[] }>();
  for (const file of files) {
    const values = pattern.exec(file.key)?.slice(1);
    if (values === undefined || !values.every((value, index) => accepts[index]?.(value))) continue;
    const id = JSON.stringify(values);
    const partition = found.get(id) ?? { values, objects: [] };
    partition.objects.push(file);
    found.set(id, partition);
  }
  return [...found.values()].map((partition) => ({ ...partition, bucket }));
}

/** Hive ignores files whose names begin with an underscore or a dot, and those of folders that do. */
const isVisible = (path: string): boolean => path !== "" && !path.endsWith("/") && !/(^|\/)[_.]/.test(path);

/** Keys of the table's objects, with a group for each partition column. */
function patternOf({ name, parameters, partitionKeys, location }: CatalogTable, prefix: string): RegExp {
  const template = parameters["storage.location.template"];
  const base = location.slice(0, location.length - prefix.length);
  // Without a template Athena expects Hive's names of folders.
  const path = template?.slice(base.length) ?? `${prefix}${partitionKeys.map((key) => `${key.name}=\${${key.name}}/`).join("")}`;
  if (template !== undefined && !template.startsWith(base))
    throw new Error(`${name}: storage.location.template must begin with the bucket of the location, ${base}.`);
  const columns = partitionKeys.map((key) => key.name);
  const order = [...path.matchAll(/\$\{(\w+)\}/g)].map(([, column]) => column);
  if (order.join() !== columns.join())
    throw new Error(`${name}: storage.location.template must name ${columns.join(", ")} in this order, got ${order.join(", ")}.`);
  const source = path.split(/\$\{\w+\}/).map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${source.join("([^/]+)")}`);
}

function acceptor({ name, parameters }: CatalogTable, column: string, nowMs: number): (value: string) => boolean {
  const parameter = (which: string) => parameters[`projection.${column}.${which}`];
  const type = parameter("type");
  if (type === "enum") {
    const values = new Set((parameter("values") ?? "").split(","));
    return (value) => values.has(value);
  }
  if (type !== "date" || parameter("format") !== "yyyy-MM-dd")
    throw new Error(
      `${name}: projection.${column}: the local Athena projects enum, and date with the format yyyy-MM-dd, got ${type} ${parameter("format") ?? ""}.`,
    );
  const [first = "", last = ""] = (parameter("range") ?? "")
    .split(",")
    .map((end) => dayOf(end.trim(), nowMs, `${name}: projection.${column}.range`));
  return (value) => /^\d{4}-\d\d-\d\d$/.test(value) && first <= value && value <= last;
}

/** `2026-03-01`, `NOW`, `NOW-730DAYS` */
function dayOf(text: string, nowMs: number, field: string): string {
  if (/^\d{4}-\d\d-\d\d$/.test(text)) return text;
  const [whole, sign, days = "0"] = /^NOW(?:([+-])(\d+)DAYS)?$/.exec(text) ?? [];
  if (whole === undefined) throw new Error(`${field}: the local Athena reads days, NOW and NOW-nDAYS, got ${text}.`);
  return new Date(nowMs + (sign === "-" ? -1 : 1) * Number(days) * DAY_MS).toISOString().slice(0, 10);
}
