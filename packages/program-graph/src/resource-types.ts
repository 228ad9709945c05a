/** The known resource types, and the check that nothing a program asks for is dropped silently. */
import type { ResourceType } from "./resource";

/** Types that the evaluation handles itself. Providers only choose region and tags. */
const engineTypes: Readonly<Record<string, readonly string[]>> = {
  "pulumi:pulumi:Stack": [],
  "pulumi:providers:aws": ["region", "defaultTags", "skipMetadataApiCheck"],
  "pulumi:providers:awsx": [],
  "pulumi:providers:pulumi": [],
};

export class ResourceTypes<T extends ResourceType> {
  private readonly byType = new Map<string, T>();

  /** @throws Error when a type is given twice. */
  constructor(types: readonly T[]) {
    for (const known of types) {
      if (this.byType.has(known.type)) throw new Error(`Two bodies are registered for ${known.type}; remove one.`);
      this.byType.set(known.type, known);
    }
  }

  get(type: string): T | undefined {
    return this.byType.get(type);
  }

  /** Problems of one registration, each naming the type and the field; empty when everything is honoured. */
  problems(type: string, name: string, inputs: Readonly<Record<string, unknown>>): string[] {
    const found = this.byType.get(type);
    const known = found ? [...found.honoured, ...Object.keys(found.cloudOnly)] : engineTypes[type];
    if (known === undefined) return [`${type} (${name}): this resource type has no local body.`];
    const unknown = Object.keys(inputs).filter(
      (field) => inputs[field] !== undefined && inputs[field] !== null && !known.includes(field),
    );
    return unknown.map(
      (field) => `${type} (${name}): the field "${field}" has no local effect and is not known to be cloud-only.`,
    );
  }
}
