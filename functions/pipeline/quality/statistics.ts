/** `statistics.json`: what the extract of a training set counted. */
import { fail } from "../errors";
import {
  count,
  list,
  listed,
  nullable,
  number,
  oneOf,
  openObject,
  type Parsed,
  type Read,
  readText,
  record,
  text,
} from "../json";
import { type Objects, textOf } from "../ports";
import { histogram } from "./histogram-check";
import type { Histogram } from "./psi";

export interface ColumnStatistics {
  readonly name: string;
  readonly type: "numeric" | "boolean" | "categorical";
  readonly rows: number;
  readonly nulls: number;
  readonly minimum?: number | null;
  readonly maximum?: number | null;
  readonly histogram?: Histogram | null;
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

const STATISTICS: Read<Statistics> = openObject<Statistics>(
  {
    rows: openObject<Statistics["rows"]>({ train: count, validation: count, holdout: count }, {}),
    duplicateKeys: count,
    columns: list(
      openObject<ColumnStatistics>(
        { name: text(), type: oneOf("numeric", "boolean", "categorical"), rows: count, nulls: count },
        {
          minimum: nullable(number()),
          maximum: nullable(number()),
          histogram: nullable(histogram),
          counts: nullable(record(count)),
        },
      ),
    ),
    label: openObject<LabelStatistics>(
      { rows: count, nulls: count, notFinite: count },
      { positives: nullable(count), minimum: nullable(number()), maximum: nullable(number()) },
    ),
  },
  {},
);

/** The statistics at a key, or what is wrong with them; undefined when there are none. */
export async function findStatistics(objects: Pick<Objects, "bytes">, key: string): Promise<Parsed<Statistics> | undefined> {
  const json = await textOf(objects, key);
  return json === undefined ? undefined : readText(STATISTICS, json);
}

/** The statistics at a key; undefined when there are none. Throws `StatisticsInvalid` when they cannot be read. */
export async function loadStatistics(objects: Pick<Objects, "bucket" | "bytes">, key: string): Promise<Statistics | undefined> {
  const parsed = await findStatistics(objects, key);
  if (parsed === undefined || parsed.ok) return parsed?.value;
  return fail(
    "StatisticsInvalid",
    `s3://${objects.bucket}/${key} is not what the extract writes: ${listed(parsed.problems)} Run the extract again, from the scripts of this version.`,
  );
}
