/** IAM policy documents as controls read them: who may do what to which resources, under which conditions. */
import { isObject } from "../functions/scoring/core/json";

export interface IamStatement {
  readonly sid: string;
  readonly allows: boolean;
  /** In lower case; `*` for a statement about everything except a list. */
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  /** Principals of every kind in one list: `*`, ARNs, account ids, service names. */
  readonly principals: readonly string[];
  readonly conditions: readonly IamCondition[];
}

export interface IamCondition {
  readonly operator: string;
  /** Keys in lower case: condition keys are case-insensitive. */
  readonly key: string;
  readonly values: readonly string[];
}

/** Statements of a document (JSON text or an object); undefined when it is neither. */
export function statementsOf(document: unknown): readonly IamStatement[] | undefined {
  const parsed = typeof document === "string" ? parseJson(document) : document;
  if (!isObject(parsed)) return undefined;
  const statements = Array.isArray(parsed.Statement) ? parsed.Statement : [parsed.Statement];
  return statements.filter(isObject).map((statement, index) => ({
    sid: typeof statement.Sid === "string" ? statement.Sid : `statement ${index + 1}`,
    allows: statement.Effect === "Allow",
    // Everything except a list counts as everything: that is close enough for a control about grants.
    actions: statement.NotAction === undefined ? texts(statement.Action).map((action) => action.toLowerCase()) : ["*"],
    resources: statement.NotResource === undefined ? texts(statement.Resource) : ["*"],
    principals: statement.NotPrincipal === undefined ? principalsOf(statement.Principal) : ["*"],
    conditions: conditionsOf(statement.Condition),
  }));
}

/** The value of JSON text; undefined for other text, which the calling control reports with the field's name. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const texts = (value: unknown): string[] => (Array.isArray(value) ? value : [value]).filter((item) => typeof item === "string");

const principalsOf = (principal: unknown): string[] =>
  isObject(principal) ? Object.values(principal).flatMap(texts) : texts(principal);

const conditionsOf = (condition: unknown): IamCondition[] =>
  Object.entries(isObject(condition) ? condition : {}).flatMap(([operator, keys]) =>
    Object.entries(isObject(keys) ? keys : {}).map(([key, values]) => ({
      operator,
      key: key.toLowerCase(),
      values: texts(values),
    })),
  );

/** Condition keys that tie a request to an account, an organisation or a resource. */
const NARROWING_KEYS = new Set([
  "aws:principalaccount",
  "aws:principalarn",
  "aws:principalorgid",
  "aws:sourceaccount",
  "aws:sourcearn",
  "aws:sourceorgid",
  "aws:sourceowner",
  "aws:sourcevpc",
  "aws:sourcevpce",
  "kms:calleraccount",
]);

const isNarrowing = ({ operator, key, values }: IamCondition): boolean =>
  NARROWING_KEYS.has(key) &&
  /^(StringEquals|StringEqualsIgnoreCase|StringLike|ArnEquals|ArnLike)$/.test(operator) &&
  values.length > 0 &&
  values.every((value) => value !== "*");

/** Whether anyone is allowed: a principal of `*`, and no condition that limits whose request it may be. */
export const isPublic = (statement: IamStatement): boolean =>
  statement.allows &&
  statement.principals.some((principal) => principal === "*" || principal === "arn:aws:iam::*:root") &&
  !statement.conditions.some(isNarrowing);

/** Account ids among the principals, except the stack's own. */
export function foreignAccounts(statement: IamStatement, accountId: string | undefined): string[] {
  if (!statement.allows) return [];
  const accounts = statement.principals.map((principal) => /^(?:arn:[^:]*:[^:]*::)?(\d{12})(?::|$)/.exec(principal)?.[1]);
  return accounts.filter((account) => account !== undefined).filter((account) => account !== accountId);
}

/** Whether an action pattern of an IAM policy (`s3:Get*`) covers an action; both in lower case. */
export function covers(pattern: string, action: string): boolean {
  const expression = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${expression}$`).test(action);
}

/** Whether the statement denies the action to everybody over plain HTTP, on all of the resources. */
export function deniesPlainHttp(statements: readonly IamStatement[], action: string, resources: readonly string[]): boolean {
  const denials = statements.filter(
    ({ allows, actions, principals, conditions }) =>
      !allows &&
      principals.includes("*") &&
      actions.some((pattern) => covers(pattern, action)) &&
      conditions.length === 1 &&
      conditions.every(
        ({ operator, key, values }) => operator === "Bool" && key === "aws:securetransport" && values.join() === "false",
      ),
  );
  return resources.every((resource) => denials.some((denial) => denial.resources.some((pattern) => covers(pattern, resource))));
}
