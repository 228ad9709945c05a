/** Writes docs/components.md from the doc comments of the components' arguments. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

/** One argument, or a member of an argument with members. */
export interface Argument {
  /** `trigger`, `trigger.batchSize`. */
  readonly name: string;
  readonly required: boolean;
  /** The comment without its default; empty when there is no comment. */
  readonly meaning: string;
  /** Undefined when the comment doesn't name one. */
  readonly fallback: string | undefined;
  readonly literal?: string | undefined;
  readonly example: string | undefined;
}

export interface ComponentArguments {
  /** `StreamProcessor` */
  readonly name: string;
  readonly purpose: string;
  /** The shortest statement that creates one. */
  readonly minimalUse: string;
  readonly arguments: readonly Argument[];
}

const COMPONENTS = [
  "scoring-api",
  "stream-processor",
  "risk-warehouse",
  "training-pipeline",
  "inference-pipeline",
  "data-catalog",
] as const;
/** How components are put together; evaluated by a test, like every minimal use. */
export const SHARING = `const stream = new StreamProcessor("fraud", { profile: PROFILES.fraud });
const { context, bus, tokenSecret, dataBucket: bucket, raw } = stream;
const api = new ScoringApi("scoring", { profiles: [PROFILES.lead], context, bus, tokenSecret, archive: { bucket, raw } });`;

/** Every component takes one; it has its own table. */
const CONTEXT = "PlatformContext";

/** The components' arguments and the members of their context, read from the sources below `root`. */
export function readComponents(root: string) {
  const sources = readSources(join(root, "components"));
  return {
    components: COMPONENTS.map((folder) => readComponent(root, folder, sources)),
    context: membersOf(CONTEXT, sources).map((member) => describe(member, "")),
  };
}

interface Sources {
  /** By name; names are unique among the components. */
  readonly interfaces: ReadonlyMap<string, ts.InterfaceDeclaration>;
  readonly defaults: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

function readSources(folder: string): Sources {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  const statements = files.sort().flatMap((file) => [...parse(join(folder, file)).statements]);
  const interfaces = statements.filter(ts.isInterfaceDeclaration);
  const constants = statements.filter(ts.isVariableStatement).flatMap(({ declarationList }) => [...declarationList.declarations]);
  return {
    interfaces: new Map(interfaces.map((declaration) => [declaration.name.text, declaration])),
    defaults: new Map(
      constants.flatMap(({ type, initializer }) =>
        type && initializer && ts.isObjectLiteralExpression(initializer) ? [[type.getText(), literalsOf(initializer)]] : [],
      ),
    ),
  };
}

const literalsOf = ({ properties }: ts.ObjectLiteralExpression): ReadonlyMap<string, string> =>
  new Map(properties.filter(ts.isPropertyAssignment).map(({ name, initializer }) => [name.getText(), initializer.getText()]));

const parse = (path: string): ts.SourceFile =>
  ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true);

function readComponent(root: string, folder: string, sources: Sources): ComponentArguments {
  const name = folder.replace(/(^|-)([a-z])/g, (_, _dash, letter: string) => letter.toUpperCase());
  const args = `${name}Args`;
  const declaration = sources.interfaces.get(args);
  if (declaration === undefined) throw new Error(`components/${folder}/args.ts: expected an interface ${args}.`);
  return {
    name,
    purpose: headOf(join(root, "components", folder, `${folder}.ts`)),
    minimalUse: exampleOf(declaration) ?? "",
    arguments: membersOf(args, sources).flatMap((member) => withMembers(member, sources)),
  };
}

/** The comment at the top of a file, as one paragraph. */
function headOf(path: string): string {
  const [, text = ""] = /^\/\*\*(.*?)\*\//s.exec(readFileSync(path, "utf8")) ?? [];
  return paragraph(text.replaceAll(/^\s*\*/gm, ""));
}

