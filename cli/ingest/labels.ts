/** Labels of a CSV or NDJSON file: every line is checked as the API checks it, before anything is sent. */
import { feedback as validate } from "#validators";
import type { Row } from "../../functions/files/types";
import { readLabels } from "../../functions/rest/feedback-labels";
import { LABEL_SCHEMA } from "../../functions/rest/feedback-schema";
import { didYouMean } from "../../functions/scoring/core/suggest";

/** One element of the body's `labels`. */
export interface Label {
  readonly event_id: string;
  readonly label: boolean;
  readonly labelled_at?: string;
  readonly source?: string;
}

export interface BadLine {
  readonly line: number;
  readonly reason: string;
}

export interface LabelFile {
  readonly lines: number;
  /** Without repetitions, in the order of the file. */
  readonly labels: readonly Label[];
  /** Lines that repeat an earlier one. */
  readonly repeated: number;
  readonly bad: readonly BadLine[];
}

const COLUMNS = Object.keys(LABEL_SCHEMA.properties ?? {});
const TRUE: ReadonlySet<unknown> = new Set([true, 1, "true", "1"]);
const FALSE: ReadonlySet<unknown> = new Set([false, 0, "false", "0"]);

/**
 * @param source for lines without a source; undefined leaves it to the API
 * @param now epoch milliseconds; labels from the future are bad lines
 */
export async function readLabelFile(rows: AsyncIterable<Row>, source: string | undefined, now: number): Promise<LabelFile> {
  const labels: Label[] = [];
  const bad: BadLine[] = [];
  const seen = new Map<string, { readonly line: number; readonly label: boolean }>();
  let lines = 0;
  let repeated = 0;
  for await (const row of rows) {
    lines += 1;
    const { line } = row;
    const read = row.kind === "unreadable" ? row.reason : labelOf(row.cells, source, now);
    if (typeof read === "string") {
      bad.push({ line, reason: read });
      continue;
    }
    const other = seen.get(read.key);
    if (other === undefined) {
      seen.set(read.key, { line, label: read.label.label });
      labels.push(read.label);
    } else if (other.label === read.label.label) {
      repeated += 1;
    } else {
      const reason = `the opposite of line ${other.line}, which has the same event, source and time; give each its own labelled_at`;
      bad.push({ line, reason });
    }
  }
  return { lines, labels, repeated, bad };
}

/** @returns the label and its key, by which repetitions are found; or what is wrong with the line */
function labelOf(
  cells: Readonly<Record<string, unknown>>,
  source: string | undefined,
  now: number,
): { readonly label: Label; readonly key: string } | string {
  const unknown = Object.keys(cells).find((name) => !COLUMNS.includes(name));
  if (unknown !== undefined)
    return `${unknown}: this column is not known.${didYouMean(unknown, COLUMNS)} Expected: ${COLUMNS.join(", ")}.`;
  // An empty CSV cell is an absent value.
  const given = Object.fromEntries(
    Object.entries(cells).filter(([, value]) => value !== "" && value !== null && value !== undefined),
  );
  const said = typeof given.label === "string" ? given.label.trim().toLowerCase() : given.label;
  if (said !== undefined && !TRUE.has(said) && !FALSE.has(said)) {
    return `label: expected true, false, 1 or 0, got ${JSON.stringify(given.label)}`;
  }
  const label = {
    ...(source === undefined ? {} : { source }),
    ...given,
    ...(said === undefined ? {} : { label: TRUE.has(said) }),
    // Ids may be numbers in records; in tables they are text.
    ...(typeof given.event_id === "number" ? { event_id: String(given.event_id) } : {}),
  };
  const read = readLabels({ labels: [label] }, validate, now);
  if (!read.ok) return read.problems.map(({ pointer, detail }) => `${pointer.split("/")[3] ?? "line"}: ${detail}`).join(" ");
  const [record] = read.labels.records;
  // The validator has established the shape.
  const accepted = label as Partial<Label> as Label;
  const time = accepted.labelled_at === undefined ? null : record?.labelled_at;
  return { label: accepted, key: JSON.stringify([accepted.event_id, record?.source, time]) };
}
