/** `baseline.json`: how a model's predictions were distributed when it was trained. */
import { openObject, type Parsed, type Read, readText } from "../json";
import { histogram } from "../quality/histogram-check";
import type { Histogram } from "../quality/psi";

interface Baseline {
  readonly prediction: Histogram;
}

const BASELINE: Read<Baseline> = openObject<Baseline>({ prediction: histogram }, {});

/** Histogram of the predictions in a baseline. */
export function predictionsOf(json: string): Parsed<Histogram> {
  const parsed = readText(BASELINE, json);
  return parsed.ok ? { ok: true, value: parsed.value.prediction } : parsed;
}
