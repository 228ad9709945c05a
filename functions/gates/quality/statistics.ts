/** `statistics.json`: what the extract counted in a training set. */
import { statistics as validateStatistics } from "#validators";
import type { Problem } from "../../scoring/core/types";
import { fail } from "../common/errors";
import { type Objects, textOf } from "../common/ports";
import { listed, type Parsed, reader, readText } from "../common/read-json";
import { histogramOf, isProblem, type WrittenHistogram } from "./histogram";
import type { Histogram } from "./psi";

export interface ColumnStatistics {
  readonly name: string;
  readonly type: "numeric" | "boolean" | "categorical";
  readonly rows: number;
  readonly nulls: number;
  readonly minimum?: number | null;
  readonly maximum?: number | null;
  readonly histogram?: Histogram;
  readonly counts?: Readonly<Record<string, number>> | null;
}

export interface LabelStatistics {
  readonly rows: number;
  readonly nulls: number;
  /** NaN and infinite labels. */
  readonly notFinite: number;
  /** Of a binary target. */
  readonly positives?: number | null;
  readonly minimum?: number | null;
  readonly maximum?: number | null;
}

export interface Statistics {
  readonly rows: { readonly train: number; readonly validation: number; readonly holdout: number };
  readonly duplicateKeys: number;
  readonly columns: readonly ColumnStatistics[];
  readonly label: LabelStatistics;
}

/** As the file has them. */
type WrittenStatistics = Omit<Statistics, "columns"> & {
  readonly columns: readonly (Omit<ColumnStatistics, "histogram"> & { readonly histogram?: WrittenHistogram | null })[];
};

const readWritten = reader<WrittenStatistics>(validateStatistics);

function readStatistics(json: string): Parsed<Statistics> {
  const parsed = readText(readWritten, json);
  if (!parsed.ok) return parsed;
  const problems: Problem[] = [];
  const columns = parsed.value.columns.map(({ histogram, ...column }, index): ColumnStatistics => {
    if (histogram === undefined || histogram === null) return column;
    const read = histogramOf(histogram, `/columns/${index}/histogram`);
    if (!isProblem(read)) return { ...column, histogram: read };
    problems.push(read);
    return column;
  });
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value: { ...parsed.value, columns } };
}

/** The statistics at a key, or what is wrong with them; undefined when there are none. */
export async function findStatistics(objects: Pick<Objects, "bytes">, key: string): Promise<Parsed<Statistics> | undefined> {
  const json = await textOf(objects, key);
  return json === undefined ? undefined : readStatistics(json);
}

/** The statistics at a key; undefined when there are none. Throws `StatisticsInvalid` when they can't be read. */
export async function loadStatistics(objects: Pick<Objects, "bucket" | "bytes">, key: string): Promise<Statistics | undefined> {
  const parsed = await findStatistics(objects, key);
  if (parsed === undefined || parsed.ok) return parsed?.value;
  return fail(
    "StatisticsInvalid",
    `s3://${objects.bucket}/${key} does not have the form that the extract writes: ${listed(parsed.problems)} Run the extract again, from the scripts of this version.`,
  );
}
