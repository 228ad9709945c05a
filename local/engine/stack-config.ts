/** A stack's config as the Pulumi CLI would hand it to the program. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

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

/** The stack cannot be read; the message lists every problem. */
export class StackConfigError extends Error {
  readonly code = "STACK_CONFIG";
}

/**
 * Reads `Pulumi.yaml` (project name, declared keys, defaults) and `Pulumi.<stack>.yaml`, and refuses what the CLI would refuse before
 * it starts the program. A `secure:` value is encrypted with the stack's key, which is not here: it is taken from the environment
 * variable `PULUMI_CONFIG_<KEY>` (upper case, other signs as `_`).
 * @throws StackConfigError that names the file, the key and the fix.
 */
export function readStackConfig(projectDir: string, stack: string, env: NodeJS.ProcessEnv = process.env): StackConfig {
  const projectFile = join(projectDir, "Pulumi.yaml");
  const stackFile = join(projectDir, `Pulumi.${stack}.yaml`);
  const project = readYaml(projectFile, "It declares the project's name.");
  const name = project.name;
  if (typeof name !== "string") throw new StackConfigError(`${projectFile}: expected "name" to be the project's name.`);
  const stackDocument = readYaml(stackFile, `Create it, or choose another stack with --stack.`);
  const problems: string[] = [];
  const values: Record<string, string> = {};
  const secretKeys: string[] = [];
  const qualify = (key: string) => (key.includes(":") ? key : `${name}:${key}`);
  const declarations = Object.entries(recordOf(project.config));
  const dotted = declarations.map(([key]) => key).filter((key) => key.includes("."));
  if (dotted.length > 0) {
    throw new StackConfigError(
      `${projectFile}: expected declared keys without dots, since the CLI reads ${dotted[0]} as a path into ${dotted[0]?.split(".")[0]}, got ${dotted.join(", ")}. Declare the object's key alone.`,
    );
  }
  for (const [key, declared] of declarations) {
    const value = declaredDefault(declared);
    if (value !== undefined) values[qualify(key)] = textOf(value);
  }
  for (const [key, value] of Object.entries(recordOf(stackDocument.config))) {
    const full = qualify(key);
    const variable = `PULUMI_CONFIG_${key.replace(/[^A-Za-z0-9]+/g, "_").toUpperCase()}`;
    const override = env[variable];
    if (isSecure(value)) {
      if (override === undefined) {
        problems.push(
          `${key}: is encrypted for the cloud stack and cannot be read here; set ${variable} to the value for this machine.`,
        );
        continue;
      }
      values[full] = override;
      secretKeys.push(full);
    } else if (containsSecure(value)) {
      problems.push(`${key}: holds an encrypted value inside an object; move the secret to a key of its own.`);
    } else values[full] = textOf(value);
  }
  for (const [key, declared] of declarations)
    problems.push(...declaredProblems(stack, qualify(key), declared, values[qualify(key)]));
  if (problems.length > 0) throw new StackConfigError(`${stackFile}:\n  - ${problems.join("\n  - ")}`);
  return { project: name, stack, values, secretKeys, region: values["aws:region"] ?? "us-east-1" };
}

function readYaml(file: string, hint: string): Record<string, unknown> {
  if (!existsSync(file)) throw new StackConfigError(`${file} does not exist. ${hint}`);
  try {
    return recordOf(parse(readFileSync(file, "utf8")));
  } catch (error) {
    throw new StackConfigError(`${file}: not valid YAML: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const recordOf = (value: unknown): Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};

/** `Pulumi.yaml` declares `key: {type, default}` or `key: {value}`, or gives the value itself. */
function declaredDefault(declared: unknown): unknown {
  if (typeof declared !== "object" || declared === null) return declared ?? undefined;
  const { default: fallback, value } = recordOf(declared);
  return value ?? fallback;
}

/** Scalars of Pulumi.yaml's `type`; the CLI keeps their text. */
const SCALARS: Readonly<Record<string, RegExp>> = { integer: /^[+-]?\d+$/, boolean: /^(true|false)$/ };

/** What the CLI finds wrong with a declared key: it has no value, or one of another type. */
function declaredProblems(stack: string, key: string, declared: unknown, text: string | undefined): string[] {
  const { type } = recordOf(declared);
  if (typeof type !== "string") return [];
  if (text === undefined) return [`${key}: is required and has no value. Fix: pulumi config set ${key} VALUE --stack ${stack}`];
  if (SCALARS[type]?.test(text) !== false) return [];
  return [
    `${key}: expected a value of type ${type}, got ${JSON.stringify(text)}. Fix: pulumi config set ${key} VALUE --stack ${stack}`,
  ];
}

const isSecure = (value: unknown): boolean => {
  const keys = Object.keys(recordOf(value));
  return keys.length === 1 && keys[0] === "secure";
};

const containsSecure = (value: unknown): boolean =>
  typeof value === "object" && value !== null && (isSecure(value) || Object.values(value).some(containsSecure));

const textOf = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
