/** The evaluated program: its resources and stack outputs, and what differs between two evaluations. */
import { isDeepStrictEqual } from "node:util";
import { isResolvedArchive, isResolvedAsset } from "./assets";
import type { GraphResource } from "./resource";
import { isRecord } from "./values";

export interface Graph {
  readonly project: string;
  readonly stack: string;
  /** In the order of registration; components included. */
  readonly resources: readonly GraphResource[];
  readonly byUrn: ReadonlyMap<string, GraphResource>;
  /** Stack outputs, secrets in plain text. */
  readonly outputs: Readonly<Record<string, unknown>>;
  /** Warnings of the program, as a preview shows them. */
  readonly warnings: readonly string[];
}

interface FieldChange {
  /** `environment.variables.PROFILE`, `rules[0].prefix`. */
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

interface GraphDiff {
  readonly added: readonly GraphResource[];
  readonly removed: readonly GraphResource[];
  readonly changed: readonly { before: GraphResource; after: GraphResource; fields: readonly FieldChange[] }[];
}

/** What differs between two evaluations, by URN; inputs listed in `ignoreChanges` are left out. */
export function diff(before: Graph, after: Graph): GraphDiff {
  const changed = [];
  for (const resource of after.resources) {
    const previous = before.byUrn.get(resource.urn);
    if (previous === undefined) continue;
    const fields = fieldChanges(previous.inputs, resource.inputs).filter(({ path }) => !isIgnored(path, resource.ignoreChanges));
    if (fields.length > 0) changed.push({ before: previous, after: resource, fields });
  }
  return {
    added: after.resources.filter(({ urn }) => !before.byUrn.has(urn)),
    removed: before.resources.filter(({ urn }) => !after.byUrn.has(urn)),
    changed,
  };
}

const isIgnored = (path: string, ignored: readonly string[]): boolean =>
  ignored.some((field) => path === field || path.startsWith(`${field}.`) || path.startsWith(`${field}[`));

/** Paths at which two values differ. */
export function fieldChanges(before: unknown, after: unknown, path = ""): FieldChange[] {
  if (isDeepStrictEqual(before, after)) return [];
  const hashOf = (value: unknown) => (isResolvedArchive(value) || isResolvedAsset(value) ? value.sha256 : undefined);
  if (hashOf(before) !== undefined || hashOf(after) !== undefined) {
    return [{ path, before: hashOf(before) ?? before, after: hashOf(after) ?? after }];
  }
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    return before.flatMap((item, index) => fieldChanges(item, after[index], `${path}[${index}]`));
  }
  if (isRecord(before) && isRecord(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    return keys.flatMap((key) => fieldChanges(before[key], after[key], memberPath(path, key)));
  }
  return [{ path, before, after }];
}

/** A property path of Pulumi: `tags.component`, `tags["aws:kind"]`. */
function memberPath(path: string, key: string): string {
  if (!/^\w+$/.test(key)) return `${path}["${key}"]`;
  return path === "" ? key : `${path}.${key}`;
}