/** Own members and inherited ones, required ones first. */
function membersOf(name: string, sources: Sources): ts.PropertySignature[] {
  const declaration = sources.interfaces.get(name);
  if (declaration === undefined) return [];
  const inherited = (declaration.heritageClauses ?? []).flatMap(({ types }) =>
    types.flatMap(({ expression }) => membersOf(expression.getText(), sources)),
  );
  const all = [...inherited, ...declaration.members.filter(ts.isPropertySignature)];
  return [...all.filter(isRequired), ...all.filter((member) => !isRequired(member))];
}

const isRequired = ({ questionToken }: ts.PropertySignature): boolean => questionToken === undefined;

/** An argument, followed by its members if it is `Partial` of an interface. */
function withMembers(member: ts.PropertySignature, sources: Sources): Argument[] {
  const argument = describe(member, "");
  const [, group] = /^Partial<(\w+)>$/.exec(member.type?.getText() ?? "") ?? [];
  if (group === undefined || group === CONTEXT) return [argument];
  const members = membersOf(group, sources).map((inner) => ({
    ...describe(inner, `${argument.name}.`),
    required: false,
    literal: sources.defaults.get(group)?.get(inner.name.getText()),
  }));
  return [argument, ...members];
}

function describe(member: ts.PropertySignature, prefix: string): Argument {
  const [comment] = ts.getJSDocCommentsAndTags(member).filter(ts.isJSDoc);
  const text = paragraph(ts.getTextOfJSDocComment(comment?.comment) ?? "");
  const [, meaning = text, fallback] = /^(.*?)(?:^|\s)Default:? (.*?)\.?$/.exec(text) ?? [];
  return {
    name: `${prefix}${member.name.getText()}`,
    required: isRequired(member),
    meaning: meaning.trim(),
    fallback,
    example: exampleOf(member),
  };
}

function exampleOf(node: ts.Node): string | undefined {
  const tag = ts.getJSDocTags(node).find(({ tagName }) => tagName.text === "example");
  return tag === undefined ? undefined : ts.getTextOfJSDocComment(tag.comment)?.trim();
}

const paragraph = (text: string): string => text.replaceAll(/\s+/g, " ").trim();

/** The document as Markdown. */
export function componentsDoc(root: string): string {
  const { components, context } = readComponents(root);
  return [
    "# Components",
    "",
    "How to use the components in your own Pulumi program: the arguments that each requires, the optional ones, and their defaults. `npm run docs` makes",
    "this page from the doc comments of `components/*/args.ts`. The defaults are those of a component that is used by itself; the stacks of this project",
    "set most arguments from their config ([configuration.md](configuration.md)).",
    "",
    "If you don't pass a key, alarm topic, bus or bucket, the component creates one and exposes it as a property for the next component:",
    "",
    "```ts",
    SHARING,
    "```",
    "",
    "In the samples, `PROFILES` are those of `functions/scoring/profiles`, `device` is one of the `datasets()` of `stacks/datasets.ts`, and `api` and",
    "`training` are the components that the samples before make. `tests/components/minimal-use.test.ts` evaluates each sample as it stands here.",
    "",
    ...components.flatMap(section),
    "## Context",
    "",
    "Members of the argument `context` of every component.",
    "",
    "| Member | Meaning | Default |",
    "|---|---|---|",
    ...context.map(({ name, meaning, fallback }) => row([`\`${name}\``, meaning, fallback ?? ""])),
    "",
  ].join("\n");
}

function section({ name, purpose, minimalUse, arguments: args }: ComponentArguments): string[] {
  return [
    `## ${name}`,
    "",
    purpose,
    "",
    "```ts",
    minimalUse,
    "```",
    "",
    "| Argument | Meaning | Default | Example |",
    "|---|---|---|---|",
    ...args.map(({ name: argument, required, meaning, fallback, example }) =>
      row([
        `\`${argument}\``,
        meaning,
        required ? "required" : (fallback ?? ""),
        example === undefined ? "" : `\`${example.replaceAll("\n", " ")}\``,
      ]),
    ),
    "",
  ];
}

const row = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;

if (typeof require !== "undefined" && typeof module !== "undefined" && require.main === module) {
  writeFileSync(join(process.cwd(), "docs", "components.md"), componentsDoc(process.cwd()));
}
