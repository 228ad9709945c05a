/** The interpreter of jobs: the Python environment of the checkout, made at the first run that needs it. */
import { preparePythonEnvironment, requireJava } from "../../python/environment";
import type { InterpreterSource } from "./ports";

/** @param root folder of package.json */
export function localInterpreter(root: string = process.cwd()): InterpreterSource {
  return async ({ java }) => {
    if (java) requireJava();
    const python = await preparePythonEnvironment(root);
    const javaHome = process.env.JAVA_HOME;
    return { python, ...(java && javaHome !== undefined && javaHome !== "" ? { javaHome } : {}) };
  };
}
