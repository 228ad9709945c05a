/** The gate before training: what a training set must fulfil before money is spent on it. Pure. */

import { type Check, figure, percent } from "../common/check";
import type { DatasetDocument } from "../dataset";
import { binned, categoryPsi, histogramPsi } from "./psi";
import type { ColumnStatistics, Statistics } from "./statistics";

/** Names listed in a detail; the others are counted. */
const MAX_NAMES = 10;

/** Statistics of the champion's training set, or why there is nothing to compare with. */
export type Previous = { readonly statistics: Statistics } | { readonly statistics?: undefined; readonly notCompared: string };

export function qualityChecks(document: DatasetDocument, statistics: Statistics, previous: Previous): Check[] {
  return [
    rowsCheck(document, statistics),
    splitCheck(document, statistics),
    schemaCheck(document, statistics),
    nullsCheck(document, statistics),
    rangesCheck(document, statistics),
    labelValuesCheck(statistics),
    labelBalanceCheck(document, statistics),
    duplicatesCheck(document, statistics),
    driftCheck(document, statistics, previous),
  ];
}

const totalRows = ({ rows }: Statistics): number => rows.train + rows.validation + rows.holdout;

function rowsCheck({ quality }: DatasetDocument, statistics: Statistics): Check {
  const total = totalRows(statistics);
  return { name: "rows", ok: total >= quality.minRows, detail: `${total} rows, at least ${quality.minRows} are needed` };
}

function splitCheck({ split }: DatasetDocument, { rows }: Statistics): Check {
  const empty = [
    rows.train === 0 ? "train" : undefined,
    split.validation > 0 && rows.validation === 0 ? "validation" : undefined,
    rows.holdout === 0 ? "holdout" : undefined,
  ].filter((name) => name !== undefined);
  const counts = `${rows.train} to train, ${rows.validation} to validate, ${rows.holdout} held out`;
  return {
    name: "split",
    ok: empty.length === 0,
    detail: empty.length === 0 ? counts : `no rows in ${empty.join(" and ")} (${counts}); each part needs some`,
  };
}

function schemaCheck({ features }: DatasetDocument, { columns }: Statistics): Check {
  const found = new Map(columns.map((column) => [column.name, column]));
  const problems = [
    ...features.filter(({ name }) => !found.has(name)).map(({ name }) => `${name} is missing`),
    ...columns.filter(({ name }) => !features.some((one) => one.name === name)).map(({ name }) => `${name} is not a feature`),
    ...features.flatMap(({ name, type }) => {
      const column = found.get(name);
      return column === undefined || column.type === type ? [] : [`${name} is ${column.type} where ${type} was expected`];
    }),
  ];
  return {
    name: "schema",
    ok: problems.length === 0,
    detail: problems.length === 0 ? `${columns.length} columns as the dataset names them` : some(problems),
  };
}

const nullRate = ({ rows, nulls }: ColumnStatistics): number => (rows === 0 ? 0 : nulls / rows);

function nullsCheck({ quality }: DatasetDocument, { columns }: Statistics): Check {
  const allowed = (name: string): number => quality.nullRates?.[name] ?? quality.maxNullRate;
  const over = columns.filter((column) => nullRate(column) > allowed(column.name));
  const worst = columns.reduce((most, column) => Math.max(most, nullRate(column)), 0);
  return {
    name: "missing values",
    ok: over.length === 0,
    detail:
      over.length === 0
        ? `at most ${percent(worst)} of a column are missing`
        : some(over.map((column) => `${column.name} ${percent(nullRate(column))}, allowed ${percent(allowed(column.name))}`)),
  };
}

function rangesCheck({ quality }: DatasetDocument, { columns }: Statistics): Check {
  const ranges = Object.entries(quality.ranges ?? {});
  const outside = ranges.flatMap(([name, [low, high]]) => {
    const column = columns.find((one) => one.name === name);
    const [minimum, maximum] = [column?.minimum ?? low, column?.maximum ?? high];
    return minimum >= low && maximum <= high
      ? []
      : [`${name} has ${figure(minimum)} to ${figure(maximum)}, allowed ${low} to ${high}`];
  });
  return {
    name: "ranges",
    ok: outside.length === 0,
    detail: outside.length === 0 ? `${ranges.length} columns within their range` : some(outside),
  };
}

