/** What the transformation's answer makes of records. Firehose Developer Guide, "Required parameters for data transformation". */
import { isRecord } from "@risk/program-graph";
import type { Output, PendingRecord } from "./store";

/** Why records could not be processed: the codes and messages of "Monitor Amazon Data Firehose Using CloudWatch Logs". */
export const FAILURES = {
  "Lambda.FunctionError": "The Lambda function was successfully invoked but it returned an error result.",
  "Lambda.InvokeLimitExceeded": "The Lambda concurrent execution limit is exceeded. Increase the concurrent execution limit.",
  "Lambda.InvokeAccessDenied": "Access was denied. Ensure that the access policy allows access to invoke the Lambda function.",
  "Lambda.ResourceNotFound": "The specified Lambda function does not exist. Use a different function that does exist.",
  "Lambda.JsonProcessingException":
    "There was an error parsing returned records from the Lambda function. Ensure that the returned records follow the status model required by Amazon Data Firehose.",
  "Lambda.MissingRecordId":
    "One or more record IDs were not returned. Ensure that the Lambda function returns all received record IDs.",
  "Lambda.DuplicatedRecordId":
    "Multiple records were returned with the same record ID. Ensure that the Lambda function returns unique record IDs for each record.",
  "Lambda.ProcessingFailedStatus": "ProcessingFailed status set for record",
} as const;
export type FailureCode = keyof typeof FAILURES;

/** How the attempts ended. */
export interface Attempts {
  readonly made: number;
  readonly endedMs: number;
  readonly functionArn: string;
}

export function transformationEvent(
  invocationId: string,
  deliveryStreamArn: string,
  region: string,
  records: readonly PendingRecord[],
): string {
  return JSON.stringify({
    invocationId,
    deliveryStreamArn,
    region,
    records: records.map(({ recordId, arrivedMs, data }) => ({
      recordId,
      approximateArrivalTimestamp: arrivedMs,
      data: data.toString("base64"),
    })),
  });
}

/** @param answer JSON that the function returned */
export function outputsOf(records: readonly PendingRecord[], answer: string, attempts: Attempts): Output[] {
  const answers = answersById(answer);
  if (answers === undefined) return records.map((record) => failed(record, "Lambda.JsonProcessingException", attempts));
  return records.flatMap((record) => {
    const own = answers.get(record.recordId) ?? [];
    const [only] = own;
    if (only === undefined) return [failed(record, "Lambda.MissingRecordId", attempts)];
    if (own.length > 1) return [failed(record, "Lambda.DuplicatedRecordId", attempts)];
    const { result, data } = only;
    if (result === "Dropped") return [];
    if (result === "ProcessingFailed") return [failed(record, "Lambda.ProcessingFailedStatus", attempts)];
    if (result !== "Ok" || typeof data !== "string") return [failed(record, "Lambda.JsonProcessingException", attempts)];
    return [{ type: "data", data: Buffer.from(data, "base64"), arrivedMs: record.arrivedMs }];
  });
}

function answersById(text: string): Map<string, Record<string, unknown>[]> | undefined {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(answer) || !Array.isArray(answer.records)) return undefined;
  const found = new Map<string, Record<string, unknown>[]>();
  for (const one of answer.records as unknown[]) {
    if (!isRecord(one)) return undefined;
    const id = String(one.recordId);
    found.set(id, [...(found.get(id) ?? []), one]);
  }
  return found;
}

/** "Handle failure in data transformation" has the format. */
export function failed({ data, arrivedMs }: PendingRecord, code: FailureCode, { made, endedMs, functionArn }: Attempts): Output {
  const line = {
    attemptsMade: made,
    arrivalTimestamp: arrivedMs,
    errorCode: code,
    errorMessage: FAILURES[code],
    attemptEndingTimestamp: endedMs,
    rawData: data.toString("base64"),
    lambdaArn: functionArn,
  };
  return { type: "processing-failed", data: Buffer.from(`${JSON.stringify(line)}\n`), arrivedMs };
}
