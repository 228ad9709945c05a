/** Reads a schedule of faults from a JSON document, and names every problem in it. */
import { CALL_FAULTS, FAULT_SERVICES, type FaultRule, type FaultSchedule, MACHINE_FAULTS } from "./schedule";

/** Says what is expected, or nothing if a value is good. */
type Check = (value: unknown) => string | undefined;

const oneOf =
  (choices: readonly string[]): Check =>
  (value) =>
    choices.some((choice) => choice === value) ? undefined : `one of ${choices.join(", ")}`;
const text: Check = (value) => (typeof value === "string" && value !== "" ? undefined : "text");
const seconds: Check = (value) => (isNumber(value) && value >= 0 ? undefined : "a number of seconds from 0");
const period: Check = (value) => (isNumber(value) && value > 0 ? undefined : "a number of seconds above 0");
const count: Check = (value) => (Number.isSafeInteger(value) && Number(value) > 0 ? undefined : "a whole number from 1");
const share: Check = (value) => (isNumber(value) && value >= 0 && value <= 1 ? undefined : "a number from 0 to 1");
const milliseconds: Check = (value) => (isNumber(value) && value >= 0 ? undefined : "a number of milliseconds from 0");

const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);

const SELECTIONS = ["probability", "nth", "every"];

const CALL_FIELDS: Readonly<Record<string, Check>> = {
  kind: oneOf(CALL_FAULTS),
  service: oneOf(FAULT_SERVICES),
  action: text,
  functionName: text,
  probability: share,
  nth: count,
  every: count,
  delayMs: milliseconds,
  times: count,
  fromSeconds: seconds,
  untilSeconds: period,
  repeatSeconds: period,
};

const MACHINE_FIELDS: Readonly<Record<string, Check>> = {
  kind: oneOf(MACHINE_FAULTS),
  fromSeconds: seconds,
  untilSeconds: period,
  repeatSeconds: period,
};

/** @throws Error that lists each problem: the field, what was expected and what was found */
export function readFaultSchedule(document: string, source: string): FaultSchedule {
  const value = parse(document, source);
  const problems = problemsOf(value);
  if (!isSchedule(value, problems))
    throw new Error(
      [
        `${source} is not a schedule of faults:`,
        ...problems.map((problem) => `  ${problem}`),
        "docs/local-runtime.md has an example.",
      ].join("\n"),
    );
  return value;
}

function parse(document: string, source: string): unknown {
  try {
    return JSON.parse(document);
  } catch (error) {
    throw new Error(`${source} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const isSchedule = (_: unknown, problems: readonly string[]): _ is FaultSchedule => problems.length === 0;

function problemsOf(value: unknown): readonly string[] {
  if (!isObject(value)) return [`expected an object {"rules": […]}, got ${shown(value)}`];
  const { rules, description = "none", ...unknown } = value;
  const problems = [
    ...Object.keys(unknown).map((name) => `${name}: unknown field; expected description or rules`),
    ...(typeof description === "string" ? [] : [`description: expected text, got ${shown(description)}`]),
  ];
  if (!Array.isArray(rules) || rules.length === 0) return [...problems, `rules: expected a list of rules, got ${shown(rules)}`];
  return [...problems, ...rules.flatMap((rule, index) => ruleProblems(rule).map((problem) => `rules[${index}]${problem}`))];
}

function ruleProblems(rule: unknown): readonly string[] {
  if (!isObject(rule)) return [`: expected an object, got ${shown(rule)}`];
  const isMachine = MACHINE_FAULTS.some((kind) => kind === rule.kind);
  if (!isMachine && !CALL_FAULTS.some((kind) => kind === rule.kind))
    return [`.kind: expected one of ${[...CALL_FAULTS, ...MACHINE_FAULTS].join(", ")}, got ${shown(rule.kind)}`];
  const fields = isMachine ? MACHINE_FIELDS : CALL_FIELDS;
  return [...fieldProblems(rule, fields), ...(isMachine ? machineProblems(rule) : callProblems(rule)), ...timeProblems(rule)];
}

function fieldProblems(rule: object, fields: Readonly<Record<string, Check>>): readonly string[] {
  return Object.entries(rule).flatMap(([name, value]) => {
    const check = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (check === undefined) return [`.${name}: unknown field; expected one of ${Object.keys(fields).join(", ")}`];
    const expected = check(value);
    return expected === undefined ? [] : [`.${name}: expected ${expected}, got ${shown(value)}`];
  });
}

function callProblems(rule: Readonly<Record<string, unknown>>): readonly string[] {
  const selections = SELECTIONS.filter((name) => rule[name] !== undefined);
  return [
    ...(rule.service === undefined ? [`.service: is missing; expected one of ${FAULT_SERVICES.join(", ")}`] : []),
    ...(selections.length === 1
      ? []
      : [`: expected exactly one of ${SELECTIONS.join(", ")}, got ${selections.join(" and ") || "none"}`]),
    ...(rule.delayMs === undefined || rule.kind === "slow" ? [] : [".delayMs: only for the kind slow; remove it"]),
  ];
}

function machineProblems(rule: Readonly<Record<string, unknown>>): readonly string[] {
  return [
    ...(rule.fromSeconds === undefined ? [".fromSeconds: is missing; expected a number of seconds from 0"] : []),
    ...(rule.kind === "full-disk" && rule.untilSeconds === undefined
      ? [".untilSeconds: is missing; expected the second at which the disk has room again"]
      : []),
    ...(rule.kind === "killed-database" && rule.untilSeconds !== undefined
      ? [".untilSeconds: a killed database is started again at once; remove it"]
      : []),
  ];
}

function timeProblems({ fromSeconds = 0, untilSeconds, repeatSeconds }: Readonly<Record<string, unknown>>): readonly string[] {
  if (!isNumber(fromSeconds) || !isNumber(untilSeconds)) return [];
  if (untilSeconds <= fromSeconds) return [`.untilSeconds: expected more than fromSeconds (${fromSeconds}), got ${untilSeconds}`];
  if (isNumber(repeatSeconds) && repeatSeconds <= untilSeconds - fromSeconds)
    return [
      `.repeatSeconds: expected more than the ${untilSeconds - fromSeconds} s from fromSeconds to untilSeconds, got ${repeatSeconds}`,
    ];
  return [];
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const shown = (value: unknown): string => (value === undefined ? "nothing" : JSON.stringify(value));

/** A rule that a test or a preset wrote in code is held to the same checks. @throws Error */
export function checkRules(rules: readonly FaultRule[]): void {
  const problems = rules.flatMap((rule, index) => ruleProblems(rule).map((problem) => `rules[${index}]${problem}`));
  if (problems.length > 0) throw new Error(`Faults cannot be injected:\n${problems.join("\n")}`);
}
