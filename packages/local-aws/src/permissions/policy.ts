/**
 * IAM policy documents: parsing that refuses what it cannot evaluate, and the evaluation order of AWS (explicit deny,
 * then allow, then implicit deny).
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
import { isRecord } from "@risk/program-graph";
import { type ConditionContext, checkOperators, conditionsHold } from "./conditions";
import { literalPattern, matchesWildcard } from "./wildcard";

export interface Statement {
  readonly effect: "Allow" | "Deny";
  /** In lower case: actions are compared without regard to it. */
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

/** What the document is attached to: a role, a resource, or a role as the list of who may assume it. */
export type PolicyKind = "identity" | "resource" | "trust";

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

/** With any other version `${…}` is text: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html */
const VERSION_WITH_VARIABLES = "2012-10-17";
const VERSIONS: readonly unknown[] = [VERSION_WITH_VARIABLES, "2008-10-17", undefined];

/** Variables that every local request has a value for. */
const VARIABLES = new Set([
  "aws:PrincipalArn",
  "aws:PrincipalAccount",
  "aws:SourceArn",
  "aws:SourceAccount",
  "aws:RequestedRegion",
]);

/**
 * Parses a policy document. `name` is used in errors, which name the statement and the fix; whatever AWS refuses, and whatever
 * could not be evaluated (NotPrincipal, unknown operators or variables), throws.
 */
export function parsePolicy(document: unknown, name: string, kind: PolicyKind): Policy {
  const parsed: unknown = typeof document === "string" ? parseJson(document, name) : document;
  if (!isRecord(parsed)) throw new Error(`${name}: a policy document must be a JSON object with "Statement".`);
  for (const field of Object.keys(parsed)) {
    if (!["Version", "Id", "Statement"].includes(field))
      throw new Error(`${name}: unknown policy field '${field}'; expected Version, Id, Statement.`);
  }
  if (!VERSIONS.includes(parsed.Version))
    throw new Error(
      `${name}: Version must be "${VERSION_WITH_VARIABLES}" or "2008-10-17", got ${JSON.stringify(parsed.Version)}.`,
    );
  const statements = list(parsed.Statement);
  if (statements.length === 0) throw new Error(`${name}: a policy needs at least one statement.`);
  const variables = parsed.Version === VERSION_WITH_VARIABLES;
  return {
    name,
    statements: statements.map((statement, index) => parseStatement(statement, `${name}, statement ${index}`, kind, variables)),
  };
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`${name}: the policy document is not JSON: ${(cause as Error).message}`);
  }
}

function parseStatement(raw: unknown, where: string, kind: PolicyKind, variables: boolean): Statement {
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
  const resource = raw.Resource ?? raw.NotResource;
  if (kind === "trust" && resource !== undefined)
    throw new Error(`${where}: a trust policy has no Resource: it is about the role that it belongs to.`);
  if (kind !== "trust" && list(resource).length === 0) throw new Error(`${where}: expected Resource or NotResource.`);
  if (kind === "identity" && raw.Principal !== undefined)
    throw new Error(`${where}: an identity policy has no Principal: it is about the role that it is attached to.`);
  if (kind !== "identity" && raw.Principal === undefined) throw new Error(`${where}: a ${kind} policy needs a Principal.`);
  const readPattern = (text: string): string => (variables ? checkedVariables(text, where) : literalPattern(text, "$"));
  const resources = strings(resource, `${where}: Resource`).map(readPattern);
  const conditions = parseConditions(raw.Condition, where, readPattern);
  return {
    effect: raw.Effect,
    actions: strings(raw.Action ?? raw.NotAction, `${where}: Action`).map((pattern) => pattern.toLowerCase()),
    notActions: raw.NotAction !== undefined,
    resources,
    notResources: raw.NotResource !== undefined,
    conditions,
    principals: parsePrincipals(raw.Principal, where),
  };
}

function parseConditions(raw: unknown, where: string, readPattern: (text: string) => string): Statement["conditions"] {
  if (raw === undefined) return {};
  if (!isRecord(raw)) throw new Error(`${where}: Condition must be an object of operators.`);
  checkOperators(Object.keys(raw), where);
  return Object.fromEntries(
    Object.entries(raw).map(([operator, block]) => {
      if (!isRecord(block)) throw new Error(`${where}: Condition.${operator} must be an object of condition keys.`);
      return [
        operator,
        Object.fromEntries(
          Object.entries(block).map(([key, value]) => [
            key,
            strings(value, `${where}: Condition.${operator}.${key}`).map(readPattern),
          ]),
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

function checkedVariables(text: string, where: string): string {
  for (const [, variable = ""] of text.matchAll(/\$\{([^}]*)\}/g)) {
    if (!VARIABLES.has(variable) && !["*", "?", "$"].includes(variable)) {
      throw new Error(
        `${where}: the policy variable '\${${variable}}' is not supported locally; use one of ${[...VARIABLES].join(", ")} or a literal value.`,
      );
    }
  }
  return text;
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
  const asked = question.action.toLowerCase();
  const action = statement.actions.some((pattern) => matchesWildcard(pattern, asked));
  if (action === statement.notActions) return false;
  // Trust policies have no Resource: they are about the role they belong to.
  if (statement.resources.length > 0) {
    const resource = statement.resources.some((pattern) =>
      matchesWildcard(substitute(pattern, question.context), question.resource),
    );
    if (resource === statement.notResources) return false;
  }
  const operators = Object.entries(statement.conditions);
  if (operators.length === 0) return true;
  const conditions = Object.fromEntries(
    operators.map(([operator, block]) => [
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
    const value = context[variable];
    // The escapes `${*}`, `${?}` and `${$}` stay for the matching, as does a variable without a value, which matches nothing.
    return typeof value === "string" ? literalPattern(value) : whole;
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
