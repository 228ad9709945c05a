/**
 * A web ACL in front of a stage, as far as it affects legitimate calls: the program's own rules, and the two rules of AWS's common
 * rule set that stop API clients. Rules that look for attacks match nothing here.
 */
import { Fields } from "../../engine/fields";

interface FirewallRequest {
  /** With the stage: `/v1/score`. */
  readonly path: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly bodyBytes: number;
}

/** Returns the name of the rule that blocks a request, or undefined if it may pass. */
export type Firewall = (request: FirewallRequest) => string | undefined;

type Matches = (request: FirewallRequest, inspectedBytes: number) => boolean;

/** https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-baseline.html */
const managedRules: Readonly<Record<string, Readonly<Record<string, Matches>>>> = {
  AWSManagedRulesCommonRuleSet: {
    NoUserAgent_HEADER: ({ headers }) => (headers["user-agent"] ?? "") === "",
    SizeRestrictions_BODY: ({ bodyBytes }, inspected) => Math.min(bodyBytes, inspected) > 8192,
  },
  AWSManagedRulesKnownBadInputsRuleSet: {},
};

/** https://docs.aws.amazon.com/waf/latest/developerguide/web-acl-setting-body-inspection-limit.html */
const inspectionLimits: Readonly<Record<string, number>> = { KB_16: 16_384, KB_32: 32_768, KB_48: 49_152, KB_64: 65_536 };

/** @param inputs of an `aws:wafv2/webAcl:WebAcl`. @throws Error naming a statement or a rule that has no local meaning. */
export function compileFirewall(inputs: Readonly<Record<string, unknown>>, owner: string): Firewall {
  const acl = new Fields(inputs, owner);
  const inspected = inspectionLimit(acl);
  const defaultBlocks = "block" in acl.record("defaultAction");
  const rules = acl
    .items("rules")
    .map(compileRule)
    .sort((a, b) => a.priority - b.priority);
  return (request) => {
    for (const { apply } of rules) {
      const verdict = apply(request, inspected);
      if (verdict !== undefined) return verdict.blockedBy;
    }
    return defaultBlocks ? "the default action" : undefined;
  };
}

function inspectionLimit(acl: Fields): number {
  const [bodies] = acl.in("associationConfig").items("requestBodies");
  const name = bodies?.in("apiGateway").text("defaultSizeInspectionLimit") ?? "KB_16";
  return known(inspectionLimits, name, "defaultSizeInspectionLimit");
}

/** The end of an evaluation: a rule allowed the request, or blocked it. */
interface Verdict {
  readonly blockedBy: string | undefined;
}

interface Rule {
  readonly priority: number;
  readonly apply: (request: FirewallRequest, inspected: number) => Verdict | undefined;
}

function compileRule(rule: Fields): Rule {
  const name = rule.need("name");
  const priority = rule.number("priority") ?? 0;
  const statement = rule.record("statement");
  if (statement.managedRuleGroupStatement !== undefined) {
    const counts = "count" in rule.record("overrideAction");
    const stops = managedGroup(new Fields(statement.managedRuleGroupStatement, `${name} managedRuleGroupStatement`));
    return { priority, apply: (...request) => (counts ? undefined : stops(...request)) };
  }
  const matches = compileStatement(statement, name);
  const action = Object.keys(rule.record("action"));
  const verdicts = { block: { blockedBy: name }, allow: { blockedBy: undefined }, count: undefined };
  const verdict = known(verdicts, action[0] ?? "", `${name} action`);
  return { priority, apply: (...request) => (matches(...request) ? verdict : undefined) };
}

function managedGroup(group: Fields): Rule["apply"] {
  const groupName = group.need("name");
  const rules = known(managedRules, groupName, "managedRuleGroupStatement.name");
  const overrides = new Map(
    group.items("ruleActionOverrides").map((override) => {
      known(rules, override.need("name"), `${groupName} ruleActionOverrides[].name`);
      return [override.need("name"), Object.keys(override.record("actionToUse"))[0]] as const;
    }),
  );
  return (...request) => {
    for (const [name, matches] of Object.entries(rules)) {
      const action = overrides.get(name) ?? "block";
      if (action === "count" || !matches(...request)) continue;
      return { blockedBy: action === "allow" ? undefined : `${groupName}#${name}` };
    }
    return undefined;
  };
}

function compileStatement(statement: unknown, rule: string): Matches {
  const [[kind, value] = ["", undefined]] = Object.entries(statement ?? {}).filter(([, entry]) => entry !== undefined);
  const fields = new Fields(value, `${rule} ${kind}`);
  switch (kind) {
    case "andStatement": {
      const all = fields.list("statements").map((entry) => compileStatement(entry, rule));
      return (...request) => all.every((matches) => matches(...request));
    }
    case "notStatement": {
      const negated = compileStatement(fields.record("statement"), rule);
      return (...request) => !negated(...request);
    }
    case "sizeConstraintStatement":
      return bodySize(fields);
    case "byteMatchStatement":
      return pathMatch(fields);
    case "rateBasedStatement":
      // All calls on one machine come from one address.
      return () => false;
    default:
      throw new Error(
        `${rule}: the statement "${kind}" has no local meaning; packages/local-aws/src/services/apigateway/firewall.ts lists those that have.`,
      );
  }
}

function bodySize(fields: Fields): Matches {
  const oversize = fields.in("fieldToMatch").in("body").need("oversizeHandling");
  requireOnly("GT", fields.need("comparisonOperator"), "comparisonOperator");
  const limit = fields.number("size") ?? 0;
  return ({ bodyBytes }, inspected) => {
    if (bodyBytes > inspected && oversize !== "CONTINUE") return oversize === "MATCH";
    return Math.min(bodyBytes, inspected) > limit;
  };
}

function pathMatch(fields: Fields): Matches {
  if (!("uriPath" in fields.record("fieldToMatch"))) throw new Error("byteMatchStatement: only uriPath is matched here.");
  requireOnly("ENDS_WITH", fields.need("positionalConstraint"), "positionalConstraint");
  const part = fields.need("searchString");
  return ({ path }) => path.endsWith(part);
}

function requireOnly(value: string, got: string, field: string): void {
  if (got !== value) throw new Error(`${field}: only ${value} has a local meaning, got ${got}.`);
}

function known<T>(entries: Readonly<Record<string, T>>, name: string, field: string): T {
  if (Object.hasOwn(entries, name)) return entries[name] as T;
  throw new Error(`${field}: expected one of ${Object.keys(entries).join(", ")}, got ${JSON.stringify(name)}.`);
}
