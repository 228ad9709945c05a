/** SageMaker's control plane on one machine: training, models, batch transform and the registry. */
import type { AwsService, Part } from "../../contracts";
import type { JobPorts } from "../jobs/ports";
import { serviceOf } from "../messaging/operations";
import { Models } from "./models";
import { furtherPermissions } from "./permissions";
import { Registry } from "./registry";
import { TrainingJobs } from "./training";
import { TransformJobs } from "./transform";

export { sageMakerBodies } from "./bodies";

export class SageMakerService implements AwsService {
  /** The signing name, which the runtime shares: see {@link sageMakerEndpoint}. */
  readonly name = "sagemaker";
  readonly permissions: AwsService["permissions"];
  readonly handle: AwsService["handle"];
  readonly registry: Registry;
  private readonly training: TrainingJobs;
  private readonly transform: TransformJobs;

  constructor(ports: JobPorts) {
    const models = new Models(ports);
    this.registry = new Registry(ports);
    this.training = new TrainingJobs(ports);
    this.transform = new TransformJobs(ports, models);
    const service = serviceOf({
      name: this.name,
      iamPrefix: "sagemaker",
      validationCode: "ValidationException",
      jsonVersion: "1.1",
      operations: {
        ...this.training.operations(),
        ...models.operations(),
        ...this.transform.operations(),
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
        this.training.jobs.recover();
        this.transform.jobs.recover();
      },
      end: async () => {
        await Promise.all([this.training.jobs.shutdown(), this.transform.jobs.shutdown()]);
      },
    };
  }

  /** Resolves when no job runs. */
  async settled(): Promise<void> {
    await Promise.all([this.training.jobs.settled(), this.transform.jobs.settled()]);
  }
}

/** One service of the signing name `sagemaker`: JSON requests with a target are the control plane's, REST is the runtime's. */
export function sageMakerEndpoint(control: AwsService, runtime: AwsService & Required<Pick<AwsService, "actionOf">>): AwsService {
  const ownerOf = (headers: Readonly<Record<string, string>>) => (headers["x-amz-target"] === undefined ? runtime : control);
  return {
    name: runtime.name,
    actionOf: (request) => runtime.actionOf(request),
    permissions: (request) => ownerOf(request.headers).permissions(request),
    handle: (request) => ownerOf(request.headers).handle(request),
  };
}
