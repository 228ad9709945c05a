/** `baseline.json`: how a model's predictions were distributed when it was trained. */
import { baseline as validateBaseline } from "#validators";
import { type Parsed, reader, readText } from "../common/read-json";
import { histogramOf, isProblem, type WrittenHistogram } from "../quality/histogram";
import type { Histogram } from "../quality/psi";

const readBaseline = reader<{ readonly prediction: WrittenHistogram }>(validateBaseline);

/** Histogram of the predictions in a baseline. */
export function predictionsOf(json: string): Parsed<Histogram> {
  const parsed = readText(readBaseline, json);
  if (!parsed.ok) return parsed;
  const read = histogramOf(parsed.value.prediction, "/prediction");
  return isProblem(read) ? { ok: false, problems: [read] } : { ok: true, value: read };
}
