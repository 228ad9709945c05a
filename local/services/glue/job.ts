/** A Glue job as the program declares it, and the arguments of a run of it. */
import { Fields } from "../../engine/fields";

export interface GlueJob {
  readonly name: string;
  readonly description: string | undefined;
  readonly roleArn: string;
  readonly command: {
    readonly name: "glueetl" | "pythonshell";
    readonly scriptLocation: string;
    readonly pythonVersion: string | undefined;
  };
  readonly defaultArguments: Arguments;
  readonly nonOverridableArguments: Arguments;
  readonly maxConcurrentRuns: number;
  readonly maxRetries: number;
  readonly timeoutMinutes: number;
  readonly glueVersion: string;
  readonly workerType: string | undefined;
  readonly numberOfWorkers: number | undefined;
  readonly maxCapacity: number | undefined;
  readonly executionClass: string;
  readonly securityConfiguration: string | undefined;
  readonly connections: readonly string[];
}

export type Arguments = Readonly<Record<string, string>>;

/** Of a job without one: 480 since Glue 5 (2880 before). */
const DEFAULT_TIMEOUT_MINUTES = 480;

/** @throws Error naming the field of the resource that one machine cannot honour */
export function glueJobOf(inputs: Readonly<Record<string, unknown>>, name: string): GlueJob {
  const owner = `aws:glue/job:Job (${name})`;
  const fields = new Fields(inputs, owner);
  const command = new Fields(fields.record("command"), `${owner}: command`);
  const kind = command.text("name") ?? "glueetl";
  if (kind !== "glueetl" && kind !== "pythonshell")
    throw new Error(`${owner}: command.name '${kind}' does not run on one machine; use glueetl or pythonshell.`);
  const glueVersion = fields.text("glueVersion") ?? "0.9";
  // The local Spark is 3.5; an older Glue would promise another one.
  if (kind === "glueetl" && !/^5\.\d+$/.test(glueVersion))
    throw new Error(`${owner}: glueVersion '${glueVersion}' is not Spark 3.5, which runs here; use "5.0" or "5.1".`);
  const runtime = command.text("runtime");
  if (runtime !== undefined)
    throw new Error(`${owner}: command.runtime is for Ray jobs, which do not run on one machine; leave it out.`);
  return {
    name,
    description: fields.text("description"),
    roleArn: fields.need("roleArn"),
    command: { name: kind, scriptLocation: command.need("scriptLocation"), pythonVersion: command.text("pythonVersion") },
    defaultArguments: texts(fields.record("defaultArguments"), `${owner}: defaultArguments`),
    nonOverridableArguments: texts(fields.record("nonOverridableArguments"), `${owner}: nonOverridableArguments`),
    maxConcurrentRuns:
      new Fields(fields.record("executionProperty"), `${owner}: executionProperty`).number("maxConcurrentRuns") ?? 1,
    maxRetries: fields.number("maxRetries") ?? 0,
    timeoutMinutes: fields.number("timeout") ?? DEFAULT_TIMEOUT_MINUTES,
    glueVersion,
    workerType: fields.text("workerType"),
    numberOfWorkers: fields.number("numberOfWorkers"),
    maxCapacity: fields.number("maxCapacity"),
    executionClass: fields.text("executionClass") ?? "STANDARD",
    securityConfiguration: fields.text("securityConfiguration"),
    connections: fields.texts("connections") ?? [],
  };
}

function texts(record: Readonly<Record<string, unknown>>, owner: string): Arguments {
  const wrong = Object.entries(record).find(([, value]) => typeof value !== "string");
  if (wrong !== undefined) throw new Error(`${owner}: ${wrong[0]} must be a text, got ${JSON.stringify(wrong[1])}.`);
  return record as Arguments;
}

/** What the script gets: defaults, then the run's own, then those that nothing overrides. */
export function mergedArguments(job: GlueJob, own: Arguments): Arguments {
  return { ...job.defaultArguments, ...own, ...job.nonOverridableArguments };
}

/**
 * Special parameters that Glue takes from the arguments and that would do something in the cloud that does not happen here.
 * https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html
 */
const REFUSED = [
  "--additional-python-modules",
  "--python-modules-installer-option",
  "--datalake-formats",
  "--enable-glue-datacatalog",
  "--enable-lakeformation",
  "--enable-rename-algorithm-v2",
  "--scriptLocation",
  "--class",
  "--use-postgres-driver",
  "--user-jars-first",
  "--continuous-log-logGroup",
  "--continuous-log-logStreamPrefix",
  "--custom-logStream-prefix",
];

/** Problems of a run's arguments; empty when all can be honoured. */
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

/** `--name value …`; parameters that only steer Glue itself are passed on as well, as Glue does. */
export function commandLine(merged: Arguments, job: GlueJob, runId: string): string[] {
  return Object.entries({ "--JOB_NAME": job.name, "--JOB_RUN_ID": runId, ...merged }).flat();
}
