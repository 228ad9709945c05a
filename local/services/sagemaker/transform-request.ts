/** CreateTransformJob's request: what is honoured, what only the cloud can do, and what is refused by name. */
import { type S3Location, s3Location } from "../jobs/role-s3";
import type { Input } from "../messaging/input";
import { nameIn, oneOf } from "./checks";
import { type ColumnFilter, columnFilter } from "./csv-filter";

export const TRANSFORM_FIELDS = [
  "TransformJobName",
  "ModelName",
  "MaxPayloadInMB",
  "BatchStrategy",
  "Environment",
  "ModelClientConfig",
  "TransformInput",
  "TransformOutput",
  "DataProcessing",
  // Of the cloud: parallel requests, instances, billing. The order of the output does not depend on them.
  "MaxConcurrentTransforms",
  "TransformResources",
  "Tags",
];

export interface TransformSpec {
  readonly name: string;
  readonly modelName: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly source: S3Location;
  readonly uri: string;
  readonly contentType: string;
  readonly splitLines: boolean;
  readonly output: S3Location;
  readonly accept: string;
  readonly assembleLines: boolean;
  readonly kmsKeyId: string | undefined;
  readonly oneRecordEach: boolean;
  readonly maxPayloadBytes: number;
  readonly invocationTimeoutMs: number;
  readonly inputFilter: ColumnFilter | undefined;
  readonly outputFilter: ColumnFilter | undefined;
  readonly joinInput: boolean;
}

/** SageMaker's own. */
const DEFAULT_PAYLOAD_MB = 6;
const DEFAULT_INVOCATION_SECONDS = 600;

/** @throws AwsError ValidationException naming the member */
export function transformSpec(input: Input): TransformSpec {
  const source = need(input, "TransformInput", ["DataSource", "ContentType", "CompressionType", "SplitType"]);
  const s3 = need(need(source, "DataSource", ["S3DataSource"]), "S3DataSource", ["S3DataType", "S3Uri"]);
  if (oneOf(s3, "S3DataType", ["S3Prefix"]) === undefined) throw s3.error("S3DataType is required");
  oneOf(source, "CompressionType", ["None"]);
  const splitLines = oneOf(source, "SplitType", ["None", "Line"]) === "Line";
  const output = need(input, "TransformOutput", ["S3OutputPath", "Accept", "AssembleWith", "KmsKeyId"]);
  const assembleLines = oneOf(output, "AssembleWith", ["None", "Line"]) === "Line";
  const resources = need(input, "TransformResources", ["InstanceType", "InstanceCount", "VolumeKmsKeyId"]);
  resources.needText("InstanceType");
  resources.needInteger("InstanceCount", 1, 1000);
  const strategy = oneOf(input, "BatchStrategy", ["MultiRecord", "SingleRecord"]);
  if (strategy === "SingleRecord" && !splitLines)
    throw input.error("BatchStrategy SingleRecord needs TransformInput.SplitType Line");
  const contentType = source.text("ContentType") ?? "";
  const accept = output.text("Accept");
  const client = input.child("ModelClientConfig", ["InvocationsTimeoutInSeconds", "InvocationsMaxRetries"]);
  const uri = s3.needText("S3Uri");
  const processing = processingOf(input);
  if (processing.any) checkProcessing(input, { contentType, accept, splitLines, assembleLines, joinInput: processing.joinInput });
  return {
    name: nameIn(input, "TransformJobName"),
    modelName: nameIn(input, "ModelName"),
    environment: input.textMap("Environment") ?? {},
    source: s3Location(uri, "TransformInput.DataSource.S3DataSource.S3Uri"),
    uri,
    contentType,
    splitLines,
    output: s3Location(output.needText("S3OutputPath"), "TransformOutput.S3OutputPath"),
    accept: accept ?? contentType,
    assembleLines,
    kmsKeyId: output.text("KmsKeyId"),
    oneRecordEach: strategy === "SingleRecord",
    maxPayloadBytes: (input.integer("MaxPayloadInMB", 1, 100) ?? DEFAULT_PAYLOAD_MB) * 1024 * 1024,
    invocationTimeoutMs: (client?.integer("InvocationsTimeoutInSeconds", 1, 3600) ?? DEFAULT_INVOCATION_SECONDS) * 1000,
    inputFilter: processing.inputFilter,
    outputFilter: processing.outputFilter,
    joinInput: processing.joinInput,
  };
}

function need(input: Input, field: string, known: readonly string[]): Input {
  const child = input.child(field, known);
  if (child === undefined) throw input.error(`${field} is required`);
  return child;
}

function processingOf(
  input: Input,
): Pick<TransformSpec, "inputFilter" | "outputFilter" | "joinInput"> & { readonly any: boolean } {
  const processing = input.child("DataProcessing", ["InputFilter", "OutputFilter", "JoinSource"]);
  const filter = (field: string): ColumnFilter | undefined => {
    const path = processing?.text(field);
    if (path === undefined || path === "$") return undefined;
    try {
      return columnFilter(path);
    } catch (error) {
      throw input.error(`DataProcessing.${field}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  const joinInput = processing !== undefined && oneOf(processing, "JoinSource", ["None", "Input"]) === "Input";
  const [inputFilter, outputFilter] = [filter("InputFilter"), filter("OutputFilter")];
  return { inputFilter, outputFilter, joinInput, any: joinInput || inputFilter !== undefined || outputFilter !== undefined };
}

interface Formats {
  readonly contentType: string;
  readonly accept: string | undefined;
  readonly splitLines: boolean;
  readonly assembleLines: boolean;
  readonly joinInput: boolean;
}

/** https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html */
function checkProcessing(input: Input, { contentType, accept, splitLines, assembleLines, joinInput }: Formats): void {
  if (!contentType.startsWith("text/csv"))
    throw input.error(`DataProcessing works on text/csv on one machine, TransformInput.ContentType is '${contentType}'`);
  if (!splitLines) throw input.error("DataProcessing needs TransformInput.SplitType Line");
  if (!joinInput) return;
  if (accept !== contentType)
    throw input.error(
      `DataProcessing.JoinSource Input needs TransformOutput.Accept to be the ContentType '${contentType}', got '${accept ?? ""}'`,
    );
  if (!assembleLines) throw input.error("DataProcessing.JoinSource Input needs TransformOutput.AssembleWith Line");
}
