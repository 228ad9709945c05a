/** Actions of Glue's JSON API (`AWSGlue.*`): what a state machine needs to start, follow and stop a run. */
import { AwsError } from "../../contracts";
import type { Input } from "../messaging/input";
import type { Operation } from "../messaging/operations";
import type { Arguments } from "./job";
import { describeRun, type GlueRun } from "./run";

export interface JobRunner {
  jobArn(name: string): string;
  findRun(jobName: string, id: string): GlueRun | undefined;
  now(): number;
  start(jobName: string, own: Arguments): string;
  stop(id: string): boolean;
}

export function glueOperations(runner: JobRunner): Record<string, Operation> {
  const onJob = (fields: readonly string[], run: (jobName: string, input: Input) => object): Operation => ({
    fields: ["JobName", ...fields],
    resource: (input) => runner.jobArn(input.needText("JobName")),
    run: (input) => run(input.needText("JobName"), input),
  });
  return {
    StartJobRun: onJob(["Arguments"], (jobName, input) => ({
      JobRunId: runner.start(jobName, input.textMap("Arguments") ?? {}),
    })),
    GetJobRun: onJob(["RunId"], (jobName, input) => {
      const id = input.needText("RunId");
      const run = runner.findRun(jobName, id);
      if (run !== undefined) return { JobRun: describeRun(id, run, runner.now()) };
      throw new AwsError("EntityNotFoundException", `Entity not found: job run ${id} of job ${jobName}.`);
    }),
    BatchStopJobRun: onJob(["JobRunIds"], (jobName, input) => stopRuns(runner, jobName, input.texts("JobRunIds") ?? [])),
  };
}

function stopRuns(runner: JobRunner, jobName: string, ids: readonly string[]): object {
  const stopped: object[] = [];
  const errors: object[] = [];
  for (const id of ids) {
    const run = runner.findRun(jobName, id);
    const error = (ErrorCode: string, ErrorMessage: string) =>
      errors.push({ JobName: jobName, JobRunId: id, ErrorDetail: { ErrorCode, ErrorMessage } });
    if (run === undefined) error("EntityNotFoundException", `Job run ${id} of job ${jobName} not found.`);
    else if (runner.stop(id)) stopped.push({ JobName: jobName, JobRunId: id });
    else error("JobRunNotInStoppableStateException", `Job run ${id} is ${run.state}: it cannot be stopped any more.`);
  }
  return { SuccessfulSubmissions: stopped, Errors: errors };
}
