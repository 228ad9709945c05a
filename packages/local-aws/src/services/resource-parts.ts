/** Parts that the bodies of several resource types share. */
import { createHash } from "node:crypto";
import type { GraphResource, NameRule, ResourceBody } from "../contracts";
import { Fields } from "../engine/fields";
import { physicalName } from "../engine/names";

type Outputs = ResourceBody["outputs"];

/** Characters that many services accept in names. */
export const hyphenated = { pattern: /^[A-Za-z0-9_-]+$/, words: "letters, digits, hyphens and underscores" };
export const dotted = { pattern: /^[A-Za-z0-9_.-]+$/, words: "letters, digits, hyphens, underscores and dots" };

const TAGS = "tags only matter to cost reports and tag-based policies";
/** Inputs that every type of the provider has, without effect on one machine. */
export const tagInputs = { tags: TAGS, tagsAll: TAGS, region: "one machine is one region" };
export const regionInput = { region: tagInputs.region };

/** Inputs that have no effect here for one reason. */
export function withoutEffect(reason: string, fields: readonly string[]): Record<string, string> {
  return Object.fromEntries(fields.map((field) => [field, reason]));
}

/** The inputs of a resource, with errors that name its type, name and field. */
export function fieldsOf({ type, name, inputs }: Pick<GraphResource, "type" | "name" | "inputs">): Fields {
  return new Fields(inputs, `${type} (${name})`);
}

/** A type whose name the provider makes when the program gives none; its outputs follow from the name. */
export function named(
  autoName: NameRule,
  outputs: (name: string, args: Parameters<Outputs>[0]) => ReturnType<Outputs>,
): Pick<ResourceBody, "autoName" | "outputs"> {
  return { autoName, outputs: (args) => outputs(physicalName(autoName, args.name, args.inputs), args) };
}

/** A type whose creation and update are the same. */
export function put(apply: (resource: GraphResource) => Promise<void> | void): Pick<ResourceBody, "create" | "update"> {
  return { create: apply, update: apply };
}

/** The text of an input that may be given as a JSON document. */
export const documentText = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

export const optionalString = (value: unknown): string | undefined => (value === undefined ? undefined : String(value));

/** Deterministic hex digits for names that the provider would make random. */
export function stableHex(seed: string, length: number): string {
  return createHash("sha256").update(seed).digest("hex").slice(0, length);
}

/** A UUID that is the same for the same seed. */
export function stableUuid(seed: string): string {
  return stableHex(seed, 32).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
