/**
 * IAM policy documents: parsing that refuses what it cannot evaluate, and the evaluation order of AWS (explicit deny,
 * then allow, then implicit deny).
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
import { isRecord } from "@risk/program-graph";
import { type ConditionContext, checkOperators, conditionsHold, matchesWildcard } from "./conditions";

export interface Statement {
  readonly effect: "Allow" | "Deny";
  readonly actions: readonly string[];
  /** The statement is about everything but `actions`. */
  readonly notActions: boolean;
  readonly resources: readonly string[];
  readonly notResources: boolean;
  readonly conditions: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  /** Resource and trust policies; absent in identity policies. */
  readonly principals: PolicyPrincipals | undefined;
}

/** `"*"`, or ids by kind: `{ AWS: [...], Service: [...] }`. */
type PolicyPrincipals = "*" | Readonly<Record<string, readonly string[]>>;

export interface Policy {
  readonly name: string;
  readonly statements: readonly Statement[];
}

export type Verdict = "allow" | "explicit-deny" | "implicit-deny";

/** Who asks a resource policy. */
interface Asker {
  /** ARNs of the caller: the session's and its role's. */
  readonly arns: readonly string[];
  readonly accountId: string | undefined;
  readonly service: string | undefined;
}

export interface Question {
  readonly action: string;
  readonly resource: string;
  readonly context: ConditionContext;
}

const STATEMENT_FIELDS = new Set(["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition", "Principal"]);

/** Variables that every local request has a value for. */
const VARIABLES = new Set([
  "aws:PrincipalArn",
  "aws:PrincipalAccount",
  "aws:SourceArn",
  "aws:SourceAccount",
  "aws:RequestedRegion",
]);

/**
 * Parses a policy document. `name` is used in errors, which name the statement and the fix; whatever could not be
 * evaluated (NotPrincipal, unknown operators or variables) throws.
 */
export function parsePolicy(document: unknown, name: string): Policy {
  const parsed: unknown = typeof document === "string" ? parseJson(document, name) : document;
  if (!isRecord(parsed)) throw new Error(`${name}: a policy document must be a JSON object with "Statement".`);
  for (const field of Object.keys(parsed)) {
    if (!["Version", "Id", "Statement"].includes(field))
      throw new Error(`${name}: unknown policy field '${field}'; expected Version, Id, Statement.`);
  }
  const statements = list(parsed.Statement);
  if (statements.length === 0) throw new Error(`${name}: a policy needs at least one statement.`);
  return { name, statements: statements.map((statement, index) => parseStatement(statement, `${name}, statement ${index}`)) };
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`${name}: the policy document is not JSON: ${(cause as Error).message}`);
  }
}

function parseStatement(raw: unknown, where: string): Statement {
  if (!isRecord(raw)) throw new Error(`${where}: expected an object.`);
  for (const field of Object.keys(raw)) {
    if (!STATEMENT_FIELDS.has(field))
      throw new Error(
        `${where}: the field '${field}' is not supported locally; expected one of ${[...STATEMENT_FIELDS].join(", ")}.`,
      );
  }
  if (raw.Effect !== "Allow" && raw.Effect !== "Deny")
    throw new Error(`${where}: Effect must be "Allow" or "Deny", got ${String(raw.Effect)}.`);
  if ((raw.Action === undefined) === (raw.NotAction === undefined))
    throw new Error(`${where}: expected either Action or NotAction.`);
  if (raw.Resource !== undefined && raw.NotResource !== undefined)
    throw new Error(`${where}: expected either Resource or NotResource.`);
  const resources = strings(raw.Resource ?? raw.NotResource, `${where}: Resource`);
  const conditions = parseConditions(raw.Condition, where);
  for (const text of [...resources, ...Object.values(conditions).flatMap((block) => Object.values(block).flat())])
    checkVariables(text, where);
  return {
    effect: raw.Effect,
    actions: strings(raw.Action ?? raw.NotAction, `${where}: Action`),
    notActions: raw.NotAction !== undefined,
    resources,
    notResources: raw.NotResource !== undefined,
    conditions,
    principals: parsePrincipals(raw.Principal, where),
  };
}

function parseConditions(raw: unknown, where: string): Statement["conditions"] {
  if (raw === undefined) return {};
  if (!isRecord(raw)) throw new Error(`${where}: Condition must be an object of operators.`);
  checkOperators(Object.keys(raw), where);
  return Object.fromEntries(
    Object.entries(raw).map(([operator, block]) => {
      if (!isRecord(block)) throw new Error(`${where}: Condition.${operator} must be an object of condition keys.`);
      return [
        operator,
        Object.fromEntries(
          Object.entries(block).map(([key, value]) => [key, strings(value, `${where}: Condition.${operator}.${key}`)]),
        ),
      ];
    }),
  );
}

