/** A stack's config, parsed once into one readonly object. */
import { didYouMean } from "../functions/core/suggest";
import { PROFILES } from "../functions/profiles";
import { overridable, type PolicyOverrides } from "./policies";
import { SETTINGS, type Setting, type SettingKey } from "./settings";

/** The project's name is the namespace of its keys: `risk:fraud.shards`. */
export const NAMESPACE = "risk";

type ValueOf<S> = S extends { readonly type: "integer" }
  ? number
  : S extends { readonly type: "boolean" }
    ? boolean
    : S extends { readonly type: "policy" }
      ? PolicyOverrides
      : S extends { readonly type: "enum"; readonly values: readonly (infer V extends string)[] }
        ? V
        : string;

export type StackConfig = { readonly [K in SettingKey]: ValueOf<(typeof SETTINGS)[K]> } & {
  /** `aws:region`. */
  readonly region: string;
};

/** Every problem of a stack's config, one line each. */
export class ConfigError extends Error {
  readonly code = "invalid_config";

  constructor(
    readonly stackName: string,
    readonly problems: readonly string[],
  ) {
    super(
      `Config of stack "${stackName}" has ${problems.length} problem(s):\n${problems.map((line) => `  - ${line}`).join("\n")}`,
    );
    this.name = "ConfigError";
  }
}

type Parsed = { readonly value: unknown } | { readonly expected: string };

/**
 * @param values full keys (`risk:fraud.shards`, `aws:region`) with their text, as the Pulumi runtime holds them; keys of other
 *   namespaces are not looked at
 * @throws ConfigError with all problems: key, what was expected, what was got, and the command that fixes it
 */
export function parseConfig(stack: string, values: Readonly<Record<string, string>>): StackConfig {
  const problems: string[] = [];
  const config: Record<string, unknown> = {};
  for (const [key, setting] of Object.entries<Setting>(SETTINGS)) {
    const raw = values[`${NAMESPACE}:${key}`];
    const result = raw === undefined ? fallback(setting) : parseValue(setting, raw);
    if ("value" in result) config[key] = result.value;
    else problems.push(describe(stack, `${NAMESPACE}:${key}`, result.expected, raw, setting.example));
    if (setting.type === "policy" && "value" in result) {
      problems.push(...policyProblems(stack, key, setting.profile, result.value));
    }
  }
  const region = values["aws:region"];
  if (region === undefined || !/^[a-z]{2}(-[a-z]+)+-\d$/.test(region)) {
    problems.push(describe(stack, "aws:region", "an AWS region", region, "us-east-1"));
  }
  problems.push(...unknownKeys(stack, values));
  // The loop above has filled every key with a value of its setting's type; if one failed, the error below is thrown.
  const parsed = { ...config, region } as StackConfig;
  if (problems.length === 0) problems.push(...contradictions(stack, parsed));
  if (problems.length > 0) throw new ConfigError(stack, problems);
  return Object.freeze(parsed);
}

function describe(stack: string, key: string, expected: string, got: string | undefined, example: string): string {
  const value = /^[\w.@:/-]+$/.test(example) ? example : `'${example}'`;
  const found = got === undefined ? "nothing" : JSON.stringify(got);
  return `${key}: expected ${expected}, got ${found}. Fix: pulumi config set ${key} ${value} --stack ${stack}`;
}

function fallback(setting: Setting): Parsed {
  if (setting.type === "policy") return { value: {} };
  if (setting.default !== undefined) return { value: setting.default };
  return { expected: `a value (${setting.description.replace(/\.$/, "")})` };
}

function parseValue(setting: Setting, raw: string): Parsed {
  switch (setting.type) {
    case "string":
      return setting.pattern.test(raw) ? { value: raw } : { expected: setting.expected };
    case "enum":
      return setting.values.includes(raw) ? { value: raw } : { expected: `one of ${setting.values.join(", ")}` };
    case "boolean":
      return raw === "true" || raw === "false" ? { value: raw === "true" } : { expected: "true or false" };
    case "integer":
      return parseInteger(setting, raw);
    case "policy":
      return parseOverrides(raw);
  }
}

