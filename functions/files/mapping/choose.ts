/** Chooses where each field of a record comes from: by options, then a preset, then the names of the columns. */
import { didYouMean } from "../../scoring/core/suggest";
import { plainName } from "../header";
import type { Cells } from "../types";
import { columnOf, timeColumns } from "./aliases";
import { hasDecimalComma } from "./amount";
import { detectPreset, PRESETS, type Preset } from "./presets";
import { columnList, type DetectedTime, detectTime, parseTimeOption, TIME_GRAMMAR, timeTexts } from "./time-source";
import { typesOf } from "./to-record";
import { type FieldSource, type FileMapping, ID_FIELD, type RecordSchema, TIME_FIELD } from "./types";

export interface MappingOptions {
  /** Name of a preset, `none`, or undefined to detect it. */
  readonly preset?: string;
  /** Pairs of field and column; they go before everything else. */
  readonly map?: readonly (readonly [field: string, column: string])[];
  /** `row`, or columns with + between them. */
  readonly id?: string;
  /** As {@link TIME_GRAMMAR} says. */
  readonly time?: string;
  readonly decimal?: "comma" | "point";
}

export interface Sampled {
  readonly columns: readonly string[];
  /** The first rows. */
  readonly rows: readonly Cells[];
  /** Whether cells are text: numbers of JSON are numbers. */
  readonly isText: boolean;
}

export interface Chosen {
  readonly mapping: FileMapping;
  readonly preset: { readonly name: string; readonly why: string } | null;
  readonly time: {
    /** `purchase_time as M/D/YYYY H:mm` */
    readonly taken: string;
    readonly why: string;
    /** Other columns that look like times. */
    readonly others: readonly string[];
  } | null;
}

export type Choice =
  | { readonly ok: true; readonly chosen: Chosen }
  /** Everything that is wrong or missing, a sentence each. */
  | { readonly ok: false; readonly problems: readonly string[] };

interface Time {
  readonly source: FieldSource;
  readonly why: string;
}

export function chooseMapping(sampled: Sampled, schema: RecordSchema, options: MappingOptions = {}): Choice {
  const { columns } = sampled;
  const problems: string[] = [];
  const preset = chosenPreset(options.preset, columns, problems);
  const fields = new Map<string, FieldSource>();
  for (const field of Object.keys(schema.properties)) {
    const source = preset === null ? byName(field, columns) : presetSource(preset, field, columns);
    if (source !== null && field !== TIME_FIELD) fields.set(field, source);
  }
  for (const [field, source] of mapped(options.map ?? [], columns, schema, problems)) fields.set(field, source);
  if (options.id !== undefined) fields.set(ID_FIELD, idSource(options.id, columns, problems));
  const time =
    fields.has(TIME_FIELD) && options.time === undefined ? null : timeOf(sampled, preset, options.time, schema, problems);
  if (time !== null) fields.set(TIME_FIELD, time.source);
  problems.push(...missing(fields, columns, schema));
  if (problems.length > 0) return { ok: false, problems: [...new Set(problems)] };
  const source = fields.get(TIME_FIELD);
  const chosen: Chosen = {
    mapping: { fields: Object.fromEntries(fields), decimalCommas: decimalCommas(sampled, fields, schema, options.decimal) },
    preset: preset && { name: preset.name, why: presetReason(preset, options.preset) },
    time: source === undefined ? null : timeReport(source, time?.why ?? "--map says so", columns),
  };
  return { ok: true, chosen };
}

function chosenPreset(name: string | undefined, columns: readonly string[], problems: string[]): Preset | null {
  if (name === undefined) return detectPreset(columns);
  if (name === "none") return null;
  const preset = PRESETS.find((known) => known.name === name);
  if (preset === undefined) {
    const names = [...PRESETS.map((known) => known.name), "none"];
    problems.push(`--preset ${name}: not a preset.${didYouMean(name, names)} Presets: ${names.join(", ")}.`);
    return null;
  }
  const absent = preset.signature.filter((column) => actual(column, columns) === undefined);
  if (absent.length > 0)
    problems.push(`--preset ${name}: the file has no column ${absent.map((column) => `"${column}"`).join(", ")}.`);
  return preset;
}

function presetReason({ title, signature }: Preset, asked: string | undefined): string {
  return asked === undefined ? `${title}; the file has its columns ${signature.join(", ")}` : `${title}; --preset says so`;
}

/** The column as the file writes it. */
const actual = (column: string, columns: readonly string[]): string | undefined =>
  columns.includes(column) ? column : columns.find((name) => plainName(name) === plainName(column));

function allActual(names: readonly string[], columns: readonly string[]): readonly string[] | null {
  const found = names.flatMap((name) => actual(name, columns) ?? []);
  return found.length === names.length ? found : null;
}

function byName(field: string, columns: readonly string[]): FieldSource | null {
  const column = columnOf(field, columns);
  return column === undefined ? null : { kind: "columns", columns: [column] };
}

/** A preset's file has no other columns for fields than the preset says: `category` may be something else in it. */
function presetSource({ fields }: Preset, field: string, columns: readonly string[]): FieldSource | null {
  const source = fields[field];
  if (source === undefined || source.kind !== "columns") return source ?? null;
  const found = allActual(source.columns, columns);
  return found && { kind: "columns", columns: found };
}

