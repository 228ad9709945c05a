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

/** @param inputs of an `aws:wafv2/webAcl:WebAcl`. @throws Error naming what has no local meaning */
export function compileFirewall(inputs: Readonly<Record<string, unknown>>, owner: string): Firewall {
  const acl = new Fields(inputs, owner);
  const inspected = inspectionLimit(acl);
  requireOnly("allow", choice(acl, "defaultAction"), "defaultAction");
  const rules = acl
    .items("rules")
    .map((rule) => ({ priority: rule.number("priority") ?? 0, blocks: compileRule(rule) }))
    .sort((a, b) => a.priority - b.priority);
  return (request) => {
    for (const { blocks } of rules) {
      const name = blocks(request, inspected);
      if (name !== undefined) return name;
    }
    return undefined;
  };
}

function inspectionLimit(acl: Fields): number {
  const [bodies] = acl.in("associationConfig").items("requestBodies");
  const name = bodies?.in("apiGateway").text("defaultSizeInspectionLimit") ?? "KB_16";
  return known(inspectionLimits, name, "defaultSizeInspectionLimit");
}

/** The name of the rule, or of the one in its group, that blocks a request. */
type Blocks = (...request: Parameters<Matches>) => string | undefined;

function compileRule(rule: Fields): Blocks {
  const name = rule.need("name");
  const statement = rule.record("statement");
  if (statement.managedRuleGroupStatement !== undefined) {
    requireOnly("none", choice(rule, "overrideAction"), `${name} overrideAction`);
    return managedGroup(new Fields(statement.managedRuleGroupStatement, `${name} managedRuleGroupStatement`));
  }
  requireOnly("block", choice(rule, "action"), `${name} action`);
  const matches = compileStatement(statement, name);
  return (...request) => (matches(...request) ? name : undefined);
}

function managedGroup(group: Fields): Blocks {
  const groupName = group.need("name");
  const rules = known(managedRules, groupName, "managedRuleGroupStatement.name");
  const counted = group.items("ruleActionOverrides").map((override) => {
    known(rules, override.need("name"), `${groupName} ruleActionOverrides[].name`);
    requireOnly("count", choice(override, "actionToUse"), `${groupName} ruleActionOverrides[].actionToUse`);
    return override.need("name");
  });
  const blocking = Object.entries(rules).filter(([name]) => !counted.includes(name));
  return (...request) => {
    const found = blocking.find(([, matches]) => matches(...request));
    return found === undefined ? undefined : `${groupName}#${found[0]}`;
  };
}

/** The one member of an object that stands for a choice: `{ block: {} }`. */
const choice = (fields: Fields, field: string): string => Object.keys(fields.record(field)).join(", ");

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
  requireOnly("MATCH", fields.in("fieldToMatch").in("body").need("oversizeHandling"), "oversizeHandling");
  requireOnly("GT", fields.need("comparisonOperator"), "comparisonOperator");
  const limit = fields.number("size") ?? 0;
  return ({ bodyBytes }, inspected) => bodyBytes > Math.min(inspected, limit);
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
