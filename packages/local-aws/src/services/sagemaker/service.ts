/** SageMaker's control plane on one machine: training, models, batch transform and the registry. */
import type { AwsService, Part } from "../../contracts";
import type { JobRuns } from "../jobs/job-runs";
import type { JobPorts } from "../jobs/ports";
import { serviceOf } from "../messaging/operations";
import { Models } from "./models";
import type { NamedJob } from "./named-jobs";
import { furtherPermissions } from "./permissions";
import { Registry } from "./registry";
import { trainingJobs } from "./training";
import { transformJobs } from "./transform";

export class SageMakerService implements AwsService {
  /** The signing name, which the runtime shares: see endpoint.ts. */
  readonly name = "sagemaker";
  readonly permissions: AwsService["permissions"];
  readonly handle: AwsService["handle"];
  readonly registry: Registry;
  private readonly runs: readonly Pick<JobRuns<NamedJob>, "recover" | "shutdown" | "settled">[];

  constructor(ports: JobPorts) {
    const models = new Models(ports);
    this.registry = new Registry(ports);
    const training = trainingJobs(ports);
    const transform = transformJobs(ports, models);
    this.runs = [training.runs, transform.runs];
    const service = serviceOf({
      name: this.name,
      iamPrefix: "sagemaker",
      validationCode: "ValidationException",
      jsonVersion: "1.1",
      operations: {
        ...training.operations(),
        ...models.operations(),
        ...transform.operations(),
        ...this.registry.operations(),
      },
    });
    this.permissions = (request) => {
      const own = service.permissions(request);
      return [...own, ...furtherPermissions(request, own)];
    };
    this.handle = service.handle;
  }

  part(): Part {
    return {
      title: "SageMaker jobs",
      start: () => {
        for (const runs of this.runs) runs.recover();
      },
      end: () => this.each((runs) => runs.shutdown()),
    };
  }

  /** Resolves when no job runs. */
  settled(): Promise<void> {
    return this.each((runs) => runs.settled());
  }

  private async each(work: (runs: (typeof this.runs)[number]) => Promise<void>): Promise<void> {
    await Promise.all(this.runs.map(work));
  }
}
