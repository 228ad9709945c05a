import type { GraphResource, NameRule, ResourceBody } from "../../contracts";
import type { Fields } from "../../engine/fields";
import { dotted, fieldsOf, named, put, tagInputs } from "../resource-parts";
import { checkPrefixes } from "./prefix";
import type { FirehoseService } from "./service";
import type { DeliveryStream, Processor } from "./store";

/** Firehose API reference, CreateDeliveryStream. */
const streamName: NameRule = { field: "name", maxLength: 64, characters: dotted };
const MIB = 1024 * 1024;

/** Members of the destination's configuration that have a local body. */
const S3_MEMBERS = [
  "bucketArn",
  "roleArn",
  "prefix",
  "errorOutputPrefix",
  "bufferingInterval",
  "bufferingSize",
  "compressionFormat",
  "fileExtension",
  "kmsKeyArn",
  "cloudwatchLoggingOptions",
  "processingConfiguration",
];

export function firehoseBodies(service: FirehoseService): ResourceBody[] {
  return [
    {
      type: "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream",
      honoured: ["name", "destination", "extendedS3Configuration", "serverSideEncryption"],
      cloudOnly: {
        ...tagInputs,
        arn: "computed",
        destinationId: "computed",
        versionId: "computed",
      },
      replaceOn: ["name", "destination"],
      ...named(streamName, (name, { inputs }) => {
        const arn = service.arnOf(name);
        return { id: arn, state: { ...inputs, name, arn, destinationId: "destinationId-000000000001", versionId: "1" } };
      }),
      ...put((resource) => service.put(streamOf(resource))),
      delete: ({ state }) => service.delete(String(state.name)),
    },
  ];
}

function streamOf(resource: GraphResource): Omit<DeliveryStream, "version"> {
  const fields = fieldsOf(resource);
  if (fields.need("destination") !== "extended_s3")
    throw new Error(`${resource.name}: destination: only extended_s3 has a local body.`);
  const s3 = fields.in("extendedS3Configuration");
  const unknown = Object.keys(fields.record("extendedS3Configuration")).filter((name) => !S3_MEMBERS.includes(name));
  if (unknown.length > 0) throw new Error(`${resource.name}: extendedS3Configuration: ${unknown.join(", ")} has no local body.`);
  const prefix = s3.text("prefix");
  const errorPrefix = s3.text("errorOutputPrefix");
  checkPrefixes(prefix, errorPrefix);
  const gzip = isGzip(s3);
  return {
    name: String(resource.state.name),
    roleArn: s3.need("roleArn"),
    bucket: s3.need("bucketArn").replace(/^arn:aws:s3:::/, ""),
    prefix,
    errorPrefix,
    extension: s3.text("fileExtension") ?? (gzip ? ".gz" : ""),
    keyArn: s3.text("kmsKeyArn"),
    gzip,
    bufferBytes: s3.integer("bufferingSize", 1, 128, 5) * MIB,
    bufferMs: s3.integer("bufferingInterval", 0, 900, 300) * 1000,
    processor: processorOf(s3.in("processingConfiguration")),
    encrypted: fields.in("serverSideEncryption").flag("enabled") === true,
    log: logOf(s3.in("cloudwatchLoggingOptions")),
  };
}

function isGzip(s3: Fields): boolean {
  const format = s3.text("compressionFormat") ?? "UNCOMPRESSED";
  if (format === "GZIP" || format === "UNCOMPRESSED") return format === "GZIP";
  throw new Error(`compressionFormat: only GZIP and UNCOMPRESSED have a local body, got ${format}.`);
}

function logOf(options: Fields): DeliveryStream["log"] {
  return options.flag("enabled") === true
    ? { group: options.need("logGroupName"), stream: options.need("logStreamName") }
    : undefined;
}

/** Firehose API reference, ProcessorParameter; its values are texts. */
function processorOf(configuration: Fields): Processor | undefined {
  const processors = configuration.items("processors");
  if (configuration.flag("enabled") !== true || processors.length === 0) return undefined;
  const [processor] = processors;
  if (processors.length > 1 || processor?.text("type") !== "Lambda")
    throw new Error("processingConfiguration: only one processor, of type Lambda, has a local body.");
  const values = Object.fromEntries(
    processor.items("parameters").map((parameter) => [parameter.need("parameterName"), parameter.need("parameterValue")]),
  );
  const { LambdaArn = "", NumberOfRetries = "3", BufferSizeInMBs = "1", BufferIntervalInSeconds = "60", ...others } = values;
  if (Object.keys(others).length > 0)
    throw new Error(`processor parameters ${Object.keys(others).join(", ")} have no local body.`);
  const number = (value: string, low: number, high: number, name: string): number => {
    const read = Number(value);
    if (read >= low && read <= high) return read;
    throw new Error(`processor parameter ${name}: expected a number from ${low} to ${high}, got ${value}.`);
  };
  return {
    functionArn: LambdaArn,
    retries: number(NumberOfRetries, 0, 300, "NumberOfRetries"),
    bufferBytes: number(BufferSizeInMBs, 0.2, 3, "BufferSizeInMBs") * MIB,
    bufferMs: number(BufferIntervalInSeconds, 0, 900, "BufferIntervalInSeconds") * 1000,
  };
}