function labelValuesCheck({ label }: Statistics): Check {
  const bad = label.nulls + label.notFinite;
  return {
    name: "label values",
    ok: bad === 0 && label.rows > 0,
    detail:
      label.rows === 0
        ? "no row has a label"
        : bad === 0
          ? `${label.rows} labels, each a number`
          : `${label.nulls} labels are missing and ${label.notFinite} are not finite numbers, none is allowed`,
  };
}

function labelBalanceCheck({ target, quality }: DatasetDocument, { label }: Statistics): Check {
  const name = "label balance";
  if (target.kind === "regression") {
    const { minimum, maximum } = label;
    if (typeof minimum !== "number" || typeof maximum !== "number")
      return { name, ok: false, detail: "the labels' range is not known, so they may all be the same" };
    const isInside = minimum >= target.minimum && maximum <= target.maximum;
    const found = `${figure(minimum)} to ${figure(maximum)}`;
    if (minimum === maximum) return { name, ok: false, detail: `every label is ${figure(minimum)}; there is nothing to learn` };
    return { name, ok: isInside, detail: `labels from ${found}, allowed ${target.minimum} to ${target.maximum}` };
  }
  const positives = label.positives ?? 0;
  const share = label.rows === 0 ? 0 : positives / label.rows;
  const ok = share >= quality.minPositiveShare && share <= quality.maxPositiveShare && share > 0 && share < 1;
  const allowed = `allowed ${percent(quality.minPositiveShare)} to ${percent(quality.maxPositiveShare)}`;
  const isOneClass = label.rows > 0 && (share === 0 || share === 1);
  return {
    name,
    ok,
    detail: `${positives} of ${label.rows} labels are positive (${percent(share)}), ${allowed}${isOneClass ? "; with one class there is nothing to learn" : ""}`,
  };
}

function duplicatesCheck({ quality }: DatasetDocument, { duplicateKeys }: Statistics): Check {
  return {
    name: "duplicate keys",
    ok: duplicateKeys <= quality.maxDuplicateKeys,
    detail: `${duplicateKeys} keys occur more than once, allowed ${quality.maxDuplicateKeys}`,
  };
}

function driftCheck({ quality, features }: DatasetDocument, statistics: Statistics, previous: Previous): Check {
  const name = "drift";
  if (previous.statistics === undefined) return { name, ok: true, detail: previous.notCompared };
  const before = new Map(previous.statistics.columns.map((column) => [column.name, column]));
  const compared = features.flatMap((feature) => {
    const [was, is] = [before.get(feature.name), statistics.columns.find((column) => column.name === feature.name)];
    const index = was === undefined || is === undefined ? undefined : columnPsi(was, is);
    return index === undefined ? [] : [{ name: feature.name, index }];
  });
  const drifted = compared.filter(({ index }) => index > quality.maxDrift);
  const worst = compared.reduce((most, { index }) => Math.max(most, index), 0);
  const isNew = features.filter((feature) => !before.has(feature.name)).map((feature) => feature.name);
  const summary = `${compared.length} columns compared with the champion's training set, PSI at most ${figure(worst)}, allowed ${quality.maxDrift}`;
  return {
    name,
    ok: drifted.length === 0,
    detail:
      drifted.length > 0
        ? `${some(drifted.map((one) => `${one.name} has PSI ${figure(one.index)}`))}, allowed ${quality.maxDrift}`
        : isNew.length > 0
          ? `${summary}; the champion did not have ${some(isNew)}`
          : summary,
  };
}

/** Undefined when one of the two has no counts. Columns with few values are counted by value, others between quantiles. */
function columnPsi(was: ColumnStatistics, is: ColumnStatistics): number | undefined {
  if (was.counts && is.counts) return categoryPsi(was.counts, is.counts, [was.nulls, is.nulls]);
  const before = was.histogram ?? (was.counts && is.histogram && binned(was.counts, is.histogram.edges));
  const now = is.histogram ?? (is.counts && was.histogram && binned(is.counts, was.histogram.edges));
  return before && now ? histogramPsi({ ...before, missing: was.nulls }, { ...now, missing: is.nulls }) : undefined;
}

function some(items: readonly string[]): string {
  const rest = items.length - MAX_NAMES;
  return `${items.slice(0, MAX_NAMES).join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}
