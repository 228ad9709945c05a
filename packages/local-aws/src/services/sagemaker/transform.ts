/** Batch transform jobs: CreateTransformJob, DescribeTransformJob, StopTransformJob. */
import type { JobPorts } from "../jobs/ports";
import type { Model } from "./models";
import { NamedJobs } from "./named-jobs";
import { read } from "./request";
import { TRANSFORM } from "./transform-request";
import { runTransform } from "./transform-run";

export const transformJobs = (ports: JobPorts, models: { get(name: string): Model }): NamedJobs =>
  new NamedJobs(ports, {
    name: "Transform",
    shape: TRANSFORM,
    describe: () => ({}),
    entered: () => ({}),
    prepare: (input, { change }) => {
      const request = read(TRANSFORM, input);
      const model = models.get(request.ModelName);
      const onStarted = () => change({ workingMs: ports.context.clock.now() });
      return (control, folder) => runTransform({ ports, control, request, model, folder, onStarted });
    },
  });
