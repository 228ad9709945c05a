/** One input file of a batch transform: its records in batches to the model, and the answers as the output file. */

import { fieldsOf } from "./csv-filter";
import type { ModelAnswer } from "./model-server";
import type { TransformSpec } from "./transform-request";

export type Invoke = (body: Buffer) => Promise<ModelAnswer>;

interface Batch {
  readonly records: readonly string[];
  readonly body: Buffer;
}

/** @returns the output file. @throws Error that says which record is wrong, or what the model said */
export async function transformFile(spec: TransformSpec, data: Buffer, invoke: Invoke): Promise<Buffer> {
  if (!spec.splitLines) {
    if (data.length > spec.maxPayloadBytes)
      throw new Error(
        `the file has ${data.length} bytes, a request at most ${spec.maxPayloadBytes} (MaxPayloadInMB); split it by Line`,
      );
    return (await invoke(data)).body;
  }
  const parts: Buffer[] = [];
  for (const batch of batches(spec, recordsOf(data))) parts.push(assembled(spec, batch, (await invoke(batch.body)).body));
  return Buffer.concat(parts);
}

/** Lines without their ends; the last line may lack one. */
function recordsOf(data: Buffer): string[] {
  const lines = data.toString("utf8").split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines.map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line));
}

/** As many records as fit into a request, or one each. */
function* batches(spec: TransformSpec, records: readonly string[]): Generator<Batch> {
  let [taken, lines, size]: [string[], string[], number] = [[], [], 0];
  const batch = (): Batch => ({ records: taken, body: Buffer.from(lines.map((line) => `${line}\n`).join("")) });
  for (const [index, record] of records.entries()) {
    const line = spec.inputFilter === undefined ? record : recordPart(index, () => spec.inputFilter?.(fieldsOf(record)) ?? []);
    const bytes = Buffer.byteLength(line) + 1;
    if (bytes > spec.maxPayloadBytes)
      throw new Error(`record ${index + 1} has ${bytes} bytes, a request at most ${spec.maxPayloadBytes} (MaxPayloadInMB)`);
    if (taken.length > 0 && (spec.oneRecordEach || size + bytes > spec.maxPayloadBytes)) {
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
    throw new Error(`record ${index + 1}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** The answers to a batch as they stand in the output. */
function assembled(spec: TransformSpec, { records }: Batch, answer: Buffer): Buffer {
  if (!spec.joinInput && spec.outputFilter === undefined) {
    const ends = answer.length === 0 || answer.at(-1) === 10;
    return spec.assembleLines && !ends ? Buffer.concat([answer, Buffer.from("\n")]) : answer;
  }
  const predictions = recordsOf(answer);
  if (predictions.length !== records.length) {
    throw new Error(
      `the model answered ${predictions.length} predictions for ${records.length} records: they cannot be joined or filtered line by line`,
    );
  }
  const lines = predictions.map((prediction, index) =>
    recordPart(index, () => {
      const joined = [...(spec.joinInput ? fieldsOf(records[index] ?? "") : []), ...fieldsOf(prediction)];
      return spec.outputFilter === undefined ? joined : spec.outputFilter(joined);
    }),
  );
  return Buffer.from(lines.map((line) => `${line}\n`).join(""));
}