/** Pairs of `--map`; `column=field` is accepted too, if only that reading makes sense. */
function mapped(
  pairs: readonly (readonly [string, string])[],
  columns: readonly string[],
  schema: RecordSchema,
  problems: string[],
): readonly (readonly [string, FieldSource])[] {
  const known = Object.keys(schema.properties);
  return pairs.flatMap(([left, right]) => {
    const swapped = !known.includes(left) && known.includes(right) && columns.includes(left);
    const [field, column] = swapped ? [right, left] : [left, right];
    if (!known.includes(field)) problems.push(`--map ${left}=${right}: "${field}" is not a field. Fields: ${known.join(", ")}.`);
    else if (!columns.includes(column)) problems.push(`--map ${left}=${right}: the file has no column "${column}".`);
    else return [[field, { kind: "columns", columns: [column] }] as const];
    return [];
  });
}

function idSource(option: string, columns: readonly string[], problems: string[]): FieldSource {
  if (option === "row") return { kind: "row" };
  const found = columnList(option, columns);
  if (typeof found !== "string") return { kind: "columns", columns: found };
  problems.push(`--id ${option}: the file has no column "${found}". Expected --id row, or COLUMN+COLUMN.`);
  return { kind: "row" };
}

function timeOf(
  sampled: Sampled,
  preset: Preset | null,
  option: string | undefined,
  schema: RecordSchema,
  problems: string[],
): Time | null {
  if (option !== undefined) return timeByOption(option, sampled, problems);
  if (!Object.hasOwn(schema.properties, TIME_FIELD)) return null;
  return preset === null ? timeByName(sampled, problems) : timeByPreset(preset, sampled);
}

function timeByOption(option: string, sampled: Sampled, problems: string[]): Time | null {
  const read = parseTimeOption(option, sampled.columns);
  if (typeof read === "string") {
    problems.push(read);
    return null;
  }
  if (read.kind !== "detect") return { source: read, why: "--time says so" };
  const detected = detectTime(timeTexts(sampled.rows, read.columns));
  return textTime(read.columns, detected, "--time says so", problems);
}

function timeByPreset({ time, why }: Preset, { rows, columns }: Sampled): Time {
  if (time.kind === "steps") return { source: { ...time, column: actual(time.column, columns) ?? time.column }, why };
  const found = allActual(time.columns, columns) ?? time.columns;
  const detected = detectTime(timeTexts(rows, found), time.formats);
  const format = detected.kind === "format" ? detected.format : null;
  return { source: { kind: "text", columns: found, format }, why };
}

/** The first candidate with times in it; if none has, the first: the validator says what is wrong with its values. */
function timeByName({ rows, columns }: Sampled, problems: string[]): Time | null {
  const candidates = timeColumns(columns).map((named) => ({ named, detected: detectTime(timeTexts(rows, named)) }));
  const taken = candidates.find(({ detected }) => detected.kind !== "none") ?? candidates[0];
  if (taken === undefined) return null;
  const others =
    candidates.length > 1
      ? "the likeliest name for the event's own time, and its values are times"
      : "the only column named like a time";
  return textTime(taken.named, taken.detected, others, problems);
}

function textTime(columns: readonly string[], detected: DetectedTime, why: string, problems: string[]): Time {
  if (detected.kind === "ambiguous") {
    const named = columns.join("+");
    const options = detected.formats.map((format) => `--time "${named} as ${format}"`).join(" or ");
    problems.push(`The times in "${named}" can be read in ${detected.formats.length} ways. Add ${options}.`);
  }
  return { source: { kind: "text", columns, format: detected.kind === "format" ? detected.format : null }, why };
}

function missing(fields: ReadonlyMap<string, FieldSource>, columns: readonly string[], schema: RecordSchema): readonly string[] {
  const unmapped = (schema.required ?? []).filter((field) => !fields.has(field));
  if (unmapped.length === 0) return [];
  const help = unmapped.map((field) => {
    if (field === ID_FIELD) return `  ${field}: --id row, --id COLUMN+COLUMN or --map ${field}=COLUMN`;
    return field === TIME_FIELD ? `  ${field}: ${TIME_GRAMMAR}` : `  ${field}: --map ${field}=COLUMN`;
  });
  const needed = (schema.required ?? []).join(", ");
  const found = columns.filter((column) => column !== "").join(", ") || "none";
  return [`Needed: ${needed}. Columns found: ${found}. Missing, with the options that say where it is:\n${help.join("\n")}`];
}

function decimalCommas(
  { rows, isText }: Sampled,
  fields: ReadonlyMap<string, FieldSource>,
  schema: RecordSchema,
  decimal: "comma" | "point" | undefined,
): readonly string[] {
  if (!isText || decimal === "point") return [];
  const numbers = [...fields].flatMap(([field, source]) =>
    source.kind === "columns" && typesOf(schema, field).includes("number") ? source.columns : [],
  );
  if (decimal === "comma") return numbers;
  return numbers.filter((column) => hasDecimalComma(rows.map((cells) => String(cells[column] ?? ""))));
}

function timeReport(source: FieldSource, why: string, columns: readonly string[]): Chosen["time"] {
  const taken =
    source.kind === "steps" ? [source.column] : source.kind === "text" || source.kind === "columns" ? source.columns : [];
  const others = columns.filter((column) => !taken.includes(column) && isTimeName(column));
  return { taken: sourceText(source), why, others };
}

function isTimeName(column: string): boolean {
  return timeColumns([column]).length > 0 || /(?:time|timestamp)$/.test(plainName(column));
}

/** Where a field comes from, as the options write it. */
export function sourceText(source: FieldSource): string {
  switch (source.kind) {
    case "row":
      return "row number";
    case "constant":
      return `always ${source.value}`;
    case "steps":
      return `${source.column} ${source.unit} since ${source.since}`;
    case "text":
      return source.columns.join("+") + (source.format === null ? "" : ` as ${source.format}`);
    case "columns":
      return source.columns.join("+");
  }
}
