/** Makes records of a file's rows, and says how. */
import { columnsOf, readable } from "../../functions/files/columns";
import { chooseMapping, type MappingOptions } from "../../functions/files/mapping/choose";
import { recordMaker, type ToRecord } from "../../functions/files/mapping/to-record";
import type { RecordSchema } from "../../functions/files/mapping/types";
import type { FilePlan, Row } from "../../functions/files/types";
import { UsageError } from "../options";
import { type FileReport, fileReport, reportText } from "./mapping-report";

type ReadableRow = Extract<Row, { readonly kind: "row" }>;

export class Mapper {
  /** Null as long as no row could be read. */
  report: FileReport | null = null;
  private toRecord: ToRecord | null = null;

  /**
   * @param out where the report is printed; null prints nothing
   * @throws UsageError that names everything that is missing
   */
  constructor(
    private readonly file: { readonly plan: FilePlan; readonly sample: readonly Row[] },
    private readonly schema: RecordSchema,
    private readonly options: MappingOptions,
    private readonly out: { write(text: string): unknown } | null,
  ) {
    if (file.sample.some(({ kind }) => kind === "row")) this.toRecord = this.choose(file.sample);
  }

  record(row: ReadableRow): Record<string, unknown> {
    // The first row that can be read may lie behind the sample.
    this.toRecord ??= this.choose([row]);
    return this.toRecord(row.cells, row.row);
  }

  private choose(sample: readonly Row[]): ToRecord {
    const { plan } = this.file;
    const sampled = { columns: columnsOf(plan, sample), rows: readable(sample), isText: plan.format === "csv" };
    const choice = chooseMapping(sampled, this.schema, this.options);
    if (!choice.ok) throw new UsageError(choice.problems.join("\n"));
    this.report = fileReport(plan, choice.chosen);
    this.out?.write(reportText(this.report));
    return recordMaker(choice.chosen.mapping, this.schema, plan);
  }
}
