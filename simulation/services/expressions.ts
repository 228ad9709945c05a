/** DynamoDB's condition expressions, as far as the platform writes them: comparisons, attribute_[not_]exists, AND, OR, parentheses. */
import type { AttributeValue } from "@aws-sdk/client-dynamodb";

export type Item = Record<string, AttributeValue>;

export interface Condition {
  readonly expression: string;
  readonly names: Readonly<Record<string, string>>;
  readonly values: Item;
}

const TOKEN = /\s*(\(|\)|<=|>=|<>|<|>|=|[#:\w]+)/y;

/** @throws Error for an expression that is not modelled */
export function holds({ expression, names, values }: Condition, item: Item | undefined): boolean {
  const tokens = tokenise(expression);
  let at = 0;
  const peek = (): string | undefined => tokens[at];
  const take = (): string => tokens[at++] ?? unmodelled(expression);
  const expect = (token: string): void => {
    if (take() !== token) unmodelled(expression);
  };
  const operand = (token: string): AttributeValue | undefined =>
    token.startsWith(":") ? values[token] : item?.[names[token] ?? token];

  const factor = (): boolean => {
    const token = take();
    if (token === "(") {
      const inner = either();
      expect(")");
      return inner;
    }
    if (token === "attribute_not_exists" || token === "attribute_exists") {
      expect("(");
      const present = operand(take()) !== undefined;
      expect(")");
      return token === "attribute_exists" ? present : !present;
    }
    const operator = take();
    return compare(operand(token), operator, operand(take()), expression);
  };
  const both = (): boolean => {
    let result = factor();
    while (peek() === "AND") {
      take();
      result = factor() && result;
    }
    return result;
  };
  const either = (): boolean => {
    let result = both();
    while (peek() === "OR") {
      take();
      result = both() || result;
    }
    return result;
  };
  const result = either();
  if (at < tokens.length) unmodelled(expression);
  return result;
}

function tokenise(expression: string): string[] {
  const tokens: string[] = [];
  for (let at = 0; at < expression.trimEnd().length; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(expression);
    if (match === null) unmodelled(expression);
    tokens.push(match[1]!);
  }
  return tokens;
}

/** A comparison with a missing attribute, or of two types, doesn't hold. */
function compare(
  left: AttributeValue | undefined,
  operator: string,
  right: AttributeValue | undefined,
  expression: string,
): boolean {
  const order = orderOf(left, right);
  if (order === undefined) return false;
  switch (operator) {
    case "=":
      return order === 0;
    case "<>":
      return order !== 0;
    case "<":
      return order < 0;
    case "<=":
      return order <= 0;
    case ">":
      return order > 0;
    case ">=":
      return order >= 0;
    default:
      return unmodelled(expression);
  }
}

function orderOf(left: AttributeValue | undefined, right: AttributeValue | undefined): number | undefined {
  if (left?.S !== undefined && right?.S !== undefined) return Buffer.compare(Buffer.from(left.S), Buffer.from(right.S));
  if (left?.N !== undefined && right?.N !== undefined) return Number(left.N) - Number(right.N);
  if (left?.B !== undefined && right?.B !== undefined) return Buffer.compare(left.B, right.B);
  return undefined;
}

function unmodelled(expression: string): never {
  throw new Error(
    `The simulated DynamoDB doesn't know the expression "${expression}"; add it to simulation/services/expressions.ts.`,
  );
}
