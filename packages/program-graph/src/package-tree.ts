/** Reads node_modules once for all functions of a program. */
import { createRequire } from "node:module";
import { join } from "node:path";

interface Reader {
  readonly path: string;
  loadActual(options?: unknown): Promise<unknown>;
}

/**
 * For each function's archive, Pulumi reads the whole tree of installed packages to find those that the archive needs (100 ms each; here
 * it needs none). Until the returned function is called, the first reading of a folder serves all archives.
 */
export function sharePackageTree(): () => void {
  // The copy that Pulumi loads, wherever it is installed.
  const requireHere = createRequire(join(process.cwd(), "package.json"));
  const requireInPulumi = createRequire(requireHere.resolve("@pulumi/pulumi"));
  const { Arborist }: { Arborist: { readonly prototype: Reader } } = requireInPulumi("@npmcli/arborist");
  const { prototype } = Arborist;
  const original = prototype.loadActual;
  const trees = new Map<string, Promise<unknown>>();
  prototype.loadActual = function shared(this: Reader, options) {
    const tree = trees.get(this.path) ?? original.call(this, options);
    trees.set(this.path, tree);
    return tree;
  };
  return () => {
    prototype.loadActual = original;
  };
}
