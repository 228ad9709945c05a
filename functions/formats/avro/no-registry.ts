import type { SchemaRegistry } from "./writer-schemas";

/** Where there is no registry, only the platform's own schema is known. */
export const NO_REGISTRY: SchemaRegistry = {
  schema: async () => null,
  versions: async () => [],
};
