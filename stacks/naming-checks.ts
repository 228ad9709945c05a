/** The buckets whose names come from settings, and a check that S3 would accept the names. */

import { dataBucketName, type Naming, PhysicalNameError, pipelineBucketName } from "../components/shared/naming";
import type { Contradiction, StackConfig } from "./stack-config";

/** Logical name of the stream processor. */
export const STREAM = "fraud";
/** Logical name of the store of the pipelines. */
export const PIPELINE_STORE = "pipelines";

export const namingOf = ({ environment, suffix }: StackConfig): Naming => ({ environment, suffix });

export const dataBucketOf = (config: StackConfig): string =>
  dataBucketName(STREAM, namingOf(config), config.region, config.bucketPrefix);

export const pipelineBucketOf = (config: StackConfig): string =>
  pipelineBucketName(PIPELINE_STORE, namingOf(config), config.region, config.bucketPrefix);

/** The name with the most characters too many; the shortest prefix that the setting allows always corrects it. */
export function namingContradictions(config: StackConfig): Contradiction[] {
  const names = config["pipelines.enabled"] ? [dataBucketOf, pipelineBucketOf] : [dataBucketOf];
  const [longest] = names.flatMap((name) => refusal(() => name(config))).sort((a, b) => excessOf(b) - excessOf(a));
  if (longest === undefined) return [];
  const { physicalName, maxLength } = longest;
  const length = config.bucketPrefix.length - excessOf(longest);
  return [
    {
      key: "bucketPrefix",
      expected:
        `at most ${length} characters, or a shorter environment or suffix, since the bucket ${physicalName} ` +
        `would have ${physicalName.length} characters and S3 takes ${maxLength}`,
      fix: config.bucketPrefix.slice(0, length),
    },
  ];
}

const excessOf = ({ physicalName, maxLength }: PhysicalNameError): number => physicalName.length - maxLength;

function refusal(name: () => string): PhysicalNameError[] {
  try {
    name();
    return [];
  } catch (error) {
    if (error instanceof PhysicalNameError) return [error];
    throw error;
  }
}
