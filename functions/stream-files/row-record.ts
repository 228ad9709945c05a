import type { ToRecord } from "../files/mapping/to-record";
import type { FilePlan, Row } from "../files/types";
import type { SourceRecord } from "../stream/source-record";

export interface RowOrigin {
  readonly id: string;
  readonly plan: FilePlan;
  readonly arrivedAtMs: number;
}

/**
 * A row as a record of the scoring path. Its position is the file's version and the row's number, so that every delivery of the file gives
 * the same. A row of JSON that can't be read goes on as it is: the path refuses it as it would from any other source.
 */
export function rowRecord(row: Row, toRecord: ToRecord, { id, plan, arrivedAtMs }: RowOrigin): SourceRecord {
  const isJson = plan.format === "ndjson" || plan.format === "json";
  const refusedByPath = row.kind === "unreadable" && isJson && row.bytes.length > 0;
  return {
    source: "s3",
    position: `s3:${id}:${row.row}`,
    origin: `file-${id}`,
    sequence: String(row.row),
    ordered: true,
    arrivedAtMs,
    partitionKey: null,
    bytes: row.kind === "row" ? Buffer.from(JSON.stringify(toRecord(row.cells, row.row)), "utf8") : row.bytes,
    fault:
      row.kind === "row" || refusedByPath ? null : { reason: "unreadable_row", detail: `The row can't be read: ${row.reason}.` },
  };
}
