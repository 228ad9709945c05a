/** The resource bodies by type, and the check that nothing a program asks for is dropped silently. */
import type { ResourceBody } from "../contracts.js";

/** What the engine itself stands in for. Providers only choose region and tags. */
const engineTypes: Readonly<Record<string, readonly string[]>> = {
  "pulumi:pulumi:Stack": [],
  "pulumi:providers:aws": ["region", "defaultTags", "skipMetadataApiCheck"],
  "pulumi:providers:awsx": [],
  "pulumi:providers:pulumi": [],
};

export class BodyRegistry {
  private readonly byType = new Map<string, ResourceBody>();

  /** @throws Error when two bodies claim one type. */
  constructor(bodies: readonly ResourceBody[]) {
    for (const body of bodies) {
      if (this.byType.has(body.type)) throw new Error(`Two bodies are registered for ${body.type}; remove one.`);
      this.byType.set(body.type, body);
    }
  }

  get(type: string): ResourceBody | undefined {
    return this.byType.get(type);
  }

  /** Problems of one registration, each naming the type and the field; empty when everything is honoured. */
  problems(type: string, name: string, inputs: Readonly<Record<string, unknown>>): string[] {
    const body = this.byType.get(type);
    const known = body ? [...body.honoured, ...Object.keys(body.cloudOnly)] : engineTypes[type];
    if (known === undefined) return [`${type} (${name}): this resource type has no local body.`];
    const unknown = Object.keys(inputs).filter(
      (field) => inputs[field] !== undefined && inputs[field] !== null && !known.includes(field),
    );
    return unknown.map(
      (field) => `${type} (${name}): the field "${field}" has no local effect and is not known to be cloud-only.`,
    );
  }

  get types(): readonly string[] {
    return [...this.byType.keys()];
  }
}
