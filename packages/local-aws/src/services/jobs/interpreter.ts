/** The interpreter of jobs: the Python environment of the checkout, made at the first run that needs it. */
import { existsSync } from "node:fs";
import { classArchiveOf, pythonEnvironment, requireJava } from "./environment";
import type { InterpreterSource } from "./ports";

export const localInterpreter: InterpreterSource = async ({ java }) => {
  if (java) requireJava();
  const python = await pythonEnvironment();
  if (!java) return { python };
  const javaHome = process.env.JAVA_HOME;
  const classArchive = classArchiveOf(python);
  return {
    python,
    ...(javaHome !== undefined && javaHome !== "" ? { javaHome } : {}),
    ...(existsSync(classArchive) ? { classArchive } : {}),
  };
};
