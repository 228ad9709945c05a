/** Evaluators in C, in their own processes: XGBoost's C API, and the trees as nested ifs. Both need gcc. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pythonEnvironment, runPython } from "@risk/local-aws/python-environment";
import type { Ensemble, Tree } from "@risk/tree-kernel";
import { fastest, type Peer, type Subject } from "./peers";

const root = process.cwd();
const folder = join(root, ".local/bench");
const sources = join(root, "bench/peers/native");
/** Rounds per process; the fastest counts. */
const ROUNDS = "3";

/** XGBoost's C API on one thread, called in a C loop. @throws Error if gcc or Python is missing */
export async function xgboostC(subject: Subject): Promise<Peer> {
  return xgboost(subject, "xgboost-c", await pythonEnvironment(root));
}

const OLD_VERSION = "1.7.6";

/** The same with XGBoost 1.7, where a call for one row takes an eighth of the time. Fetched from PyPI once. */
export async function xgboostC17(subject: Subject): Promise<Peer> {
  const python = await pythonEnvironment(root);
  const target = join(folder, `xgboost-${OLD_VERSION}`);
  if (!existsSync(join(target, "xgboost"))) {
    const options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:", "--target", target];
    runPython(python, ["-m", "pip", "install", ...options, `xgboost==${OLD_VERSION}`], `fetching XGBoost ${OLD_VERSION}`);
  }
  return xgboost(subject, "xgboost-c-1.7", python, target);
}

/** @param packages folder of the package; default: the environment's */
function xgboost({ modelFile, rowsFile, width, margins }: Subject, name: string, python: string, packages?: string): Peer {
  let library = join(packages ?? "", "xgboost/lib");
  if (packages === undefined) {
    const print = "import os, xgboost; print(os.path.join(os.path.dirname(xgboost.__file__), 'lib'))";
    library = runPython(python, ["-c", print], "finding XGBoost's library").trim();
  }
  mkdirSync(folder, { recursive: true });
  const program = join(folder, name);
  const paths = `-Wl,-rpath,${library}:${join(library, "../../xgboost.libs")}`;
  compileC(["-O2", join(sources, "xgboost.c"), "-o", program, join(library, "libxgboost.so"), paths]);
  return processPeer(program, [modelFile], { rowsFile, width, margins });
}

/** The trees as C code, compiled with -O3, which takes minutes for a large model, once. @throws Error if gcc is missing */
export function ifElseC({ ensemble, rowsFile, width, margins }: Subject): Peer {
  const code = ifElseCode(ensemble);
  mkdirSync(folder, { recursive: true });
  const program = join(folder, `c-if-else-${createHash("sha256").update(code).digest("hex").slice(0, 16)}`);
  if (!existsSync(program)) {
    const model = `${program}.c`;
    writeFileSync(model, code);
    compileC(["-O3", model, join(sources, "if-else.c"), "-o", program]);
  }
  return processPeer(program, [], { rowsFile, width, margins });
}

function ifElseCode(ensemble: Ensemble): string {
  const functions = ensemble.trees.map((tree, index) => `static float tree${index}(const float *x) {\n${branch(tree, 0)}\n}`);
  const sums = ensemble.trees.map((_, index) => `  sum += tree${index}(x);`);
  const base = floatText(ensemble.baseMargins[0]!);
  return `${functions.join("\n")}\nfloat predict(const float *x) {\n  float sum = ${base};\n${sums.join("\n")}\n  return sum;\n}\n`;
}

function branch(tree: Tree, node: number): string {
  const value = floatText(tree.value[node]!);
  const [left, right] = [tree.left[node]!, tree.right[node]!];
  if (left < 0) return `return ${value};`;
  if (tree.categories.has(node)) throw new Error("The peer in C only supports numeric splits.");
  const x = `x[${tree.feature[node]}]`;
  // Every comparison with NaN is false, so the negated one sends a missing value left.
  const goesLeft = tree.defaultLeft[node] === 1 ? `!(${x} >= ${value})` : `${x} < ${value}`;
  return `if (${goesLeft}) { ${branch(tree, left)} } else { ${branch(tree, right)} }`;
}

/** Nine digits are enough to restore a float32. */
const floatText = (value: number): string => `${value.toExponential(8)}f`;

function compileC(args: readonly string[]): void {
  execFileSync("gcc", args, { stdio: "pipe" });
}

/** A program that takes ROWS COLUMNS BATCH ROUNDS MARGINS after `first`. Checks its margins, bit for bit. */
function processPeer(program: string, first: readonly string[], subject: Pick<Subject, "rowsFile" | "width" | "margins">): Peer {
  const { rowsFile, width, margins } = subject;
  const out = `${rowsFile}.margins`;
  const rounds = (batch: number): number[] => {
    const args = [...first, rowsFile, String(width), String(batch), ROUNDS, out];
    const env = { ...process.env, OMP_NUM_THREADS: "1" };
    const printed = execFileSync(program, args, { encoding: "utf8", env, stdio: "pipe" });
    return printed.trim().split("\n").map(Number);
  };
  rounds(margins.length);
  if (Buffer.compare(readFileSync(out), new Uint8Array(margins.buffer)) !== 0) throw new Error("Its margins differ from ours.");
  return (batch) => fastest(rounds(batch));
}
