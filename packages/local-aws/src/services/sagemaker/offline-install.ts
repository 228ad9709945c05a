/**
 * In script mode the container installs the script's folder with pip, which wants setuptools from the network unless it is told to
 * use what is there. pip reads 0, false, no and off as "no build isolation" (pypa/pip #5735).
 * @throws Error whose message is SageMaker's FailureReason
 */
export function requireOfflineInstall({ PIP_NO_BUILD_ISOLATION: value }: Readonly<Record<string, string>>): void {
  if (/^(0|f|false|n|no|off)$/i.test(value ?? "")) return;
  throw new Error(
    `AlgorithmError: InstallModuleError: pip install . cannot fetch setuptools in a network-isolated container: PIP_NO_BUILD_ISOLATION is ${value === undefined ? "not set" : `"${value}"`}. Set it to "0" in Environment: pip then builds with the setuptools of the container, exit code: 1`,
  );
}
