import type {
  FirehoseTransformationEvent,
  FirehoseTransformationEventRecord,
  FirehoseTransformationResult,
  FirehoseTransformationResultRecord,
} from "aws-lambda";
import { type AnswerLines, createAnswerLines } from "./answer-lines";
import { decodeBase64 } from "./decode";
import { createRecordScorer, type InvocationContext, type RecordScorer, type RecordScorerArgs } from "./score-records";
import { firehosePosition } from "./source-position";
import { NOT_BASE64, type SourceRecord } from "./source-record";

export type FirehoseHandler = (
  event: FirehoseTransformationEvent,
  context: InvocationContext,
) => Promise<FirehoseTransformationResult>;

/** Lambda's limit for an answer is 6 MB ("Lambda quotas"); some is left for what this doesn't count. */
const ANSWER_BYTES = 6_000_000;

/** No record was finished. Firehose invokes the function with the same records again, three times. */
export class NothingFinishedError extends Error {
  readonly code = "nothing_finished";

  constructor(records: number) {
    super(`None of ${records} records could be finished; Firehose delivers them again, then writes them to the error prefix.`);
    this.name = "NothingFinishedError";
  }
}

/**
 * Transformation of a delivery stream, whose answer says what becomes of each record:
 * - `Ok` with the archive line of its event: the delivery stream writes it to the archive
 * - `Dropped`: the event is in the archive or in this answer already, or the record is in quarantine, which keeps it whole; the error prefix
 *   would keep it twice, and a redrive would bring it back twice
 * - `ProcessingFailed`: could not be finished in time. The delivery stream writes the record to the error prefix, for a redrive.
 *
 * @throws NothingFinishedError
 */
export function createFirehoseHandler(args: RecordScorerArgs, answerBytes: number = ANSWER_BYTES): FirehoseHandler {
  const score = createRecordScorer(args);
  return async (event, context) => {
    const stream = nameOf(event.deliveryStreamArn);
    const records = event.records.map((record) => fromFirehose(record, stream));
    const lines = createAnswerLines(answerBytes - bytesWithoutLines(event));
    const unfinished = await scoreAll(records, (some) => score(some, context, lines));
    if (unfinished.length > 0 && unfinished.length === records.length) throw new NothingFinishedError(records.length);
    const failed = new Set(unfinished.map(({ position }) => position));
    if (failed.size > 0) {
      args.metrics.add("ProcessingFailed", "Count", failed.size);
      args.metrics.flush();
    }
    return {
      records: event.records.map(({ recordId }, index) => {
        const { position } = records[index] as SourceRecord;
        return failed.has(position) ? { recordId, result: "ProcessingFailed" } : finished(recordId, lines.lineAt(position));
      }),
    };
  };
}

function fromFirehose(
  { recordId, data, approximateArrivalTimestamp, kinesisRecordMetadata }: FirehoseTransformationEventRecord,
  stream: string,
): SourceRecord {
  const bytes = decodeBase64(data);
  return {
    source: "firehose",
    // The same when Firehose repeats an invocation. A redrive gives another one, which makes the record a duplicate by its event's id.
    position: firehosePosition(stream, recordId),
    origin: stream,
    sequence: recordId,
    ordered: false,
    arrivedAtMs: approximateArrivalTimestamp,
    partitionKey: kinesisRecordMetadata?.partitionKey ?? null,
    bytes: bytes ?? Buffer.from(String(data)),
    fault: bytes === null ? NOT_BASE64 : null,
  };
}

const nameOf = (deliveryStreamArn: string): string => deliveryStreamArn.slice(deliveryStreamArn.lastIndexOf("/") + 1);

/**
 * Scores as long as each attempt finishes something. A record that makes the code fail is found by halving, as Lambda does for a stream.
 * @returns what is left
 */
async function scoreAll(
  records: readonly SourceRecord[],
  score: (records: readonly SourceRecord[]) => ReturnType<RecordScorer>,
): Promise<readonly SourceRecord[]> {
  for (let left = records; left.length > 0; ) {
    const { done, fault } = await score(left);
    left = left.slice(done);
    if (done > 0) continue;
    if (fault === null) return left;
    const middle = Math.ceil(left.length / 2);
    return [...(await scoreAll(left.slice(0, middle), score)), ...(await scoreAll(left.slice(middle), score))];
  }
  return [];
}

function finished(recordId: string, line: ReturnType<AnswerLines["lineAt"]>): FirehoseTransformationResultRecord {
  if (line === undefined) return { recordId, result: "Dropped" };
  return { recordId, result: "Ok", data: Buffer.from(`${line}\n`).toString("base64") };
}

/** Of the answer, with the longest status at every record. */
const bytesWithoutLines = ({ records }: FirehoseTransformationEvent): number =>
  Buffer.byteLength(
    JSON.stringify({ records: records.map(({ recordId }) => ({ recordId, result: "ProcessingFailed", data: "" })) }),
  );
