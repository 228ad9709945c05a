/** Writes docs/configuration.md from the settings, the default policies and the three stack files. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { PolicyDocument } from "../functions/scoring/core/policy-document";
import { PROFILES } from "../functions/scoring/profiles";
import { SETTINGS, type Setting } from "../stacks/settings";

const STACKS = ["dev", "staging", "prod"] as const;

type Values = Readonly<Record<string, unknown>>;

/** The document as Markdown; `stackValues` are the `config:` sections of the stack files. */
export function configurationDoc(stackValues: Readonly<Record<(typeof STACKS)[number], Values>>): string {
  const rows = Object.entries<Setting>(SETTINGS).map(([key, setting]) => {
    const inStacks = STACKS.map((stack) => shown(settingIn(stackValues[stack], key)));
    return `| \`risk:${key}\` | ${expected(setting)} | ${fallback(setting)} | ${inStacks.join(" | ")} | ${cell(setting.description)} |`;
  });
  return [
    "# Configuration",
    "",
    "Every setting of a stack, with its range, default, and value in the three shipped stacks. `npm run docs` makes this page from `stacks/settings.ts`.",
    "",
    "To change a setting, edit `Pulumi.<stack>.yaml` or use the CLI. `risk:fraud.shards` is the member `shards` of the object `risk:fraud`, so the CLI needs",
    "`--path`; without it, it would make a key with a dot in its name:",
    "",
    "```sh",
    "pulumi config set --path risk:fraud.shards 4 --stack prod",
    "```",
    "",
    "All wrong values, unknown keys and missing keys are reported in one message, each with the command that fixes it. In the table, an empty cell",
    "under a stack means the default.",
    "",
    "| Key | Value | Default | dev | staging | prod | Meaning |",
    "|---|---|---|---|---|---|---|",
    ...rows,
    "",
    "## Policies",
    "",
    "`risk:fraud.policy`, `risk:lead.policy`, `risk:churn.policy` and `risk:device.policy` override numbers of the default policies in",
    "`functions/scoring/profiles/*/policy.ts`. A change touches one SSM parameter and no function; warm functions read it again after `risk:policyTtlSeconds`,",
    "± 20 %.",
    "",
    "```sh",
    "pulumi config set --path risk:fraud.policy.thresholds.high_amount 800 --stack dev",
    "pulumi config set --path risk:fraud.policy.weights.impossible_travel 0.7 --stack dev",
    "```",
    "",
    ...Object.values(PROFILES).flatMap(({ id, defaultPolicy }) => policySection(id, defaultPolicy)),
    "## Exchange rates",
    "",
    "Amounts of all currencies are compared in `risk:fraud.referenceCurrency`: thresholds, sums and means are in its units. `risk:fraud.rates` says how much",
    "of each currency one unit of it buys, or one unit of `base`, so that a published table fits as it is. Like a policy, it is one SSM parameter, which warm",
    "functions read again; an invalid one changes nothing. A currency without a rate is flagged (`currency_unknown`), and no rule judges its amount.",
    "",
    "```yaml",
    "config:",
    "  risk:fraud:",
    "    referenceCurrency: EUR",
    "    rates:",
    '      as_of: "2026-03-01"',
    "      rates:",
    "        USD: 1.08",
    "        JPY: 162.5",
    "```",
    "",
  ].join("\n");
}

function policySection(id: string, policy: PolicyDocument): string[] {
  const thresholds = Object.entries(policy.thresholds ?? {}).map(([name, value]) => `\`${name}\` ${value}`);
  const rules = policy.rules.map((rule) => `| \`${rule.id}\` | ${rule.weight} | ${cell(rule.text)} |`);
  return [
    `### ${id}`,
    "",
    `Bands from: ${policy.bands.map(({ name, min, alert }) => `\`${name}\` ${min}${alert ? " (alerts)" : ""}`).join(", ")}.`,
    ...(thresholds.length === 0 ? [] : [`Thresholds: ${thresholds.join(", ")}.`]),
    "",
    ...(rules.length === 0
      ? ["No rules: the model alone decides.", ""]
      : ["| Rule | Weight | Reason |", "|---|---|---|", ...rules, ""]),
  ];
}

function expected(setting: Setting): string {
  switch (setting.type) {
    case "string":
      return cell(setting.expected);
    case "enum":
      return setting.values.map((value) => `\`${value}\``).join(", ");
    case "integer":
      return `${setting.minimum} to ${setting.maximum}${setting.multipleOf ? `, a multiple of ${setting.multipleOf}` : ""}`;
    case "boolean":
      return "`true`, `false`";
    case "policy":
    case "rates":
    case "eventPattern":
      return "object";
  }
}

function fallback(setting: Setting): string {
  if (setting.type === "policy") return "no overrides";
  if (setting.type === "rates") return "rounded rates";
  if (setting.type === "eventPattern") return "events of source `fraud.events`";
  return setting.default === undefined ? "required" : `\`${setting.default}\``;
}

/** `risk:fraud: {shards: 1}` holds `fraud.shards`. */
function settingIn(values: Values, key: string): unknown {
  const [group = key, member] = key.split(".");
  const value = values[`risk:${group}`];
  if (member === undefined) return value;
  return typeof value === "object" && value !== null ? (value as Values)[member] : undefined;
}

const shown = (value: unknown) =>
  value === undefined ? "" : cell(typeof value === "object" ? JSON.stringify(value) : String(value));
const cell = (text: string) => text.replaceAll("|", "\\|");

/** Reads the stack files below `root`. */
export function stackValues(root: string): Readonly<Record<(typeof STACKS)[number], Values>> {
  const read = (stack: string): Values => {
    const file: { config: Values } = parse(readFileSync(join(root, `Pulumi.${stack}.yaml`), "utf8"));
    return file.config;
  };
  return { dev: read("dev"), staging: read("staging"), prod: read("prod") };
}

if (typeof require !== "undefined" && typeof module !== "undefined" && require.main === module) {
  writeFileSync(join(process.cwd(), "docs", "configuration.md"), configurationDoc(stackValues(process.cwd())));
}