function parsePrincipals(raw: unknown, where: string): PolicyPrincipals | undefined {
  if (raw === undefined || raw === "*") return raw;
  if (!isRecord(raw))
    throw new Error(`${where}: Principal must be "*" or an object such as { "Service": "lambda.amazonaws.com" }.`);
  return Object.fromEntries(Object.entries(raw).map(([kind, ids]) => [kind, strings(ids, `${where}: Principal.${kind}`)]));
}

function checkVariables(text: string, where: string): void {
  for (const [, variable = ""] of text.matchAll(/\$\{([^}]*)\}/g)) {
    if (!VARIABLES.has(variable) && !["*", "?", "$"].includes(variable)) {
      throw new Error(
        `${where}: the policy variable '\${${variable}}' is not supported locally; use one of ${[...VARIABLES].join(", ")} or a literal value.`,
      );
    }
  }
}

function strings(value: unknown, where: string): string[] {
  return list(value).map((item) => {
    if (typeof item !== "string" && typeof item !== "number" && typeof item !== "boolean")
      throw new Error(`${where} must be a string or a list of strings.`);
    return String(item);
  });
}

function list(value: unknown): unknown[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}

/** Evaluates identity policies. */
export function evaluateIdentity(policies: readonly Policy[], question: Question): Verdict {
  return combine(
    policies.flatMap((policy) => policy.statements),
    question,
  );
}

/**
 * Evaluates a resource policy for a caller. A grant to the whole account (its root) only delegates to identity policies,
 * so it is not an allow by itself; a deny to it counts.
 */
export function evaluateResource(policy: Policy, question: Question, asker: Asker): Verdict {
  return combine(
    policy.statements.filter((statement) => principalMatches(statement, asker)),
    question,
  );
}

/** Whether a resource policy leaves the question to the IAM policies of the account: an Allow for its root. */
export function delegatesToAccount(policy: Policy, question: Question, accountId: string): boolean {
  return policy.statements.some(
    (statement) =>
      statement.effect === "Allow" &&
      applies(statement, question) &&
      typeof statement.principals === "object" &&
      (statement.principals.AWS ?? []).some((id) => accountOf(id) === accountId),
  );
}

/** The account that a principal (`arn:aws:iam::111122223333:root`, `111122223333`) stands for. */
const accountOf = (id: string): string | undefined => /^(?:arn:aws[a-z-]*:iam::)?(\d{12})(?::root)?$/.exec(id)?.[1];

function combine(statements: readonly Statement[], question: Question): Verdict {
  const applying = statements.filter((statement) => applies(statement, question));
  if (applying.some((statement) => statement.effect === "Deny")) return "explicit-deny";
  return applying.length > 0 ? "allow" : "implicit-deny";
}

function applies(statement: Statement, question: Question): boolean {
  const action = statement.actions.some((pattern) => matchesWildcard(pattern.toLowerCase(), question.action.toLowerCase()));
  if (action === statement.notActions) return false;
  // Trust policies have no Resource: they are about the role they belong to.
  if (statement.resources.length > 0) {
    const resource = statement.resources.some((pattern) =>
      matchesWildcard(substitute(pattern, question.context), question.resource),
    );
    if (resource === statement.notResources) return false;
  }
  const conditions = Object.fromEntries(
    Object.entries(statement.conditions).map(([operator, block]) => [
      operator,
      Object.fromEntries(
        Object.entries(block).map(([key, values]) => [key, values.map((value) => substitute(value, question.context))]),
      ),
    ]),
  );
  return conditionsHold(conditions, question.context);
}

function substitute(text: string, context: ConditionContext): string {
  if (!text.includes("${")) return text;
  return text.replace(/\$\{([^}]*)\}/g, (whole, variable: string) => {
    if (["*", "?", "$"].includes(variable)) return variable;
    const value = context[variable];
    // AWS: a statement whose variable has no value for the request does not match.
    return typeof value === "string" ? value : whole;
  });
}

function principalMatches(statement: Statement, asker: Asker): boolean {
  const { principals } = statement;
  if (principals === undefined || principals === "*") return principals === "*";
  const service = asker.service;
  if (service !== undefined && (principals.Service ?? []).includes(service)) return true;
  return (principals.AWS ?? []).some((id) => {
    if (id === "*") return true;
    if (asker.arns.includes(id)) return true;
    return asker.accountId !== undefined && accountOf(id) === asker.accountId && statement.effect === "Deny";
  });
}
