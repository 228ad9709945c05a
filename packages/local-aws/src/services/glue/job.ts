/** A Glue job as the program declares it, and the arguments of a run of it. */
import { Fields } from "../../engine/fields";

export interface GlueJob {
  readonly name: string;
  readonly roleArn: string;
  readonly scriptLocation: string;
  readonly defaultArguments: Arguments;
  readonly maxConcurrentRuns: number;
  readonly timeoutMinutes: number;
  readonly securityConfiguration: string | undefined;
}

export type Arguments = Readonly<Record<string, string>>;

/** Glue's default since version 5 (2880 before). */
const DEFAULT_TIMEOUT_MINUTES = 480;

/** @throws Error naming the field of the resource that one machine cannot honour */
export function glueJobOf(inputs: Readonly<Record<string, unknown>>, name: string): GlueJob {
  const owner = `aws:glue/job:Job (${name})`;
  const fields = new Fields(inputs, owner);
  const command = fields.in("command");
  const kind = command.text("name") ?? "glueetl";
  if (kind !== "glueetl") throw new Error(`${owner}: command.name '${kind}' does not run on one machine; use glueetl.`);
  const glueVersion = fields.text("glueVersion") ?? "0.9";
  // The local Spark is 3.5; an older Glue would promise another one.
  if (!/^5\.\d+$/.test(glueVersion))
    throw new Error(`${owner}: glueVersion '${glueVersion}' is not Spark 3.5, which runs here; use "5.0" or "5.1".`);
  if (command.text("runtime") !== undefined)
    throw new Error(`${owner}: command.runtime is for Ray jobs, which do not run on one machine; leave it out.`);
  if ((fields.number("maxRetries") ?? 0) !== 0)
    throw new Error(`${owner}: maxRetries must be 0 on one machine: the state machine decides what is tried again.`);
  return {
    name,
    roleArn: fields.need("roleArn"),
    scriptLocation: command.need("scriptLocation"),
    defaultArguments: texts(fields.record("defaultArguments"), `${owner}: defaultArguments`),
    maxConcurrentRuns: fields.in("executionProperty").number("maxConcurrentRuns") ?? 1,
    timeoutMinutes: fields.number("timeout") ?? DEFAULT_TIMEOUT_MINUTES,
    securityConfiguration: fields.text("securityConfiguration"),
  };
}

function texts(record: Readonly<Record<string, unknown>>, owner: string): Arguments {
  const wrong = Object.entries(record).find(([, value]) => typeof value !== "string");
  if (wrong !== undefined) throw new Error(`${owner}: ${wrong[0]} must be a text, got ${JSON.stringify(wrong[1])}.`);
  return record as Arguments;
}

/**
 * Special parameters that have an effect in the cloud and none here.
 * https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html
 */
const REFUSED = [
  "--additional-python-modules",
  "--python-modules-installer-option",
  "--conf",
  "--datalake-formats",
  "--enable-glue-datacatalog",
  "--enable-lakeformation",
  "--enable-rename-algorithm-v2",
  "--extra-files",
  "--scriptLocation",
  "--class",
  "--use-postgres-driver",
  "--user-jars-first",
  "--continuous-log-logGroup",
  "--continuous-log-logStreamPrefix",
  "--custom-logStream-prefix",
];

/** Problems of a run's arguments; empty when there are none. */
export function argumentProblems(merged: Arguments): string[] {
  const problems = REFUSED.filter((name) => merged[name] !== undefined).map(
    (name) => `the parameter ${name} has no effect on one machine; leave it out`,
  );
  const language = merged["--job-language"] ?? "python";
  if (language !== "python") problems.push(`--job-language must be python on one machine, got '${language}'`);
  const bookmark = merged["--job-bookmark-option"] ?? "job-bookmark-disable";
  if (bookmark !== "job-bookmark-disable")
    problems.push(`--job-bookmark-option must be job-bookmark-disable on one machine, got '${bookmark}'`);
  const unnamed = Object.keys(merged).filter((name) => !name.startsWith("--"));
  if (unnamed.length > 0) problems.push(`argument names begin with two hyphens, got ${unnamed.join(", ")}`);
  return problems;
}