function parseInteger(setting: Extract<Setting, { type: "integer" }>, raw: string): Parsed {
  const { minimum, maximum, multipleOf = 1 } = setting;
  const value = Number(raw);
  if (/^-?\d+$/.test(raw) && value >= minimum && value <= maximum && value % multipleOf === 0) return { value };
  const steps = multipleOf === 1 ? "" : ` in steps of ${multipleOf}`;
  return { expected: `a whole number from ${minimum} to ${maximum}${steps}` };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** `pulumi config set --path` stores fractions as text, so numbers may come in quotes. */
const asNumber = (value: unknown): number =>
  typeof value === "string" && value.trim() !== "" ? Number(value) : typeof value === "number" ? value : Number.NaN;

const GROUPS = ["thresholds", "weights", "bands"] as const;
const OVERRIDES = `an object of ${GROUPS.join(", ")}, each an object of finite numbers`;

function parseOverrides(raw: string): Parsed {
  let document: unknown;
  try {
    document = JSON.parse(raw);
  } catch {
    return { expected: OVERRIDES };
  }
  if (!isRecord(document) || Object.keys(document).some((group) => !GROUPS.some((known) => known === group))) {
    return { expected: OVERRIDES };
  }
  const value: Record<string, Record<string, number>> = {};
  for (const [group, members] of Object.entries(document)) {
    if (!isRecord(members)) return { expected: OVERRIDES };
    const numbers = Object.entries(members).map(([name, member]) => [name, asNumber(member)] as const);
    if (!numbers.every(([, number]) => Number.isFinite(number))) return { expected: OVERRIDES };
    value[group] = Object.fromEntries(numbers);
  }
  return { value };
}

/** Overrides of names that the policy has not would silently change nothing; numbers out of range would stop the functions. */
function policyProblems(stack: string, key: string, profileId: keyof typeof PROFILES, overrides: unknown): string[] {
  const profile = PROFILES[profileId];
  const known = overridable(profile.defaultPolicy);
  // Checked by parseOverrides.
  const groups = overrides as PolicyOverrides;
  return GROUPS.flatMap((group) =>
    Object.entries(groups[group] ?? {}).flatMap(([name, value]) => {
      const path = `${NAMESPACE}:${key}.${group}.${name}`;
      if (!known[group].includes(name)) {
        const hint = didYouMean(name, known[group]);
        return [
          `${path}: the ${profileId} policy has no such name.${hint} Fix: pulumi config rm --path '${path}' --stack ${stack}`,
        ];
      }
      const [minimum, maximum] = rangeOf(group, profile.scale);
      if (value >= minimum && value <= maximum) return [];
      return [
        `${path}: expected a number from ${minimum} to ${maximum}, got ${value}. ` +
          `Fix: pulumi config set --path '${path}' ${maximum} --stack ${stack}`,
      ];
    }),
  );
}

function rangeOf(
  group: (typeof GROUPS)[number],
  scale: { readonly max: number; readonly combine: string },
): readonly [number, number] {
  if (group === "bands") return [0, scale.max];
  if (group === "thresholds") return [-1e12, 1e12];
  return scale.combine === "noisy-or" ? [0, 0.999] : [-100, 100];
}

function unknownKeys(stack: string, values: Readonly<Record<string, string>>): string[] {
  const known = Object.keys(SETTINGS);
  return Object.keys(values)
    .filter((key) => key.startsWith(`${NAMESPACE}:`) && !known.includes(key.slice(NAMESPACE.length + 1)))
    .map((key) => {
      const hint = didYouMean(key.slice(NAMESPACE.length + 1), known);
      return `${key}: expected a known key, got one that nothing reads.${hint} Fix: pulumi config rm ${key} --stack ${stack}`;
    });
}

/** Settings that are right each by itself and wrong together. */
function contradictions(stack: string, config: StackConfig): string[] {
  const problems: string[] = [];
  const check = (wrong: boolean, key: SettingKey, expected: string, fix: string) => {
    if (wrong) problems.push(describe(stack, `${NAMESPACE}:${key}`, expected, String(config[key]), fix));
  };
  const { readCapacity, writeCapacity } = {
    readCapacity: config["fraud.readCapacity"],
    writeCapacity: config["fraud.writeCapacity"],
  };
  check(
    config["fraud.readCapacityMax"] < readCapacity,
    "fraud.readCapacityMax",
    `at least fraud.readCapacity (${readCapacity})`,
    String(readCapacity * 4),
  );
  check(
    config["fraud.writeCapacityMax"] < writeCapacity,
    "fraud.writeCapacityMax",
    `at least fraud.writeCapacity (${writeCapacity})`,
    String(writeCapacity * 4),
  );
  check(
    config["lead.routeAlertScore"] < config["lead.routeLogScore"],
    "lead.routeAlertScore",
    `at least lead.routeLogScore (${config["lead.routeLogScore"]})`,
    "95",
  );
  check(
    config["api.auth"] === "cognito" && config["api.cognitoUserPoolArn"] === "",
    "api.cognitoUserPoolArn",
    "a user pool, since api.auth is cognito",
    SETTINGS["api.cognitoUserPoolArn"].example,
  );
  const consumers = config["fraud.shards"] * config["fraud.parallelization"];
  check(
    config.reserveConcurrency && config["fraud.streamMode"] === "provisioned" && config["fraud.reservedConcurrency"] < consumers,
    "fraud.reservedConcurrency",
    `at least fraud.shards × fraud.parallelization (${consumers})`,
    String(consumers),
  );
  const base = config["warehouse.baseCapacityRpu"];
  check(
    config["warehouse.maxCapacityRpu"] < base,
    "warehouse.maxCapacityRpu",
    `at least warehouse.baseCapacityRpu (${base})`,
    String(base),
  );
  return problems;
}
