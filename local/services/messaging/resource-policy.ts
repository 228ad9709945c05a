/** Resource policies (queue, topic, bus, log group) as they apply to a service principal that delivers to the resource. */
import { AwsError } from "../../contracts";

export interface ServiceCall {
  /** `events.amazonaws.com` */
  readonly servicePrincipal: string;
  /** `sqs:SendMessage` */
  readonly action: string;
  readonly resource: string;
  readonly sourceArn: string | undefined;
  readonly accountId: string;
}

type Statement = Readonly<Record<string, unknown>>;

/**
 * Throws `AccessDenied` unless the policy allows the call.
 * A condition operator or key that is not modelled is refused by name rather than guessed.
 */
export function requireServiceAccess(policy: string | undefined, call: ServiceCall): void {
  const statements = policy === undefined || policy === "" ? [] : parseStatements(policy);
  const applying = statements.filter((statement) => applies(statement, call));
  if (applying.some((statement) => statement.Effect === "Deny") || !applying.some((statement) => statement.Effect === "Allow")) {
    throw new AwsError(
      "AccessDenied",
      `${call.servicePrincipal} may not ${call.action} on ${call.resource}${call.sourceArn === undefined ? "" : ` from ${call.sourceArn}`}: ` +
        `its resource policy does not allow it. Add an Allow statement for Principal {"Service": "${call.servicePrincipal}"}.`,
      403,
    );
  }
}

/** Parses a policy document; throws a plain error naming what is malformed. */
export function parseStatements(policy: string): readonly Statement[] {
  const document: unknown = JSON.parse(policy);
  const statement = typeof document === "object" && document !== null && "Statement" in document ? document.Statement : undefined;
  const list: unknown[] = Array.isArray(statement) ? statement : [statement];
  return list.map((item) => {
    if (typeof item !== "object" || item === null)
      throw new AwsError("MalformedPolicyDocument", "Policy.Statement must hold objects");
    return item as Statement;
  });
}

function texts(value: unknown): readonly string[] {
  return (Array.isArray(value) ? value : [value]).filter((item): item is string => typeof item === "string");
}

/** IAM wildcards: `*` any run, `?` one character. */
export function iamMatch(pattern: string, value: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replace(/\*/g, "[^]*")
    .replace(/\?/g, "[^]");
  return new RegExp(`^${source}$`).test(value);
}

function applies(statement: Statement, call: ServiceCall): boolean {
  return (
    principalMatches(statement, call.servicePrincipal) &&
    listed(statement, "Action", (item) => iamMatch(item.toLowerCase(), call.action.toLowerCase())) &&
    listed(statement, "Resource", (item) => iamMatch(item, call.resource)) &&
    conditionsHold(statement.Condition, call)
  );
}

function listed(statement: Statement, key: string, test: (item: string) => boolean): boolean {
  if (statement[key] !== undefined) return texts(statement[key]).some(test);
  if (statement[`Not${key}`] !== undefined) return !texts(statement[`Not${key}`]).some(test);
  return false;
}

function principalMatches(statement: Statement, service: string): boolean {
  if (statement.NotPrincipal !== undefined) throw unsupported("NotPrincipal");
  const principal = statement.Principal;
  if (principal === "*") return true;
  if (typeof principal !== "object" || principal === null) return false;
  const named = principal as Record<string, unknown>;
  return texts(named.AWS).includes("*") || texts(named.Service).some((item) => item === service || item === "*");
}

function conditionsHold(condition: unknown, call: ServiceCall): boolean {
  if (condition === undefined) return true;
  if (typeof condition !== "object" || condition === null) throw unsupported("a Condition that is not an object");
  return Object.entries(condition).every(([operator, pairs]) =>
    Object.entries(pairs as Record<string, unknown>).every(([key, expected]) =>
      conditionHolds(operator, key, texts(expected), call),
    ),
  );
}

function conditionHolds(operator: string, key: string, expected: readonly string[], call: ServiceCall): boolean {
  const actual = contextValue(key, call);
  const optional = operator.endsWith("IfExists");
  const name = optional ? operator.slice(0, -"IfExists".length) : operator;
  if (name === "Null") return expected.includes(String(actual === undefined));
  const negative = /^(String|Arn)Not/.test(name);
  if (actual === undefined) return optional || negative;
  switch (name) {
    case "StringEquals":
      return expected.includes(actual);
    case "StringEqualsIgnoreCase":
      return expected.some((item) => item.toLowerCase() === actual.toLowerCase());
    case "StringNotEquals":
      return !expected.includes(actual);
    case "Bool":
      return expected.some((item) => item.toLowerCase() === actual);
    // ArnEquals and ArnLike behave the same: both take wildcards (IAM reference, "Amazon Resource Name condition operators").
    case "ArnEquals":
    case "ArnLike":
    case "StringLike":
      return expected.some((item) => iamMatch(item, actual));
    case "ArnNotEquals":
    case "ArnNotLike":
    case "StringNotLike":
      return !expected.some((item) => iamMatch(item, actual));
    default:
      throw unsupported(`the condition operator ${operator}`);
  }
}

function contextValue(key: string, call: ServiceCall): string | undefined {
  switch (key.toLowerCase()) {
    case "aws:sourcearn":
      return call.sourceArn;
    case "aws:sourceaccount":
    case "aws:sourceowner":
      return call.accountId;
    case "aws:principalisawsservice":
    // A delivery inside one process never leaves it, which is what the TLS condition protects.
    case "aws:securetransport":
      return "true";
    case "aws:principalorgid":
    case "aws:principalaccount":
    case "aws:principalarn":
      return undefined;
    default:
      throw unsupported(`the condition key ${key}`);
  }
}

function unsupported(what: string): AwsError {
  return new AwsError(
    "NotImplemented",
    `The local runtime does not evaluate ${what} in a resource policy; use another condition or AWS.`,
    501,
  );
}
