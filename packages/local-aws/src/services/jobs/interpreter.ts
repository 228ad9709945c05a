/** The interpreter of jobs: the Python environment of the checkout, made at the first run that needs it. */
import { pythonEnvironment, requireJava } from "./environment";
import type { InterpreterSource } from "./ports";

export const localInterpreter: InterpreterSource = async ({ java }) => {
  if (java) requireJava();
  const python = await pythonEnvironment();
  const javaHome = process.env.JAVA_HOME;
  return { python, ...(java && javaHome !== undefined && javaHome !== "" ? { javaHome } : {}) };
};
