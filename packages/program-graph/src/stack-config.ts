/** A stack's config as the Pulumi CLI would hand it to the program. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Document, parseDocument } from "yaml";
import { qualified, revealSecureValues } from "./secure-values";
import { recordOf } from "./values";

export interface StackConfig {
  readonly project: string;
  readonly stack: string;
  /** Full keys (`risk:apiAuth`); objects and lists are JSON text, as the CLI passes them. */
  readonly values: Readonly<Record<string, string>>;
  /** Keys whose values are secret. */
  readonly secretKeys: readonly string[];
  /** `aws:region`, or us-east-1 when the stack names none. */
  readonly region: string;
}

/**
 * Reads `Pulumi.yaml` (project name, declared keys, defaults) and `Pulumi.<stack>.yaml`, and refuses what the CLI would refuse before
 * it starts the program. Encrypted values come from the environment.
 * @throws Error that names the file, the key and the fix.
 */
export function readStackConfig(projectDir: string, stack: string, env: NodeJS.ProcessEnv = process.env): StackConfig {
  const projectFile = join(projectDir, "Pulumi.yaml");
  const stackFile = join(projectDir, `Pulumi.${stack}.yaml`);
  const project = recordOf(readYaml(projectFile, "It declares the project's name.").toJS());
  const name = project.name;
  if (typeof name !== "string") throw new Error(`${projectFile}: expected "name" to be the project's name.`);
  const stackDocument = readYaml(stackFile, `Create it, or choose another stack with --stack.`);
  const { secretKeys, problems: unreadable } = revealSecureValues(stackDocument, name, env);
  if (unreadable.length > 0) throw problemsOf(stackFile, unreadable);
  const values: Record<string, string> = {};
  const qualify = (key: string) => qualified(name, key);
  const declarations = Object.entries(recordOf(project.config));
  const dotted = declarations.map(([key]) => key).filter((key) => key.includes("."));
  if (dotted.length > 0) {
    throw new Error(
      `${projectFile}: expected declared keys without dots, since the CLI reads ${dotted[0]} as a path into ${dotted[0]?.split(".")[0]}, got ${dotted.join(", ")}. Declare the object's key alone.`,
    );
  }
  for (const [key, declared] of declarations) {
    const value = declaredDefault(declared);
    if (value !== undefined) values[qualify(key)] = textOf(value);
  }
  for (const [key, value] of Object.entries(recordOf(recordOf(stackDocument.toJS()).config)))
    values[qualify(key)] = textOf(value);
  const problems = declarations.flatMap(([key, declared]) =>
    declaredProblems(stack, qualify(key), declared, values[qualify(key)]),
  );
  if (problems.length > 0) throw problemsOf(stackFile, problems);
  return { project: name, stack, values, secretKeys, region: values["aws:region"] ?? "us-east-1" };
}

/** @param problems one line each */
export const problemsOf = (file: string, problems: readonly string[]): Error =>
  new Error(`${file}:\n  - ${problems.join("\n  - ")}`);

function readYaml(file: string, hint: string): Document {
  if (!existsSync(file)) throw new Error(`${file} does not exist. ${hint}`);
  const document = parseDocument(readFileSync(file, "utf8"));
  const [error] = document.errors;
  if (error !== undefined) throw new Error(`${file}: not valid YAML: ${error.message}`);
  return document;
}

/** `Pulumi.yaml` declares `key: {type, default}` or `key: {value}`, or gives the value itself. */
function declaredDefault(declared: unknown): unknown {
  if (typeof declared !== "object" || declared === null) return declared ?? undefined;
  const { default: fallback, value } = recordOf(declared);
  return value ?? fallback;
}

/** Scalars of Pulumi.yaml's `type`; the CLI keeps their text. */
const SCALARS: Readonly<Record<string, RegExp>> = { integer: /^[+-]?\d+$/, boolean: /^(true|false)$/ };

/** Problems that the CLI would report about a declared key: it has no value, or one of another type. */
function declaredProblems(stack: string, key: string, declared: unknown, text: string | undefined): string[] {
  const { type } = recordOf(declared);
  if (typeof type !== "string") return [];
  const fix = `Fix: pulumi config set ${key} VALUE --stack ${stack}`;
  if (text === undefined) return [`${key}: is required and has no value. ${fix}`];
  if (SCALARS[type]?.test(text) !== false) return [];
  return [`${key}: expected a value of type ${type}, got ${JSON.stringify(text)}. ${fix}`];
}

/** A key without a value is empty text to the CLI, whatever its default; a member without one stays null. */
function textOf(value: unknown): string {
  if (value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}
