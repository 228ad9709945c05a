/** The local body of an event source mapping. */
import type { ResourceBody } from "../contracts";
import { type Fields, writtenBy } from "../engine/fields";
import { stableUuid } from "../services/resource-parts";
import type { MappingConfig } from "./mapping";
import type { LambdaService } from "./service";

/** Function name of `name`, `name:qualifier` or an ARN. */
export const functionNameOf = (reference: string): string =>
  reference.replace(/^arn:aws[a-z-]*:lambda:[^:]+:\d+:function:/, "").split(":")[0] ?? reference;

export const mappingBody = (service: LambdaService): ResourceBody => ({
  type: "aws:lambda/eventSourceMapping:EventSourceMapping",
  honoured: [
    "eventSourceArn",
    "functionName",
    "startingPosition",
    "batchSize",
    "maximumBatchingWindowInSeconds",
    "parallelizationFactor",
    "maximumRetryAttempts",
    "maximumRecordAgeInSeconds",
    "bisectBatchOnFunctionError",
    "functionResponseTypes",
    "destinationConfig",
    "scalingConfig",
    "metricsConfig",
  ],
  cloudOnly: { tags: "labels for billing and search" },
  replaceOn: ["eventSourceArn", "startingPosition"],
  outputs: ({ name, inputs, region, accountId }) => {
    const uuid = stableUuid([name, inputs.eventSourceArn, inputs.startingPosition].join(" "));
    const functionName = functionNameOf(String(inputs.functionName));
    return {
      id: uuid,
      state: {
        uuid,
        arn: `arn:aws:lambda:${region}:${accountId}:event-source-mapping:${uuid}`,
        functionArn: `arn:aws:lambda:${region}:${accountId}:function:${functionName}`,
        state: "Enabled",
      },
    };
  },
  ...writtenBy((fields, { id }) => service.putMapping(mappingConfig(fields, id))),
  delete: ({ id }) => service.mappings.delete(id),
});

function mappingConfig(fields: Fields, uuid: string): MappingConfig {
  const sourceArn = fields.need("eventSourceArn");
  const service = sourceArn.split(":")[2];
  if (service !== "kinesis" && service !== "sqs")
    throw new Error(`eventSourceArn ${sourceArn}: only Kinesis streams and SQS queues are supported here.`);
  const position = fields.text("startingPosition");
  if (service === "kinesis" && position !== "TRIM_HORIZON")
    throw new Error(`startingPosition: a stream is read from TRIM_HORIZON here, got ${String(position)}.`);
  const onFailure = fields.in("destinationConfig").in("onFailure").text("destinationArn");
  if (onFailure !== undefined && !(service === "kinesis" && onFailure.startsWith("arn:aws:s3:::")))
    throw new Error(`destinationConfig.onFailure: expected a bucket, for the batches of a stream, got ${onFailure}.`);
  const responseTypes = fields.texts("functionResponseTypes") ?? [];
  return {
    uuid,
    sourceArn,
    functionName: functionNameOf(fields.need("functionName")),
    batchSize: fields.number("batchSize") ?? (service === "sqs" ? 10 : 100),
    windowSeconds: fields.number("maximumBatchingWindowInSeconds") ?? 0,
    parallelizationFactor: fields.number("parallelizationFactor") ?? 1,
    maxRetries: fields.number("maximumRetryAttempts") ?? -1,
    maxRecordAgeSeconds: fields.number("maximumRecordAgeInSeconds") ?? -1,
    bisectOnError: fields.flag("bisectBatchOnFunctionError") ?? false,
    reportsItemFailures: responseTypes.includes("ReportBatchItemFailures"),
    onFailure,
    maximumConcurrency: fields.in("scalingConfig").number("maximumConcurrency"),
    countsEvents: eventCounts(fields),
  };
}

/** `metricsConfig: { metrics: ["EventCount"] }` is the only choice that AWS gives for streams and queues. */
function eventCounts(fields: Fields): boolean {
  const metrics = fields.in("metricsConfig").texts("metrics") ?? [];
  const unknown = metrics.filter((name) => name !== "EventCount");
  if (unknown.length > 0) throw new Error(`metricsConfig.metrics: expected EventCount, got ${unknown.join(", ")}.`);
  return metrics.length > 0;
}
