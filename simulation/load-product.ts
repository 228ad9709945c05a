/** Bundles the product's code for a simulation, with or without a seeded bug. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, relative } from "node:path";
import { compileFunction } from "node:vm";
import { build, type Plugin, stop } from "esbuild";

export type Product = typeof import("./product");

/** One bug: an exact text of a file and what stands there instead. */
export interface SourceChange {
  /** Relative to the project's root. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/**
 * @param root the project's folder
 * @throws Error when a change's text is not in its file exactly once
 */
export async function loadProduct(root: string, changes: readonly SourceChange[] = []): Promise<Product> {
  const applied = new Set<SourceChange>();
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ["simulation/product.ts"],
    bundle: true,
    write: false,
    platform: "node",
    format: "cjs",
    target: "node20",
    external: ["@aws-sdk/*"],
    conditions: ["source"],
    logLevel: "silent",
    alias: { "#validators": join(root, "bundles/validators.js") },
    loader: { ".sql": "text" },
    plugins: [replacing(root, changes, applied)],
  });
  const missing = changes.find((change) => !applied.has(change));
  if (missing !== undefined) throw new Error(`${missing.file} is not part of the simulation, so it can't be changed there.`);
  return evaluate(root, outputFiles[0]!.text);
}

/** esbuild keeps a process for the next build. */
export const stopLoading = (): void => void stop();

function evaluate(root: string, code: string): Product {
  const module: { exports: unknown } = { exports: {} };
  const run = compileFunction(code, ["require", "module", "exports"], { filename: join(root, "simulation/product.cjs") });
  run(createRequire(join(root, "package.json")), module, module.exports);
  // The bundle of product.ts exports what product.ts does.
  return module.exports as Product;
}

function replacing(root: string, changes: readonly SourceChange[], applied: Set<SourceChange>): Plugin {
  return {
    name: "replacing",
    setup(builder) {
      builder.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const mine = changes.filter(({ file }) => file === relative(root, path));
        if (mine.length === 0) return undefined;
        let contents = readFileSync(path, "utf8");
        for (const change of mine) {
          const places = contents.split(change.from).length - 1;
          if (places !== 1)
            throw new Error(`${change.file} has the text of a seeded bug ${places} times, expected once: ${change.from}`);
          contents = contents.replace(change.from, () => change.to);
          applied.add(change);
        }
        return { contents, loader: "ts" };
      });
    },
  };
}
