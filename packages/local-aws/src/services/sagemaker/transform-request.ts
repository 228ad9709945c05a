/** CreateTransformJob's request: what is honoured, what only the cloud can do, and what is refused by name. */
import { messageOf } from "@risk/program-graph";
import { columnFilter } from "./csv-filter";
import {
  ignored,
  integer,
  location,
  type Member,
  needInteger,
  only,
  optional,
  optionalText,
  type Read,
  resourceName,
  structure,
  text,
} from "./request";

const filter: Member<ReturnType<typeof columnFilter>> = (processing, field) => {
  try {
    return columnFilter(processing.needText(field));
  } catch (error) {
    throw processing.error(`DataProcessing.${field}: ${messageOf(error)}`);
  }
};

/** SageMaker's own. */
const DEFAULT_PAYLOAD_MB = 6;
export const DEFAULT_INVOCATION_SECONDS = 600;

export const TRANSFORM = {
  TransformJobName: resourceName,
  ModelName: resourceName,
  BatchStrategy: optional(only("MultiRecord")),
  MaxPayloadInMB: integer(1, 100, DEFAULT_PAYLOAD_MB),
  ModelClientConfig: optional(
    structure({
      InvocationsTimeoutInSeconds: integer(1, 3600, DEFAULT_INVOCATION_SECONDS),
      // Responses are never lost here.
      InvocationsMaxRetries: ignored,
    }),
  ),
  TransformInput: structure({
    DataSource: structure({ S3DataSource: structure({ S3DataType: only("S3Prefix"), S3Uri: location }) }),
    ContentType: only("text/csv"),
    CompressionType: optional(only("None")),
    SplitType: only("Line"),
  }),
  TransformOutput: structure({
    S3OutputPath: location,
    Accept: only("text/csv"),
    AssembleWith: only("Line"),
    KmsKeyId: optionalText,
  }),
  DataProcessing: structure({ InputFilter: filter, OutputFilter: filter, JoinSource: only("Input") }),
  TransformResources: structure({ InstanceType: text, InstanceCount: needInteger(1, 1000), VolumeKmsKeyId: optionalText }),
  Tags: ignored,
};

export type TransformRequest = Read<typeof TRANSFORM>;
