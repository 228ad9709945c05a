/** Which columns of a file give which fields of a record. Plain JSON, so that a checkpoint can hold it. */

/** The part of a JSON Schema that mapping reads. */
export interface RecordSchema {
  readonly properties: Readonly<Record<string, { readonly type?: string | readonly string[] }>>;
  readonly required?: readonly string[];
}

/** The fields that need not be one column. */
export const ID_FIELD = "transaction_id";
export const TIME_FIELD = "timestamp";

export const STEP_UNITS = { seconds: 1000, minutes: 60_000, hours: 3_600_000, days: 86_400_000 } as const;
export type StepUnit = keyof typeof STEP_UNITS;

export type TimeSource =
  /** The columns with blanks between them, in the format of `timeFormat`; null: as the stream reads times. */
  | { readonly kind: "text"; readonly columns: readonly string[]; readonly format: string | null }
  /** A number of units after a time (ISO 8601). */
  | { readonly kind: "steps"; readonly column: string; readonly unit: StepUnit; readonly since: string };

export type FieldSource =
  | TimeSource
  /** The columns with `-` between them. */
  | { readonly kind: "columns"; readonly columns: readonly string[] }
  | { readonly kind: "constant"; readonly value: string }
  /** The number of the row after the name of the content: the same file gives the same ids, two files different ones. */
  | { readonly kind: "row" };

export interface FileMapping {
  readonly fields: Readonly<Record<string, FieldSource>>;
  /** Columns whose numbers have decimal commas. */
  readonly decimalCommas: readonly string[];
}
