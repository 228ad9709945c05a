/** Actions of Glue's JSON API (`AWSGlue.*`). */
import type { Input } from "../messaging/input";
import { type Operation, page } from "../messaging/operations";
import type { GlueService } from "./index";
import { describeJob, describeRun, isOver } from "./run";

/** Largest page of GetJobRuns. */
const PAGE = 200;

export function glueOperations(service: GlueService): Record<string, Operation> {
  const jobArn = (member: string) => (input: Input) => service.jobArn(input.needText(member));
  const now = () => service.ports.context.clock.now();
  return {
    GetJob: {
      fields: ["JobName"],
      resource: jobArn("JobName"),
      run: (input) => ({ Job: describeJob(service.job(input.needText("JobName"))) }),
    },
    StartJobRun: {
      // Capacity is the cloud's: one machine runs a job with what it has.
      fields: [
        "JobName",
        "Arguments",
        "Timeout",
        "WorkerType",
        "NumberOfWorkers",
        "MaxCapacity",
        "ExecutionClass",
        "SecurityConfiguration",
      ],
      resource: jobArn("JobName"),
      run: (input) => ({
        JobRunId: service.start(input.needText("JobName"), input.textMap("Arguments") ?? {}, input.integer("Timeout", 1, 10_080)),
      }),
    },
    GetJobRun: {
      fields: ["JobName", "RunId", "PredecessorsIncluded"],
      resource: jobArn("JobName"),
      run: (input) => {
        const name = input.needText("JobName");
        return { JobRun: describeRun(service.run(name, input.needText("RunId")), service.findJob(name), now()) };
      },
    },
    GetJobRuns: {
      fields: ["JobName", "MaxResults", "NextToken"],
      resource: jobArn("JobName"),
      run: (input) => {
        const job = service.job(input.needText("JobName"));
        const { items, nextToken } = page(
          service.runs(job.name),
          input.text("NextToken"),
          input.integer("MaxResults", 1, PAGE) ?? PAGE,
        );
        return {
          JobRuns: items.map((run) => describeRun(run, job, now())),
          ...(nextToken === undefined ? {} : { NextToken: nextToken }),
        };
      },
    },
    BatchStopJobRun: {
      fields: ["JobName", "JobRunIds"],
      resource: jobArn("JobName"),
      run: (input) => stopRuns(service, input.needText("JobName"), input.texts("JobRunIds") ?? []),
    },
  };
}

function stopRuns(service: GlueService, jobName: string, ids: readonly string[]): object {
  const stopped: object[] = [];
  const errors: object[] = [];
  for (const id of ids) {
    const run = service.runs(jobName).find((candidate) => candidate.id === id);
    const error = (ErrorCode: string, ErrorMessage: string) =>
      errors.push({ JobName: jobName, JobRunId: id, ErrorDetail: { ErrorCode, ErrorMessage } });
    if (run === undefined) error("EntityNotFoundException", `Job run ${id} of job ${jobName} not found.`);
    else if (isOver(run.state) || !service.stop(run))
      error("JobRunNotInStoppableStateException", `Job run ${id} is ${run.state}: it cannot be stopped any more.`);
    else stopped.push({ JobName: jobName, JobRunId: id });
  }
  return { SuccessfulSubmissions: stopped, Errors: errors };
}
