/** What the states of a training are made from. */
import type { Notices } from "../shared/pipeline-states";
import type { TrainingJob } from "./args";

export interface TrainingDefinitionArgs {
  readonly notices: Notices;
  readonly bucket: string;
  readonly keyArn: string;
  readonly functions: {
    readonly plan: TimedFunction;
    readonly qualityGate: TimedFunction;
    readonly evaluationGate: TimedFunction;
  };
  readonly extractJob: { readonly name: string; readonly timeoutMinutes: number };
  readonly training: TrainingJob;
  readonly image: string;
  readonly trainingRoleArn: string;
  readonly modelRoleArn: string;
  /** Key of the archive of `jobs/sagemaker/`. */
  readonly sourcesKey: string;
  /** Group in the registry: `<prefix><dataset><suffix>`. */
  readonly group: { readonly prefix: string; readonly suffix: string };
  /** For the registry: what the model may be deployed on. */
  readonly servingInstanceType: string;
}

export interface TimedFunction {
  readonly arn: string;
  readonly timeoutSeconds: number;
}

/** Path of the plan in the state of an execution. */
export const PLAN = "$.plan.output";
/**
 * Before it runs a script, the container installs its folder with `pip install .` (sagemaker_containers `_modules.py`), for which
 * pip fetches setuptools into an environment of its own: from 25.3 on always, before that unless setuptools and wheel are there.
 * An isolated container cannot fetch. pip reads the value as that of the option `build-isolation`, so 0 means without
 * (pypa/pip #5735).
 */
export const PIP = { PIP_NO_BUILD_ISOLATION: "0" };
