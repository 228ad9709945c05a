/** Gate after training: reproduces the model bit for bit, compares it with the champion, and always writes the report. */
import { createHash } from "node:crypto";
import { evaluationEvent as validateEvent } from "#validators";
import type { Log } from "../../shared/log";
import {
  type CompiledModel,
  compileModel,
  fileOf,
  goldenDifference,
  type ModelArchive,
  openModelArchive,
  requireLoadable,
  unpack,
} from "../common/artifact";
import { type Check, failures, figure } from "../common/check";
import { fail } from "../common/errors";
import type { EvaluationEvent } from "../common/events";
import { baselineKey, modelTarKey, outputTarKey, reportPrefix } from "../common/keys";
import { type CurrentModels, championName, currentModels, type ModelsAccess } from "../common/models-parameter";
import { type Objects, textOf } from "../common/ports";
import { loadDataset } from "../common/read-dataset";
import { listed, reader } from "../common/read-json";
import type { DatasetDocument } from "../dataset";
import { histogramPsi } from "../quality/psi";
import { predictionsOf } from "./baseline";
import { decisionChecks } from "./decide";
import { type ChampionResult, evaluateChampion, metricsOf } from "./evaluate";
import { type Holdout, marginDifference, parseHoldout } from "./holdout";
import type { Metrics } from "./metrics";

const readEvent = reader<EvaluationEvent>(validateEvent);

export interface EvaluationResult {
  readonly dataset: string;
  readonly modelName: string;
  readonly champion: string;
  readonly metric: "auc" | "rmse";
  readonly metrics: Metrics;
  readonly championMetrics: Metrics | null;
  /** For notices: `AUC 0.93 against 0.91 of "fraud-trees-1" on the same 20000 rows`. */
  readonly comparison: string;
  readonly psi: number | null;
  readonly checks: readonly Check[];
  readonly reportPrefix: string;
  readonly metricsUri: string;
  readonly evaluationUri: string;
  readonly baselineUri: string;
}

export interface EvaluationArgs {
  readonly objects: Objects;
  /** Bucket of compiled models. */
  readonly modelObjects: Pick<Objects, "bucket" | "bytes">;
  readonly models: ModelsAccess;
  readonly log: Log;
}

export type EvaluationHandler = (event: unknown) => Promise<EvaluationResult>;

