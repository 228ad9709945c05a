/** The table of seeded bugs in docs/simulation.md. */
import type { Found } from "./explore";

/** Histories within which each one has to be found. */
export const MUTATION_SEEDS = 1_000;

const HEAD = "| Seeded bug | Found by seed | What it breaks |\n|---|---:|---|";
const TABLE = /\| Seeded bug \|[\s\S]*?\n(?!\|)/;

export const mutationTable = (found: readonly Found[]): string =>
  [
    HEAD,
    ...found.map(({ mutation, seed, violation }) => `| ${mutation.name} | ${seed ?? "not found"} | ${violation?.kind ?? ""} |`),
  ].join("\n");

/** The page with the table renewed. */
export const withTable = (page: string, found: readonly Found[]): string =>
  page.replace(TABLE, () => `${mutationTable(found)}\n`);

/** Seeds by the bug's name, as the page has them. Histories are tried from seed 1, so the seed is also how many it took. */
export function seedsOf(page: string): ReadonlyMap<string, number> {
  const rows = (TABLE.exec(page)?.[0] ?? "").split("\n").slice(2);
  return new Map(
    rows.flatMap((row) => {
      const [, name, seed] = /^\| (.+?) \| (\d+) \|/.exec(row) ?? [];
      return name === undefined ? [] : [[name, Number(seed)] as const];
    }),
  );
}
