/** A stack's config, parsed once into one readonly object. */
import { RunError } from "@pulumi/pulumi/errors";
import { PROFILES } from "../functions/scoring/profiles";
import { type ConfigPath, pathOf, setCommand } from "./commands";
import { concurrencyContradictions } from "./concurrency";
import { parseEventPattern } from "./event-pattern";
import { namingContradictions } from "./naming-checks";
import { pipelineContradictions } from "./pipeline-checks";
import { parsePolicyOverrides } from "./policy-overrides";
import { parseRateTable } from "./rate-table";
import { SETTINGS, type Setting, type SettingKey } from "./settings";
import type { StackConfig } from "./stack-config";
import { flatten } from "./structured";
import { hasTrigger, triggerContradictions } from "./triggers";
import { warehouseContradictions } from "./warehouse-checks";

/** The project's name is the namespace of its keys: `risk:fraud`. */
export const NAMESPACE = "risk";

/** Every problem of a stack's config, one per line. A RunError, because Pulumi shows only the message of those. */
export class ConfigError extends RunError {
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

/** `fix` is an accepted value, as close as possible to the one given. */
type Parsed = { readonly value: unknown } | { readonly expected: string; readonly fix: string };

/**
 * @param values full keys (`risk:fraud`, `aws:region`) with their text, JSON for objects, as the Pulumi runtime holds them; keys of
 *   other namespaces are ignored
 * @throws ConfigError with all problems: key, what was expected, what was got, and the command that fixes it
 */
export function parseConfig(stack: string, values: Readonly<Record<string, string>>): StackConfig {
  const flat = flatten(stack, NAMESPACE, values, Object.keys(SETTINGS));
  const problems: string[] = [];
  const config: Record<string, unknown> = {};
  for (const [key, setting] of Object.entries<Setting>(SETTINGS)) {
    const raw = flat.values[key];
    if (setting.type === "policy") {
      const parsed = parsePolicyOverrides(
        stack,
        pathOf(NAMESPACE, key),
        raw === undefined ? "{}" : String(raw),
        PROFILES[setting.profile],
      );
      config[key] = parsed.policy;
      problems.push(...parsed.problems);
      continue;
    }
    if (setting.type === "rates") {
      const reference = flat.values["fraud.referenceCurrency"] ?? "USD";
      const parsed = parseRateTable(stack, pathOf(NAMESPACE, key), raw === undefined ? undefined : String(raw), reference);
      config[key] = parsed.rates;
      problems.push(...parsed.problems);
      continue;
    }
    if (setting.type === "eventPattern") {
      const parsed = parseEventPattern(stack, pathOf(NAMESPACE, key), raw);
      config[key] = parsed.pattern;
      problems.push(...parsed.problems);
      continue;
    }
    const result = raw === undefined ? fallback(setting) : parseValue(setting, raw);
    if ("value" in result) config[key] = result.value;
    else problems.push(describe(stack, pathOf(NAMESPACE, key), result.expected, raw, result.fix));
  }
  const region = values["aws:region"];
  if (region === undefined || !/^[a-z]{2}(-[a-z]+)+-\d$/.test(region)) {
    problems.push(describe(stack, ["aws:region"], "an AWS region", region, "us-east-1"));
  }
  problems.push(...flat.problems);
  // The loop above has filled every key with a value of its setting's type; if one failed, the error below is thrown.
  const parsed = { ...config, region } as StackConfig;
  if (problems.length === 0) problems.push(...contradictions(stack, parsed));
  if (problems.length > 0) throw new ConfigError(stack, problems);
  return Object.freeze(parsed);
}

function describe(stack: string, path: ConfigPath, expected: string, got: string | null | undefined, example: string): string {
  const found = got === undefined ? "nothing" : JSON.stringify(got);
  return `${path.join(".")}: expected ${expected}, got ${found}. Fix: ${setCommand(stack, path, example)}`;
}

type PlainSetting = Exclude<Setting, { readonly type: "policy" | "rates" | "eventPattern" }>;

function fallback(setting: PlainSetting): Parsed {
  if (setting.default !== undefined) return { value: setting.default };
  return { expected: `${expectedOf(setting)} (${setting.description.replace(/\.$/, "")})`, fix: setting.example };
}

function expectedOf(setting: PlainSetting): string {
  switch (setting.type) {
    case "string":
      return setting.expected;
    case "enum":
      return `one of ${setting.values.join(", ")}`;
    case "boolean":
      return "true or false";
    case "integer": {
      const steps = setting.multipleOf === undefined ? "" : ` in steps of ${setting.multipleOf}`;
      return `a whole number from ${setting.minimum} to ${setting.maximum}${steps}`;
    }
  }
}

function parseValue(setting: PlainSetting, raw: string | null): Parsed {
  const refused = { expected: expectedOf(setting), fix: setting.example };
  if (raw === null) return refused;
  switch (setting.type) {
    case "string":
      return setting.pattern.test(raw) ? { value: raw } : refused;
    case "enum":
      return setting.values.includes(raw) ? { value: raw } : refused;
    case "boolean":
      return raw === "true" || raw === "false" ? { value: raw === "true" } : refused;
    case "integer": {
      if (!/^-?\d+$/.test(raw)) return refused;
      const value = Number(raw);
      const { minimum, maximum, multipleOf = 1 } = setting;
      const accepted = Math.min(maximum, Math.max(minimum, Math.ceil(value / multipleOf) * multipleOf));
      return value === accepted ? { value } : { ...refused, fix: String(accepted) };
    }
  }
}

/** Settings that are each valid but contradict each other. */
function contradictions(stack: string, config: StackConfig): string[] {
  const problems: string[] = [];
  const check = (wrong: boolean, key: SettingKey, expected: string, fix: string) => {
    if (wrong) problems.push(describe(stack, pathOf(NAMESPACE, key), expected, String(config[key]), fix));
  };
  const { readCapacity, writeCapacity } = {
    readCapacity: config["fraud.readCapacity"],
    writeCapacity: config["fraud.writeCapacity"],
  };
  check(
    config["fraud.readCapacityMax"] < readCapacity,
    "fraud.readCapacityMax",
    `at least fraud.readCapacity (${readCapacity})`,
    String(Math.min(readCapacity * 4, SETTINGS["fraud.readCapacityMax"].maximum)),
  );
  check(
    config["fraud.writeCapacityMax"] < writeCapacity,
    "fraud.writeCapacityMax",
    `at least fraud.writeCapacity (${writeCapacity})`,
    String(Math.min(writeCapacity * 4, SETTINGS["fraud.writeCapacityMax"].maximum)),
  );
  check(
    config["lead.routeAlertScore"] < config["lead.routeLogScore"],
    "lead.routeAlertScore",
    `at least lead.routeLogScore (${config["lead.routeLogScore"]})`,
    String(config["lead.routeLogScore"]),
  );
  check(
    config["api.auth"] === "cognito" && config["api.cognitoUserPoolArn"] === "",
    "api.cognitoUserPoolArn",
    "a user pool, since api.auth is cognito",
    SETTINGS["api.cognitoUserPoolArn"].example,
  );
  const consumers = config["fraud.shards"] * config["fraud.parallelization"];
  check(
    config.reserveConcurrency &&
      hasTrigger(config, "kinesis") &&
      config["fraud.capacityMode"] === "provisioned" &&
      config["fraud.reservedConcurrency"] < consumers,
    "fraud.reservedConcurrency",
    `at least fraud.shards × fraud.parallelization (${consumers})`,
    String(consumers),
  );
  const usefulHours = Math.max(24, Math.ceil(config["fraud.maxAgeSeconds"] / 3600));
  check(
    config["fraud.retentionHours"] > usefulHours,
    "fraud.retentionHours",
    `at most ${usefulHours}, since older records are given up after fraud.maxAgeSeconds and keeping them is useless`,
    String(usefulHours),
  );
  const base = config["warehouse.baseCapacityRpu"];
  check(
    config["warehouse.maxCapacityRpu"] < base,
    "warehouse.maxCapacityRpu",
    `at least warehouse.baseCapacityRpu (${base})`,
    String(base),
  );
  const loadMinutes = minutesOf(config["warehouse.loadSchedule"]);
  check(
    config["warehouse.enabled"] && config["warehouse.freshnessAlarmMinutes"] <= loadMinutes,
    "warehouse.freshnessAlarmMinutes",
    `more than the ${loadMinutes} minutes of warehouse.loadSchedule, or every object would raise the alarm`,
    String(loadMinutes * 2),
  );
  for (const { key, expected, fix } of [
    ...triggerContradictions(config),
    ...namingContradictions(config),
    ...concurrencyContradictions(config),
    ...warehouseContradictions(config),
    ...pipelineContradictions(config),
  ])
    check(true, key, expected, fix);
  return problems;
}

/** Minutes of a schedule that matches the setting's pattern: `rate(2 hours)` is 120. */
function minutesOf(schedule: string): number {
  const unit = schedule.includes("minute") ? 1 : schedule.includes("hour") ? 60 : 1440;
  return Number(/\d+/.exec(schedule)?.[0]) * unit;
}
