/** What the documents point to exists: relative links and their anchors, npm scripts, files. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, it } from "vitest";

const DOCUMENTS = ["README.md", "CONTRIBUTING.md", ...globSync("docs/*.md"), ...globSync("packages/*/README.md")].sort();
const PACKAGE: { readonly scripts: Readonly<Record<string, string>> } = JSON.parse(readFileSync("package.json", "utf8"));

/** Folders at the root, by which a path in a document is recognised. */
const ROOTS = [
  "bench",
  "build",
  "cli",
  "components",
  "controls",
  "docs",
  "functions",
  "jobs",
  "models",
  "packages",
  "schemas",
  "sql",
  "stacks",
  "tests",
];
const ROOT_PATH = new RegExp(`(?<![\\w./<-])(?:${ROOTS.join("|")})/[\\w./*<>-]*`, "g");
/** Files at the root that documents name. */
const ROOT_FILE = /^(?:\.ci\/\w+|\.[a-z-]+\.mjs|Pulumi(?:\.[a-z]+)?\.yaml|(?:package|tsconfig|biome)\.json)$/;
const SCRIPT = /\bnpm (?:run )?(?:--silent )?([a-z][\w:-]*)/g;
/** Commands of npm itself. */
const NPM_COMMANDS = ["ci", "install"];
/** Files that commands write. */
const WRITTEN = readFileSync(".gitignore", "utf8").split("\n");

const text = (document: string): string => readFileSync(document, "utf8");
const code = (document: string): string[] => [
  ...[...text(document).matchAll(/^ *```\w*\n(.*?)^ *```/gms)].map(([, block = ""]) => block),
  ...[
    ...text(document)
      .replaceAll(/^ *```\w*\n.*?^ *```/gms, "")
      .matchAll(/`([^`\n]+)`/g),
  ].map(([, span = ""]) => span),
];
const links = (document: string): string[] =>
  [...text(document).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target).filter((target) => !/^[a-z]+:/.test(target));

/** As GitHub makes it: lower case, without punctuation, spaces as hyphens. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
const anchors = (document: string): string[] =>
  [...text(document).matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) => anchorOf(heading));

/** A path with `<name>` or `*` has to match something. */
function pathExists(path: string): boolean {
  if (WRITTEN.includes(path)) return true;
  const pattern = path.replaceAll(/<[^>]*>/g, "*").replace(/[./]+$/, "");
  return pattern.includes("*") ? globSync(pattern).length > 0 : existsSync(pattern);
}

/** Paths from the root: those that a document names, the sources of `dist/…`, and in a package's README paths from its own folder. */
function pathsIn(document: string): string[] {
  const fromRoot = code(document).flatMap((span) => span.match(ROOT_FILE) ?? span.match(ROOT_PATH) ?? []);
  const compiled = code(document).flatMap((span) =>
    [...span.matchAll(/\bdist\/([\w/-]+)\.js/g)].map(([, source = ""]) => `${source}.ts`),
  );
  if (!document.startsWith("packages/")) return [...fromRoot, ...compiled];
  const own = code(document).filter((span) => /^(?:src|python|tests)\/[\w./<>*-]*$/.test(span));
  return [...fromRoot.filter((path) => !own.includes(path)), ...compiled, ...own.map((path) => join(dirname(document), path))];
}

describe.each(DOCUMENTS)("%s", (document) => {
  it("links to files and headings that exist", () => {
    const broken = links(document).filter((link) => {
      const [path = "", anchor] = link.split("#");
      const file = path === "" ? document : normalize(join(dirname(document), path));
      return !existsSync(file) || (anchor !== undefined && !anchors(file).includes(anchor));
    });
    expect(broken).toEqual([]);
  });

  it("names npm scripts that exist", () => {
    const unknown = code(document)
      .flatMap((span) => [...span.matchAll(SCRIPT)].map(([, name = ""]) => name))
      .filter((name) => !NPM_COMMANDS.includes(name) && !Object.hasOwn(PACKAGE.scripts, name));
    expect(unknown).toEqual([]);
  });

  it("names paths that exist", () => {
    expect(pathsIn(document).filter((path) => !pathExists(path))).toEqual([]);
  });
});

it("finds links, scripts and paths in the documents", () => {
  const found = (list: (document: string) => readonly string[]) => DOCUMENTS.flatMap(list).length;
  expect(found(links)).toBeGreaterThan(30);
  expect(found(pathsIn)).toBeGreaterThan(80);
  expect(DOCUMENTS.flatMap(code).filter((span) => /npm run /.test(span)).length).toBeGreaterThan(30);
});

it("makes anchors as GitHub does", () => {
  expect(anchorOf("Where `a` is, and what's “new”")).toBe("where-a-is-and-whats-new");
});
