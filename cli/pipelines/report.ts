/** Results of a training: figures to print, and the report with its pictures as files. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { GetObjectCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import { paint, table } from "../terminal";
import type { PipelineTarget } from "./target";

const EVALUATION = "evaluation.json";

/** The parts of `evaluation.json` that are shown. The evaluation gate writes the file. */
export interface Evaluation {
  readonly modelName: string;
  readonly champion: string;
  readonly metric: string;
  readonly metrics: Readonly<Record<string, number>>;
  readonly championMetrics: Readonly<Record<string, number>> | null;
  readonly comparison: string;
  readonly psi: number | null;
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly detail: string }[];
}

export interface Report {
  /** Paths on this machine. */
  readonly files: readonly string[];
  readonly evaluation: Evaluation;
}

/** Copies a model's report out of the pipeline bucket into a folder. @throws Error if the report has no evaluation */
export async function downloadReport(
  { s3, bucket }: PipelineTarget,
  model: { readonly dataset: string; readonly modelName: string },
  folder: string,
): Promise<Report> {
  const prefix = `models/${model.dataset}/${model.modelName}/report/`;
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix }));
  mkdirSync(folder, { recursive: true });
  const files: string[] = [];
  for (const { Key } of Contents) {
    if (Key === undefined) continue;
    const object = await s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
    const file = join(folder, basename(Key));
    writeFileSync(file, (await object.Body?.transformToByteArray()) ?? new Uint8Array());
    files.push(file);
  }
  const written = files.find((file) => basename(file) === EVALUATION);
  if (written === undefined) throw new Error(`s3://${bucket}/${prefix} has no ${EVALUATION}; the evaluation gate writes it.`);
  // Our own function wrote it.
  return { files: files.sort(), evaluation: JSON.parse(readFileSync(written, "utf8")) as Evaluation };
}

/** A table of candidate and champion, then the checks. */
export function describeEvaluation(evaluation: Evaluation): string {
  const { modelName, champion, metrics, championMetrics, comparison, checks } = evaluation;
  const figure = (value: number | undefined): string =>
    value === undefined ? "–" : Number.isInteger(value) ? String(value) : value.toFixed(4);
  const names = Object.keys(metrics).filter((name) => Number.isFinite(metrics[name]));
  return [
    table(
      ["holdout", modelName, ...(championMetrics === null ? [] : [`champion ${champion}`])],
      names.map((name) => [name, figure(metrics[name]), ...(championMetrics === null ? [] : [figure(championMetrics[name])])]),
    ),
    ...(championMetrics === null && comparison !== "" ? [`  ${comparison}`] : []),
    "",
    ...checks.map(({ name, ok, detail }) => `  ${ok ? paint("green", "✓") : paint("red", "✗")} ${name}: ${detail}`),
  ].join("\n");
}
