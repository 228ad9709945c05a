/** Where a pipeline's objects lie in its bucket. The Glue and SageMaker scripts use the same layout. */

export const datasetKey = (dataset: string): string => `config/datasets/${dataset}.json`;

/** Files that were uploaded by hand. */
export const sourcePrefix = (dataset: string): string => `training/source/${dataset}/`;

export const trainingDataPrefix = (dataset: string, modelName: string): string => `training/data/${dataset}/${modelName}/`;

export const statisticsKey = (dataset: string, modelName: string): string =>
  `${trainingDataPrefix(dataset, modelName)}statistics.json`;

/** SageMaker's S3OutputPath; SageMaker writes to `<training job>/output/…` below it. */
export const modelOutputPrefix = (dataset: string): string => `models/${dataset}/`;

export const modelTarKey = (dataset: string, modelName: string): string =>
  `${modelOutputPrefix(dataset)}${modelName}/output/model.tar.gz`;

export const outputTarKey = (dataset: string, modelName: string): string =>
  `${modelOutputPrefix(dataset)}${modelName}/output/output.tar.gz`;

export const reportPrefix = (dataset: string, modelName: string): string => `${modelOutputPrefix(dataset)}${modelName}/report/`;

export const baselineKey = (dataset: string, modelName: string): string => `${reportPrefix(dataset, modelName)}baseline.json`;

export const inferenceInputPrefix = (dataset: string, date: string): string => `inference/input/${dataset}/dt=${date}/`;

export const manifestKey = (dataset: string, date: string): string => `inference/input/${dataset}/dt=${date}.manifest.json`;

export const inferenceOutputPrefix = (dataset: string, date: string): string => `inference/output/${dataset}/dt=${date}/`;
