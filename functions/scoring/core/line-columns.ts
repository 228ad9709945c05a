import type { Classification } from "./json-schema";

/**
 * Lines of the archive's objects (compressed NDJSON) and the warehouse columns that they fill. Each field is declared once, with the functions
 * below: the line's type, the loader's statements and docs/archive.md derive from it, and a test compares it with the tables of `sql/migrations`.
 */
export interface LineColumn<Value> {
  /** Redshift's type. */
  readonly type: string;
  /** False: the line may have null, or leave the field out. */
  readonly required: boolean;
  readonly description: string;
  /** The column's name in SQL, where it differs from the field's. */
  readonly column?: string;
  /** Type of the JSON in the Glue catalog; absent: a text that holds it. */
  readonly nested?: string;
  /** Whose value it is made from: a token of something personal, or a place that was rounded. */
  readonly classification?: Classification;
  /** Exists only in the type: carries the type of the value. */
  readonly of?: () => Value;
}

/** A field that most lines leave out. */
export interface RareColumn<Value> extends LineColumn<Value> {
  readonly rare: true;
}

export type LineColumns = Readonly<Record<string, LineColumn<unknown>>>;

type ValueOf<Column> = Column extends { readonly of?: () => infer Value } ? Value : never;

/** The type of a line, derived from its columns. */
export type Line<Columns> = {
  readonly [Name in keyof Columns as Columns[Name] extends RareColumn<unknown> ? never : Name]: ValueOf<Columns[Name]>;
} & {
  readonly [Name in keyof Columns as Columns[Name] extends RareColumn<unknown> ? Name : never]?: ValueOf<Columns[Name]>;
};

const column =
  <Value>(type: string) =>
  (description: string): LineColumn<Value> => ({ type, required: true, description });

/** Text of at most that many bytes of UTF-8. */
export const text = (bytes: number, description: string): LineColumn<string> => column<string>(`VARCHAR(${bytes})`)(description);
/** SHA-256, lower-case hex. */
export const digest = column<string>("CHAR(64)");
/** ISO 8601, UTC. */
export const time = column<string>("TIMESTAMPTZ");
export const decimal = column<number>("DOUBLE PRECISION");
export const integer = column<number>("BIGINT");
export const flag = column<boolean>("BOOLEAN");
/** Any JSON. @param nested its type in the Glue catalog, where every line has the same */
export const json = <Value>(description: string, nested?: string): LineColumn<Value> => ({
  ...column<Value>("SUPER")(description),
  ...(nested === undefined ? {} : { nested }),
});

/** Without the member that only exists in the type. */
const plain = <Value>({ of: _, ...rest }: LineColumn<Value>): Omit<LineColumn<Value>, "of"> => rest;

export const orNull = <Value>(declared: LineColumn<Value>): LineColumn<Value | null> => ({ ...plain(declared), required: false });
export const rare = <Value>(declared: LineColumn<Value>): RareColumn<Value> => ({ ...declared, required: false, rare: true });
export const named = <Value>(column: string, declared: LineColumn<Value>): LineColumn<Value> => ({ ...declared, column });
export const classified = <Value>(classification: Classification, declared: LineColumn<Value>): LineColumn<Value> => ({
  ...declared,
  classification,
});
