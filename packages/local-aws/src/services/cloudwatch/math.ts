/** The arithmetic of CloudWatch metric math: numbers, ids of metrics, `+ - * /` and parentheses. Its functions are refused by name. */
import { AwsError } from "../../contracts";

/** Value by period start (ms). */
export type Series = ReadonlyMap<number, number>;
type Operand = number | Series;

const operators: Readonly<Record<string, (left: number, right: number) => number | undefined>> = {
  "+": (left, right) => left + right,
  "-": (left, right) => left - right,
  "*": (left, right) => left * right,
  "/": (left, right) => (right === 0 ? undefined : left / right),
};

/**
 * Evaluates an expression over metrics by id. A combination of two series has a value where both do; a division by zero has none.
 * @throws AwsError `ValidationError` naming the token or function.
 */
export function evaluateMath(expression: string, resolve: (id: string) => Series): Series {
  const tokens = expression.match(/\d+\.?\d*(?:[eE][+-]?\d+)?|[A-Za-z_]\w*|\S/g) ?? [];
  let index = 0;
  const fail = (reason: string) => new AwsError("ValidationError", `Expression "${expression}": ${reason}.`);
  const chain = (inner: () => Operand, signs: string) => (): Operand => {
    let left = inner();
    for (let sign = tokens[index]; sign !== undefined && signs.includes(sign); sign = tokens[index]) {
      index++;
      left = combine(left, inner(), sign);
    }
    return left;
  };
  const primary = (): Operand => {
    const token = tokens[index++];
    if (token === undefined) throw fail("unexpected end");
    if (token === "-") return combine(0, primary(), "-");
    if (token === "(") {
      const value = sum();
      if (tokens[index++] !== ")") throw fail("a parenthesis is not closed");
      return value;
    }
    if (/^\d/.test(token)) return Number(token);
    if (!/^[A-Za-z_]/.test(token)) throw fail(`unexpected "${token}"`);
    if (tokens[index] === "(")
      throw fail(`the function ${token} is not supported by the local runtime, which knows + - * / and parentheses`);
    return resolve(token);
  };
  const product = chain(primary, "*/");
  const sum = chain(product, "+-");
  const result = sum();
  if (index < tokens.length) throw fail(`unexpected "${tokens[index]}"`);
  if (typeof result === "number") throw fail("it names no metric");
  return result;
}

function combine(left: Operand, right: Operand, sign: string): Operand {
  const apply = operators[sign] ?? (() => undefined);
  if (typeof left === "number" && typeof right === "number") return apply(left, right) ?? new Map();
  const times = [left, right].flatMap((operand) => (typeof operand === "number" ? [] : [...operand.keys()]));
  const at = (operand: Operand, time: number) => (typeof operand === "number" ? operand : operand.get(time));
  return new Map(
    [...new Set(times)].flatMap((time): [number, number][] => {
      const [first, second] = [at(left, time), at(right, time)];
      const value = first === undefined || second === undefined ? undefined : apply(first, second);
      return value === undefined ? [] : [[time, value]];
    }),
  );
}
