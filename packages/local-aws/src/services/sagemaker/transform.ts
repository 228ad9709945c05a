/** Batch transform jobs: CreateTransformJob, DescribeTransformJob, StopTransformJob. */
import type { JobPorts } from "../jobs/ports";
import type { Input } from "../messaging/input";
import type { Operation } from "../messaging/operations";
import type { Model } from "./models";
import { NamedJobs } from "./named-jobs";
import { kept, read } from "./request";
import { TRANSFORM } from "./transform-request";
import { runTransform } from "./transform-run";

export class TransformJobs {
  readonly jobs: NamedJobs;

  constructor(
    private readonly ports: JobPorts,
    private readonly models: { get(name: string): Model },
  ) {
    this.jobs = new NamedJobs(ports, { name: "Transform", describe: () => ({}), entered: () => ({}) });
  }

  operations(): Record<string, Operation> {
    return this.jobs.operations(Object.keys(TRANSFORM), (input) => this.create(input));
  }

  private create(input: Input): string {
    const request = read(TRANSFORM, input);
    const { TransformJobName: name } = request;
    const model = this.models.get(request.ModelName);
    const { clock } = this.ports.context;
    const now = clock.now();
    this.jobs.start(
      { name, status: "InProgress", request: kept(TRANSFORM, input), startedMs: now, modifiedMs: now },
      (control, folder) =>
        runTransform({
          ports: this.ports,
          control,
          request,
          model,
          folder,
          onStarted: () => this.jobs.runs.change(name, { workingMs: clock.now() }),
        }),
    );
    return name;
  }
}
