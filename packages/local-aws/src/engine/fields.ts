/** Typed reading of resource inputs; a wrong type is an error that names the field. */
import { isRecord, recordOf } from "@risk/program-graph";
import type { GraphResource } from "../contracts";

export class Fields {
  private readonly values: Readonly<Record<string, unknown>>;

  constructor(
    value: unknown,
    private readonly owner: string,
  ) {
    this.values = recordOf(value);
  }

  private fail(field: string, expected: string): never {
    throw new Error(`${this.owner}: ${field}: expected ${expected}, got ${JSON.stringify(this.values[field])}.`);
  }

  text(field: string): string | undefined {
    const value = this.values[field] ?? undefined;
    return value === undefined || typeof value === "string" ? value : this.fail(field, "a text");
  }

  need(field: string): string {
    return this.text(field) ?? this.fail(field, "a text");
  }

  number(field: string): number | undefined {
    const value = this.values[field] ?? undefined;
    return value === undefined || typeof value === "number" ? value : this.fail(field, "a number");
  }

  /** A whole number within `[low, high]`; `otherwise` when it is absent. */
  integer(field: string, low: number, high: number, otherwise?: number): number {
    const value = this.number(field) ?? otherwise;
    if (value !== undefined && Number.isInteger(value) && value >= low && value <= high) return value;
    return this.fail(field, `a whole number from ${low} to ${high}`);
  }

  flag(field: string): boolean | undefined {
    const value = this.values[field] ?? undefined;
    return value === undefined || typeof value === "boolean" ? value : this.fail(field, "true or false");
  }

  /** An object; empty when the field is absent. */
  record(field: string): Readonly<Record<string, unknown>> {
    const value = this.values[field] ?? {};
    return isRecord(value) ? value : this.fail(field, "an object");
  }

  /** The fields of an object; it has none when it is absent. */
  in(field: string): Fields {
    return new Fields(this.record(field), `${this.owner}: ${field}`);
  }

  /** A list; empty when the field is absent. */
  list(field: string): readonly unknown[] {
    const value = this.values[field] ?? [];
    return Array.isArray(value) ? value : this.fail(field, "a list");
  }

  /** The fields of each object of a list. */
  items(field: string): readonly Fields[] {
    return this.list(field).map((item, index) => new Fields(item, `${this.owner}: ${field}[${index}]`));
  }

  texts(field: string): readonly string[] | undefined {
    if (this.values[field] === undefined || this.values[field] === null) return undefined;
    return this.list(field).map((item) => (typeof item === "string" ? item : this.fail(field, "a list of texts")));
  }
}

/** A resource's inputs and outputs; errors name its type and name. */
export const fieldsOf = ({ type, name, inputs, state }: GraphResource): Fields =>
  new Fields({ ...inputs, ...state }, `${type} ${name}`);

type Put = (fields: Fields, resource: GraphResource) => Promise<void> | void;

/** `create` and `update` of a body for which both mean: store the resource as it is described now. */
export function writtenBy(put: Put) {
  const write = (resource: GraphResource) => put(fieldsOf(resource), resource);
  return { create: write, update: write };
}
