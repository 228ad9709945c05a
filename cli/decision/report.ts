/** A decision for people: what it was made from, every rule, and whether it can be made again. */
import type { FeatureDefinition } from "../../functions/scoring/core/features";
import { featureText } from "../../functions/scoring/core/features";
import type { ComparisonOutcome, ConditionOutcome, RuleOutcome } from "../../functions/scoring/policy/explain";
import { PROFILES, type ProfileId } from "../../functions/scoring/profiles";
import { paint } from "../terminal";
import type { Recalled } from "./recall";

export function decisionReport({ record, rules, recomputed }: Recalled, profile: ProfileId, key: string): string {
  const { definitions } = PROFILES[profile].features;
  const fallback = record.model_fallback === undefined ? "" : `; before it ${record.model_fallback}`;
  const role = record.model_role === undefined ? "" : ` (${record.model_role}${fallback})`;
  const parts = [
    rows([
      ["event", `${record.event_id}, profile ${profile}`],
      ["came by", `${record.source}, ${record.source_position}`],
      ["happened", record.occurred_at],
      ["scored", record.scored_at],
      ["archived in", key],
      ["score", `${record.score} of ${record.score_scale}, ${record.band}`],
      ["policy", record.policy_version],
      ["model", `${record.model_version}${role}`],
      ["flags", record.flags.join(", ") || "none"],
    ]),
    section("Input as archived (personal values are tokens, places rounded)", Object.entries(record.input).map(textRow)),
    section(
      "Features",
      definitions.map((definition) => [definition.name, valueText(definition, record.features[definition.name] ?? Number.NaN)]),
    ),
    `${paint("bold", "Rules")}\n${rules.map((rule) => ruleText(rule, record.input)).join("\n")}`,
    section(
      `Contributions, together ${record.score}`,
      record.reasons.map(({ code, text, contribution }) => [code, `${signed(contribution)}  ${text}`]),
    ),
    `${paint("bold", "Recomputed")} from the archive with policy ${recomputed.policy} and model ${recomputed.model}:\n${verdict(recomputed)}`,
  ];
  return `${parts.join("\n\n")}\n`;
}

function verdict({ identical, score, band, flags, missing }: Recalled["recomputed"]): string {
  const result = identical ? "  bit-identical" : `  not identical: ${score} ${band}, flags ${flags.join(", ") || "none"}`;
  return [result, ...missing.map((sentence) => `  ${sentence}`)].join("\n");
}

type Row = readonly [string, string];

const section = (title: string, lines: readonly Row[]): string =>
  `${paint("bold", title)}\n${lines.length === 0 ? "  none" : rows(lines)}`;

function rows(lines: readonly Row[]): string {
  const width = Math.max(...lines.map(([name]) => name.length));
  return lines.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`).join("\n");
}

const textRow = ([name, value]: [string, unknown]): Row => [name, typeof value === "string" ? value : JSON.stringify(value)];

function valueText({ categories, open, unit }: FeatureDefinition, value: number): string {
  if (!Number.isFinite(value)) return "unknown";
  if (open) return `hash ${value}`;
  return categories === undefined ? `${value}${unit === undefined ? "" : ` ${unit}`}` : featureText(value, categories);
}

function ruleText({ id, weight, fired, condition }: RuleOutcome, input: Readonly<Record<string, unknown>>): string {
  const title = `  ${fired ? paint("yellow", "fired    ") : "not fired"}  ${id} (weight ${weight})`;
  return [title, ...conditionLines(condition, input, "             ")].join("\n");
}

const WORDS = { all: "all of", any: "any of", not: "not" } as const;

function conditionLines(outcome: ConditionOutcome, input: Readonly<Record<string, unknown>>, indent: string): readonly string[] {
  if (outcome.kind === "comparison") return [`${indent}${comparisonText(outcome, input)}`];
  const mark = markOf(outcome);
  return [
    `${indent}${mark} ${WORDS[outcome.kind]}`,
    ...outcome.parts.flatMap((part) => conditionLines(part, input, `${indent}  `)),
  ];
}

/** ✓: as the rule needs it. */
const markOf = ({ holds, negated }: ConditionOutcome): string => (holds === negated ? "✗" : "✓");

function comparisonText(outcome: ComparisonOutcome, input: Readonly<Record<string, unknown>>): string {
  const { field, op, actual, expected, threshold, negated, missedBy } = outcome;
  // A text from an open list is compared by its hash; the text itself is in the input.
  const shown = typeof expected === "string" && typeof actual === "number" ? (input[field] ?? actual) : (actual ?? "unknown");
  const name = threshold === undefined ? "" : ` (${threshold})`;
  const by = missedBy === undefined ? "" : `: ${negated ? "holds" : "missed"} by ${Number(missedBy.toPrecision(6))}`;
  return `${markOf(outcome)} ${field} ${String(shown)} ${op} ${expected}${name}${by}`;
}

const signed = (value: number): string => `${value < 0 ? "" : "+"}${Number(value.toPrecision(6))}`;
