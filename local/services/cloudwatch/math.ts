/** A subset of CloudWatch metric math: `+ - * /`, parentheses, comparisons, FILL, IF, MIN, MAX, SUM, AVG, ABS. Other functions are refused by name. */
import { AwsError } from "../../contracts";

/** Value by period start (ms). */
export type Series = ReadonlyMap<number, number>;
export type Operand = number | Series | readonly Series[];

const functions = ["FILL", "IF", "MIN", "MAX", "SUM", "AVG", "ABS"];

/**
 * Evaluates an expression over metrics by id. A combination of two series has a value where both do; a division by zero has none.
 * @throws AwsError `ValidationError` naming the token or function.
 */
export function evaluateMath(expression: string, resolve: (id: string) => Series, times: readonly number[]): Series {
  const tokens = expression.match(/\d+\.?\d*(?:[eE][+-]?\d+)?|[A-Za-z_]\w*|==|!=|<=|>=|[-+*/(),<>[\]]|\S/g) ?? [];
  let index = 0;
  const fail = (reason: string) => new AwsError("ValidationError", `Expression "${expression}": ${reason}.`);
  const expect = (token: string) => {
    if (tokens[index++] !== token) throw fail(`expected "${token}", got "${tokens[index - 1] ?? "the end"}"`);
  };
  const chain = (inner: () => Operand, operators: readonly string[]) => (): Operand => {
    let left = inner();
    for (let operator = tokens[index]; operator !== undefined && operators.includes(operator); operator = tokens[index]) {
      index++;
      left = combine(left, inner(), operator, fail);
    }
    return left;
  };
  const primary = (): Operand => {
    const token = tokens[index++];
    if (token === undefined) throw fail("unexpected end");
    if (token === "-") return combine(0, primary(), "-", fail);
    if (token === "(") {
      const value = comparison();
      expect(")");
      return value;
    }
    if (token === "[") {
      const list = arguments_("]").map((item) => asSeries(item, times));
      return list;
    }
    if (/^\d/.test(token)) return Number(token);
    if (!/^[A-Za-z_]/.test(token)) throw fail(`unexpected "${token}"`);
    if (tokens[index] === "(") {
      index++;
      if (!functions.includes(token))
        throw fail(`the function ${token} is not supported by the local runtime; supported: ${functions.join(", ")}`);
      if (token === "FILL" && tokens.slice(index).includes("REPEAT"))
        throw fail("FILL with REPEAT is not supported by the local runtime; use a number");
      return call(token, arguments_(")"), times, fail);
    }
    return resolve(token);
  };
  const arguments_ = (end: string): Operand[] => {
    const list = [comparison()];
    while (tokens[index] === ",") {
      index++;
      list.push(comparison());
    }
    expect(end);
    return list;
  };
  const product = chain(primary, ["*", "/"]);
  const sum = chain(product, ["+", "-"]);
  const comparison = chain(sum, ["<", "<=", ">", ">=", "==", "!="]);
  const result = comparison();
  if (index < tokens.length) throw fail(`unexpected "${tokens[index]}"`);
  if (Array.isArray(result)) throw fail("the result must be one time series");
  return asSeries(result, times);
}

type Fail = (reason: string) => AwsError;

function asSeries(value: Operand, times: readonly number[]): Series {
  if (typeof value === "number") return new Map(times.map((time) => [time, value]));
  return value instanceof Map ? value : new Map();
}

function one(left: number, right: number, operator: string): number | undefined {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return right === 0 ? undefined : left / right;
    case "<":
      return Number(left < right);
    case "<=":
      return Number(left <= right);
    case ">":
      return Number(left > right);
    case ">=":
      return Number(left >= right);
    case "==":
      return Number(left === right);
    default:
      return Number(left !== right);
  }
}

function combine(left: Operand, right: Operand, operator: string, fail: Fail): Operand {
  if (Array.isArray(left) || Array.isArray(right)) throw fail(`${operator} does not take a list`);
  const at = (operand: Operand, time: number) =>
    typeof operand === "number" ? operand : operand instanceof Map ? operand.get(time) : undefined;
  if (typeof left === "number" && typeof right === "number") {
    const value = one(left, right, operator);
    if (value === undefined) throw fail("division by zero");
    return value;
  }
  const base = left instanceof Map ? left : right instanceof Map ? right : new Map<number, number>();
  const result = new Map<number, number>();
  for (const time of base.keys()) {
    const [first, second] = [at(left, time), at(right, time)];
    const value = first === undefined || second === undefined ? undefined : one(first, second, operator);
    if (value !== undefined) result.set(time, value);
  }
  return result;
}

function call(name: string, operands: readonly Operand[], times: readonly number[], fail: Fail): Operand {
  const [first, second, third] = operands;
  if (first === undefined) throw fail(`${name} needs an argument`);
  if (name === "FILL") {
    if (second === undefined || operands.length !== 2 || !(first instanceof Map))
      throw fail("FILL takes a metric and a number or metric");
    const filler = asSeries(second, times);
    return new Map(
      times.flatMap((time): [number, number][] => {
        const value = first.get(time) ?? filler.get(time);
        return value === undefined ? [] : [[time, value]];
      }),
    );
  }
  if (name === "IF") {
    if (second === undefined || operands.length > 3) throw fail("IF takes a condition, a value and perhaps another value");
    const [condition, yes, no] = [
      asSeries(first, times),
      asSeries(second, times),
      third === undefined ? new Map<number, number>() : asSeries(third, times),
    ];
    return new Map(
      [...condition].flatMap(([time, flag]): [number, number][] => {
        const value = (flag === 0 ? no : yes).get(time);
        return value === undefined ? [] : [[time, value]];
      }),
    );
  }
  if (name === "ABS") {
    if (typeof first === "number") return Math.abs(first);
    return new Map([...asSeries(first, times)].map(([time, value]) => [time, Math.abs(value)]));
  }
  const fold = (values: readonly number[]) => {
    if (name === "MIN") return Math.min(...values);
    if (name === "MAX") return Math.max(...values);
    const sum = values.reduce((total, value) => total + value, 0);
    return name === "SUM" ? sum : sum / values.length;
  };
  const list = Array.isArray(first) ? (first as readonly Series[]) : undefined;
  if (list === undefined && operands.length === 1) {
    // Over one series these give a scalar.
    const values = [...asSeries(first, times).values()];
    return values.length === 0 ? new Map() : fold(values);
  }
  const series = list ?? operands.map((operand) => asSeries(operand, times));
  return new Map(
    times.flatMap((time): [number, number][] => {
      const values = series.flatMap((each) => each.get(time) ?? []);
      return values.length === 0 ? [] : [[time, fold(values)]];
    }),
  );
}
