/** Results of the controls as a table for people and as JSON for programs. */

import type { ControlResult, GraphResult } from "../controls/check-graph";
import type { NotApplicable } from "../controls/not-applicable";
import { paint, table } from "./terminal";

/** How many resources pass a control, are exempt from it, and violate it. */
function counts({ checked, findings }: ControlResult): { passed: number; exempt: number; violating: number } {
  const violating = new Set(findings.filter(({ exemption }) => exemption === undefined).map(({ resource }) => resource));
  const found = new Set(findings.map(({ resource }) => resource));
  return { passed: checked.length - found.size, exempt: found.size - violating.size, violating: violating.size };
}

/** The report of one stack, ending in a line feed. */
export function textReport(stack: string, result: GraphResult): string {
  const relevant = result.results.filter(({ checked }) => checked.length > 0);
  const rows = relevant.map((entry) => {
    const { passed, exempt, violating } = counts(entry);
    return [entry.control.id, entry.control.title, entry.checked.length, passed, exempt, violating];
  });
  const idle = result.results.filter(({ checked }) => checked.length === 0).map(({ control }) => control.id);
  const findings = relevant.flatMap((entry) => entry.findings);
  const accepted = findings.filter(({ exemption }) => exemption !== undefined);
  return [
    paint("bold", `Stack ${stack}`),
    "",
    table(["Control", "Requirement", "Checked", "Passed", "Exempt", "Violations"], rows),
    "",
    ...section(
      "Exempt:",
      accepted,
      ({ control, resource, exemption }) => `${control} ${resource.name}: ${exemption?.reason ?? ""}`,
    ),
    ...section("No resources for these controls:", idle.length > 0 ? [idle.join(", ")] : [], (text) => text),
    ...section(
      "Violations:",
      result.violations,
      ({ control, resource, message }) => `${paint("red", "✗")} ${control} ${resource.name} (${resource.type}): ${message}`,
    ),
    ...section(
      "Exemptions without a violation:",
      result.unusedExemptions,
      ({ control, resource, stacks }) =>
        `${paint("red", "✗")} ${control} ${resource}: no such violation; ` +
        `${stacks === undefined ? "remove it from" : `remove "${stack}" from its stacks in`} controls/exemptions.ts.`,
    ),
  ].join("\n");
}

function section<T>(heading: string, items: readonly T[], line: (item: T) => string): string[] {
  return items.length === 0 ? [] : [heading, ...new Set(items.map((item) => `  ${line(item)}`)), ""];
}

/** The last lines: what was checked, and whether everything is in order. */
export function summary(
  checkedStacks: readonly string[],
  results: readonly GraphResult[],
  apart: readonly NotApplicable[],
): string {
  const violations = results.reduce((sum, { violations: found }) => sum + found.length, 0);
  const unused = results.reduce((sum, { unusedExemptions: found }) => sum + found.length, 0);
  const controls = results[0]?.results.length ?? 0;
  const verdict =
    violations + unused === 0
      ? paint("green", "in order")
      : paint("red", `${violations} violations, ${unused} exemptions without a violation`);
  return [
    ...section("Not checked:", apart, ({ control, reason }) => `${control}: ${reason}`),
    `${controls} controls on ${checkedStacks.join(", ")}: ${verdict}.`,
    "",
  ].join("\n");
}

/** The report of one stack as plain data. */
export function jsonReport(stack: string, result: GraphResult) {
  return {
    stack,
    controls: result.results.map((entry) => ({
      control: entry.control.id,
      alsoKnownAs: entry.control.alsoKnownAs ?? [],
      title: entry.control.title,
      checked: entry.checked.length,
      ...counts(entry),
      findings: entry.findings.map(({ resource, message, exemption }) => ({
        resource: resource.name,
        type: resource.type,
        message,
        ...(exemption === undefined ? {} : { exemptBecause: exemption.reason }),
      })),
    })),
    unusedExemptions: result.unusedExemptions,
  };
}
