/** Rows of Avro object containers. A damaged block is one row that can't be read: how many were in it, nobody knows. */
import { ContainerError, readAvroContainer } from "../formats/avro/container";
import type { Chunks } from "./bytes";
import { type Cells, FileError, type FilePlace, type Row, START } from "./types";

const NOTHING = new Uint8Array(0);

/** @throws FileError when the header can't be read */
export async function* avroRows(chunks: Chunks, from: FilePlace): AsyncGenerator<Row> {
  let row = 0;
  try {
    for await (const item of readAvroContainer(chunks)) {
      row++;
      if (row <= from.row) continue;
      const place = { line: row, row, next: { offset: 0, line: row, row }, bytes: NOTHING };
      const cells = item.kind === "row" ? cellsOf(item.value) : null;
      if (item.kind === "corrupt") yield { kind: "unreadable", reason: `damaged block: ${item.detail}`, ...place };
      else if (cells === null) yield { kind: "unreadable", reason: "not a record", ...place };
      else yield { kind: "row", cells, ...place };
    }
  } catch (error) {
    throw error instanceof ContainerError ? new FileError(error.message) : error;
  }
}

function cellsOf(value: unknown): Cells | null {
  return value === null || typeof value !== "object" || Array.isArray(value) ? null : { ...value };
}

/** Of a file's first bytes: none of a first block that is larger than they are. */
export async function avroSample(head: Uint8Array, count: number): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for await (const row of avroRows(oneChunk(head), START)) {
    if (row.kind === "unreadable" || rows.length === count) break;
    rows.push(row);
  }
  return rows;
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
