/** Reading the inputs of registered resources, with errors that name type, resource and field. */
import { createHash } from "node:crypto";
import type { GraphResource } from "../contracts";

type Inputs = Readonly<Record<string, unknown>>;

export function textInput(resource: Pick<GraphResource, "type" | "name" | "inputs">, field: string): string {
  const value = resource.inputs[field];
  if (typeof value !== "string" || value === "")
    throw new Error(`${resource.type} (${resource.name}): '${field}' must be a non-empty string, got ${JSON.stringify(value)}.`);
  return value;
}

export function optionalText(inputs: Inputs, field: string): string | undefined {
  const value = inputs[field];
  return typeof value === "string" && value !== "" ? value : undefined;
}

export function recordInput(inputs: Inputs, field: string): Record<string, unknown> {
  const value = inputs[field];
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

export function recordsInput(inputs: Inputs, field: string): Record<string, unknown>[] {
  const value = inputs[field];
  return Array.isArray(value)
    ? value.filter((item): item is Record<string, unknown> => typeof item === "object" && item !== null)
    : [];
}

/** Deterministic hex digits for names that the provider would make random. */
export function stableHex(seed: string, length: number): string {
  return createHash("sha256").update(seed).digest("hex").slice(0, length);
}

/** A UUID that is the same for the same seed. */
export function stableUuid(seed: string): string {
  return stableHex(seed, 32).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