/** Throws `EvaluationFailed` with every failed check, `ModelArtifactInvalid`, `InvalidDataset`, `ModelsParameterInvalid`. */
export function createEvaluationHandler({ objects, modelObjects, models, log }: EvaluationArgs): EvaluationHandler {
  async function championOn(
    document: DatasetDocument,
    current: CurrentModels,
    spec: ModelArchive["featureSpec"],
    holdout: Holdout,
  ): Promise<ChampionResult> {
    const { champion } = current;
    if (champion.kind !== "trees") return { metrics: undefined, comparison: `it is of kind "${champion.kind}"` };
    const image = await modelObjects.bytes(champion.key);
    const where = `s3://${modelObjects.bucket}/${champion.key}`;
    if (image === undefined) return { metrics: undefined, comparison: `${where} does not exist` };
    if (createHash("sha256").update(image).digest("hex") !== champion.sha256)
      return { metrics: undefined, comparison: `${where} is not the content that the models document names` };
    return evaluateChampion(document, image, spec, holdout);
  }

  /** Drift of the predictions between the two trainings: both baselines were counted in the same way. */
  async function stability(dataset: string, champion: string, archive: ModelArchive): Promise<number | undefined> {
    const own = predictionsOf(archive.baseline);
    if (!own.ok)
      fail("ModelArtifactInvalid", `${archive.where}: baseline.json: ${listed(own.problems)} Start the training pipeline again.`);
    const before = await textOf(objects, baselineKey(dataset, champion));
    const theirs = before === undefined ? undefined : predictionsOf(before);
    return theirs?.ok ? histogramPsi(theirs.value, own.value) : undefined;
  }

  return async (event) => {
    const parsed = readEvent(event);
    if (!parsed.ok)
      fail("InvalidInput", `The event of evaluation-gate is wrong: ${listed(parsed.problems)} Hand it the plan's output.`);
    const { dataset, modelName } = parsed.value;
    const outputKey = outputTarKey(dataset, modelName);
    const document = await loadDataset(objects, dataset);
    const [archive, output, current] = await Promise.all([
      openModelArchive(objects, modelTarKey(dataset, modelName), document),
      unpack(objects, outputKey),
      currentModels(models, dataset, document.profile),
    ]);
    const model = compileModel(archive);
    requireLoadable(model, modelName, document.profile, archive.where);
    const outputUri = `s3://${objects.bucket}/${outputKey}`;
    const features = archive.featureSpec.features.map(({ name }) => name);
    const holdout = parseHoldout(fileOf(output, "holdout.csv", outputUri), features, outputUri);

    const margins = model.evaluator.marginsBatch(holdout.rows, holdout.count);
    const champion = championName(current);
    const [compared, psi] = await Promise.all([
      championOn(document, current, archive.featureSpec, holdout),
      stability(dataset, champion, archive),
    ]);
    const metrics = metricsOf(document, model.evaluator, margins, holdout);
    const checks = [
      ...parityChecks(model, archive, margins, holdout),
      ...decisionChecks(document, {
        metrics,
        champion,
        championMetrics: compared.metrics,
        comparison: compared.comparison,
        psi,
      }),
    ];
    const prefix = reportPrefix(dataset, modelName);
    const uri = (name: string): string => `s3://${objects.bucket}/${prefix}${name}`;
    const result: EvaluationResult = {
      dataset,
      modelName,
      champion,
      metric: document.evaluation.metric,
      metrics,
      championMetrics: compared.metrics ?? null,
      comparison: comparisonOf(document, metrics, champion, compared),
      psi: psi ?? null,
      checks,
      reportPrefix: prefix,
      metricsUri: uri("metrics.json"),
      evaluationUri: uri("evaluation.json"),
      baselineUri: uri("baseline.json"),
    };
    await writeReport(objects, result, archive, output);
    const failed = checks.filter(({ ok }) => !ok);
    log.info("evaluated", {
      dataset,
      model: modelName,
      champion,
      metric: metrics[document.evaluation.metric] ?? null,
      failed: failed.length,
    });
    if (failed.length > 0) {
      fail(
        "EvaluationFailed",
        `Model "${modelName}" failed ${failed.length} of ${checks.length} checks. ${failures(checks)}. ` +
          `It was not registered and "${champion}" stays the champion. The report is in s3://${objects.bucket}/${prefix}; change the data, the hyperparameters or the dataset's limits (evaluation) in the stack, and train again.`,
      );
    }
    return result;
  };
}

function comparisonOf({ evaluation }: DatasetDocument, metrics: Metrics, champion: string, compared: ChampionResult): string {
  const shown = (of: Metrics | undefined): string => {
    const value = of?.[evaluation.metric];
    return value === undefined ? "unknown" : figure(value);
  };
  const own = `${evaluation.metric.toUpperCase()} ${shown(metrics)}`;
  return compared.metrics === undefined
    ? `${own}; not compared with "${champion}": ${compared.comparison}`
    : `${own} against ${shown(compared.metrics)} of "${champion}" ${compared.comparison}`;
}

function parityChecks(model: CompiledModel, { golden }: ModelArchive, margins: Float32Array, holdout: Holdout): Check[] {
  const [rowOff, goldenOff] = [marginDifference(margins, holdout), goldenDifference(model, golden)];
  const fix = "real-time scoring would differ from batch; train with the pinned version of XGBoost";
  return [
    {
      name: "holdout margins",
      ok: rowOff === undefined,
      detail: rowOff === undefined ? `${holdout.count} margins equal XGBoost's bit for bit` : `${rowOff}; ${fix}`,
    },
    {
      name: "golden rows",
      ok: goldenOff === undefined,
      detail: goldenOff === undefined ? `${golden.rows.length} margins equal XGBoost's bit for bit` : `${goldenOff}; ${fix}`,
    },
  ];
}

async function writeReport(
  objects: Objects,
  result: EvaluationResult,
  { metrics: trained, baseline }: ModelArchive,
  output: ReadonlyMap<string, Uint8Array>,
): Promise<void> {
  const { dataset, modelName, metrics, championMetrics, reportPrefix: prefix } = result;
  const pictures = [...output].filter(([name]) => /^[A-Za-z0-9_-]+\.svg$/.test(name));
  const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
  await Promise.all([
    objects.put(`${prefix}evaluation.json`, json(result), "application/json"),
    objects.put(
      `${prefix}metrics.json`,
      json({ dataset, modelName, holdout: metrics, champion: championMetrics, trained }),
      "application/json",
    ),
    objects.put(`${prefix}baseline.json`, baseline, "application/json"),
    ...pictures.map(([name, bytes]) => objects.put(`${prefix}${name}`, bytes, "image/svg+xml")),
  ]);
}
