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

/**
 * In script mode the container installs the script's folder with pip, which wants setuptools from the network unless it is told to
 * use what is there. pip reads 0, false, no and off as "no build isolation" (pypa/pip #5735).
 * @throws Error whose message is SageMaker's FailureReason
 */
export function requireOfflineInstall(container: {
  readonly networkIsolation: boolean;
  readonly environment: Readonly<Record<string, string>>;
}): void {
  const { PIP_NO_BUILD_ISOLATION: value } = container.environment;
  if (!container.networkIsolation || /^(0|f|false|n|no|off)$/i.test(value ?? "")) return;
  throw new Error(
    `AlgorithmError: InstallModuleError: pip install . cannot fetch setuptools in a network-isolated container: PIP_NO_BUILD_ISOLATION is ${value === undefined ? "not set" : `"${value}"`}. Set it to "0" in Environment: pip then builds with the setuptools of the container, exit code: 1`,
  );
}
