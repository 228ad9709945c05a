import { isObject } from "../functions/scoring/core/json";
import { all, type Control, field, is, isAtLeast, isText } from "./control";

const STREAM = "aws:kinesis/stream:Stream";

/** The control's own minimum: a week, time to repair a consumer that failed over a weekend. */
const RETENTION_HOURS = 168;

export const kinesisControls: readonly Control[] = [
  {
    id: "Kinesis.1",
    alsoKnownAs: ["KDS1", "KDS3"],
    title: "Streams are encrypted under a key of the stack",
    appliesTo: [STREAM],
    check: all(
      field("encryptionType", is("KMS"), 'set it to "KMS".'),
      field(
        "kmsKeyId",
        (value) => isText(value) && value !== "alias/aws/kinesis",
        "set it to the ARN of a customer-managed key.",
      ),
    ),
  },
  {
    id: "Kinesis.3",
    title: "Streams keep their events for a week",
    appliesTo: [STREAM],
    check: field(
      "retentionPeriod",
      isAtLeast(RETENTION_HOURS),
      `set it to ${RETENTION_HOURS} hours or more (pulumi config set --path risk:fraud.retentionHours ${RETENTION_HOURS}).`,
    ),
  },
  {
    id: "DataFirehose.1",
    alsoKnownAs: ["KDF1"],
    title: "Delivery streams are encrypted",
    appliesTo: ["aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream"],
    check: (firehose, graph) =>
      // Data from a Kinesis stream is encrypted by that stream, and Firehose rejects the setting.
      isObject(firehose.inputs.kinesisSourceConfiguration)
        ? []
        : field(
            "serverSideEncryption.enabled",
            is(true),
            'set it to true, with keyType "CUSTOMER_MANAGED_CMK".',
          )(firehose, graph),
  },
];
