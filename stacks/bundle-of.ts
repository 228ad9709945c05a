/** Entry of `functions/entries/` (`rest-scoring`) → path of its bundle, relative to the project's root. Whoever runs the program builds them. */
export type FunctionBundles = Readonly<Record<string, string>>;

/**
 * Path of the bundle of an entry.
 * @throws Error when `functions/entries/` has no such file
 */
export function bundleOf(bundles: FunctionBundles, entry: string): string {
  const path = bundles[entry];
  if (path === undefined) {
    throw new Error(
      `Function "${entry}" has no bundle: expected functions/entries/${entry}.ts, found ${Object.keys(bundles).join(", ")}.`,
    );
  }
  return path;
}
