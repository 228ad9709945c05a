import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../../packages/", import.meta.url));

/**
 * Packages are tested as written. An alias does it rather than the condition "source", which vitest hands to Node too: the compiled program
 * that tests load would then find sources.
 */
export const packageSources = readdirSync(folder).flatMap((name) => {
  const { exports } = JSON.parse(readFileSync(`${folder}${name}/package.json`, "utf8"));
  return Object.entries<{ readonly source?: string }>(exports).flatMap(([path, { source }]) =>
    source === undefined
      ? []
      : [{ find: new RegExp(`^@risk/${name}${path.slice(1)}$`), replacement: `${folder}${name}/${source}` }],
  );
});
