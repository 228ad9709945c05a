/** Customers to train on and to score, and ways to spoil them, for tests of failing pipelines. */
import { gunzipSync, gzipSync } from "node:zlib";
import { createTar, parseTar } from "nanotar";
import { expect } from "vitest";
import { type RegisteredModel, registeredModels } from "../../cli/pipelines/registry";
import { customer } from "../../cli/training/churn-world";
import { churnLine, headerOf } from "../../cli/training/rows";
import type { DatasetDocument } from "../../functions/gates/dataset";
import { CHURN } from "../../functions/scoring/profiles/churn";
import type { PipelineWorld } from "./pipeline-support";

export const DATASET = "churn";
export const ROWS = 400;

/** The stack's own dataset, with limits that a few hundred rows and a short training can meet. */
export async function learnFromLittle(pipelines: PipelineWorld): Promise<void> {
  const key = `config/datasets/${DATASET}.json`;
  const document = JSON.parse(String(await pipelines.object(key))) as DatasetDocument;
  const small: DatasetDocument = {
    ...document,
    // Evaluated on at least 20 customers who left.
    split: { ...document.split, holdout: 0.5 },
    quality: { ...document.quality, minRows: 200, maxDrift: 10 },
    training: { ...document.training, rounds: 10 },
    evaluation: { ...document.evaluation, limit: 0.5, margin: -0.5, maxPsi: 10, goldenRows: 8 },
  };
  await pipelines.put(key, JSON.stringify(small));
}

type Cells = readonly string[];

/** Header and rows: key, features, label. */
export const customers: readonly Cells[] = [
  headerOf(CHURN).replace(/^id,/, "key,").split(","),
  ...Array.from({ length: ROWS }, (_, index) => {
    const { data, hasLeft } = customer(5, index);
    return churnLine(String(index).padStart(4, "0"), data, hasLeft).split(",");
  }),
];

/** @returns the key of the file */
export async function upload(pipelines: PipelineWorld, name: string, rows: readonly Cells[]): Promise<string> {
  const key = `training/source/${DATASET}/${name}.csv`;
  await pipelines.put(key, rows.map((cells) => `${cells.join(",")}\n`).join(""));
  return key;
}

export const without = (column: string) => {
  const at = customers[0]?.indexOf(column) ?? -1;
  return customers.map((cells) => cells.filter((_, index) => index !== at));
};
/** Replaces the label of all rows but the header. */
export const labelled = (label: (row: number, given: string) => string) =>
  customers.map((cells, row) => (row === 0 ? cells : [...cells.slice(0, -1), label(row, cells.at(-1) ?? "")]));
/** The first three customers twice. */
export const repeated = [...customers, ...customers.slice(1, 4)];

/** The newest version of the dataset. */
export async function registered(pipelines: PipelineWorld): Promise<RegisteredModel> {
  const [model] = await registeredModels(pipelines.target, DATASET);
  if (model === undefined) throw new Error("Nothing is registered.");
  return model;
}

export const archiveKey = ({ modelName }: RegisteredModel) => `models/${DATASET}/${modelName}/output/model.tar.gz`;

/** Changes a file in a model's archive. @returns restores the archive */
export async function tamper(
  pipelines: PipelineWorld,
  model: RegisteredModel,
  file: string,
  change: (text: string) => string,
): Promise<() => Promise<void>> {
  const whole = await pipelines.object(archiveKey(model));
  const files = parseTar(Uint8Array.from(gunzipSync(whole))).filter(({ type }) => type === "file");
  expect(files.map(({ name }) => name.replace(/^\.\//, ""))).toContain(file);
  const changed = files.map(({ name, data = new Uint8Array() }) => ({
    name,
    data: name.replace(/^\.\//, "") === file ? change(new TextDecoder().decode(data)) : data,
  }));
  await pipelines.put(archiveKey(model), gzipSync(createTar(changed)));
  return () => pipelines.put(archiveKey(model), whole);
}
