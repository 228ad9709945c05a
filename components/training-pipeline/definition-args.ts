/** Arguments of the training machine's definition. */
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
  /** For the registry: instance types that the model may be deployed on. */
  readonly servingInstanceType: string;
}

export interface TimedFunction {
  readonly arn: string;
  readonly timeoutSeconds: number;
}

/** Path of the plan in an execution's state. */
export const PLAN = "$.plan.output";
/**
 * Before it runs a script, the container installs the script's folder with `pip install .` (sagemaker_containers `_modules.py`). For that
 * pip fetches setuptools into an isolated environment: always since 25.3, earlier unless setuptools and wheel are installed. A container
 * without a network can't fetch. pip reads the value as the option `build-isolation`, so 0 turns isolation off
 * (pypa/pip #5735).
 */
export const PIP = { PIP_NO_BUILD_ISOLATION: "0" };
