/** The interpreter of jobs: the Python environment of the checkout, made at the first run that needs it. */
import { dirname } from "node:path";
import { classArchive } from "./class-archive";
import { preparePythonEnvironment, requireJava, runStep } from "./environment";
import { hostsFolder, type InterpreterSource } from "./ports";

export const localInterpreter: InterpreterSource = async ({ java }) => {
  if (!java) return { python: await preparePythonEnvironment(process.cwd()) };
  const javaVersion = requireJava();
  const python = await preparePythonEnvironment(process.cwd());
  const folder = dirname(dirname(python));
  const archive = await classArchive({ python, javaVersion, folder, hosts: hostsFolder(), run: runStep });
  const javaHome = process.env.JAVA_HOME;
  return {
    python,
    ...(javaHome !== undefined && javaHome !== "" ? { javaHome } : {}),
    ...(archive === undefined ? {} : { classArchive: archive }),
  };
};
