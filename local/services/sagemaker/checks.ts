/** Checks that requests of several SageMaker actions share. */
import type { Input } from "../messaging/input";

const NAME = /^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$/;
/** Where containers find their files; on one machine it is a folder of the job. */
const OPT_ML = /^("?)\/opt\/ml(?=\/|"|$)/;

/** @throws AwsError ValidationException */
export function nameIn(input: Input, field: string): string {
  const name = input.needText(field);
  if (!NAME.test(name)) throw input.error(`${field} must be 1 to 63 letters, digits and inner hyphens, got '${name}'`);
  return name;
}

export function oneOf<T extends string>(input: Input, field: string, allowed: readonly T[]): T | undefined {
  const value = input.text(field);
  const found = allowed.find((one) => one === value);
  if (value !== undefined && found === undefined)
    throw input.error(`${field} must be ${allowed.join(" or ")} on one machine, got '${value}'`);
  return found;
}

/** Values that name a path of the container, with the job's folder in its place. */
export function withLocalPaths(values: Readonly<Record<string, string>>, optMl: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, value.replace(OPT_ML, (_, quote: string) => quote + optMl)]),
  );
}

/** Hyperparameters may be JSON text, as the SageMaker SDK sends them: `"train.py"` with its quotes. */
export function plainText(value: string | undefined): string | undefined {
  if (value === undefined || !value.startsWith('"')) return value;
  try {
    return String(JSON.parse(value));
  } catch {
    return value;
  }
}
