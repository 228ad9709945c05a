/** One input file of a batch transform: its records in batches to the model, and the answers joined to them as the output file. */
import { messageOf } from "@risk/program-graph";
import { fieldsOf } from "./csv-filter";
import type { TransformRequest } from "./transform-request";

/** Resolves to the model's lines for the lines of a body. */
export type Invoke = (body: string) => Promise<string>;
type Settings = Pick<TransformRequest, "MaxPayloadInMB" | "DataProcessing">;

interface Batch {
  readonly records: readonly string[];
  readonly body: string;
}

/** @returns the output file. @throws Error that says which record is wrong, or what the model said */
export async function transformFile(settings: Settings, data: string, invoke: Invoke): Promise<string> {
  const parts: string[] = [];
  for (const batch of batches(settings, recordsOf(data))) parts.push(joined(settings, batch, await invoke(batch.body)));
  return parts.join("");
}

/** Lines without their ends; the last line may lack one. */
function recordsOf(data: string): string[] {
  const lines = data.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines.map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line));
}

/** As many records as fit into a request. */
function* batches({ MaxPayloadInMB, DataProcessing }: Settings, records: readonly string[]): Generator<Batch> {
  const limit = MaxPayloadInMB * 1024 * 1024;
  let [taken, lines, size]: [string[], string[], number] = [[], [], 0];
  const batch = (): Batch => ({ records: taken, body: linesOf(lines) });
  for (const [index, record] of records.entries()) {
    const line = recordPart(index, () => DataProcessing.InputFilter(fieldsOf(record)));
    const bytes = Buffer.byteLength(line) + 1;
    if (bytes > limit) throw new Error(`record ${index + 1} has ${bytes} bytes, a request at most ${limit} (MaxPayloadInMB)`);
    if (taken.length > 0 && size + bytes > limit) {
      yield batch();
      [taken, lines, size] = [[], [], 0];
    }
    taken.push(record);
    lines.push(line);
    size += bytes;
  }
  if (taken.length > 0) yield batch();
}

function recordPart(index: number, fields: () => readonly string[]): string {
  try {
    return fields().join(",");
  } catch (error) {
    throw new Error(`record ${index + 1}: ${messageOf(error)}`);
  }
}

/** The answers to a batch as they stand in the output. */
function joined({ DataProcessing }: Settings, { records }: Batch, answer: string): string {
  const predictions = recordsOf(answer);
  if (predictions.length !== records.length) {
    throw new Error(
      `the model answered ${predictions.length} predictions for ${records.length} records: they cannot be joined line by line`,
    );
  }
  return linesOf(
    predictions.map((prediction, index) =>
      recordPart(index, () => DataProcessing.OutputFilter([...fieldsOf(records[index] ?? ""), ...fieldsOf(prediction)])),
    ),
  );
}

const linesOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join("");
