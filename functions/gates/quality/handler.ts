/** Gate before training: checks the extract, and stops before money is spent. */
import { qualityEvent as validateEvent } from "#validators";
import type { Log } from "../../shared/log";
import { type Check, failures } from "../common/check";
import { fail } from "../common/errors";
import type { QualityEvent } from "../common/events";
import { statisticsKey } from "../common/keys";
import type { Objects } from "../common/ports";
import { loadDataset } from "../common/read-dataset";
import { listed, reader } from "../common/read-json";
import { type Previous, qualityChecks } from "./checks";
import { findStatistics, loadStatistics } from "./statistics";

const readEvent = reader<QualityEvent>(validateEvent);

export interface QualityResult {
  readonly rows: number;
  /** The model whose training set was compared with; empty when there was none, or none that could be read. */
  readonly comparedWith: string;
  readonly checks: readonly Check[];
}

export type QualityHandler = (event: unknown) => Promise<QualityResult>;

/** Throws `DataQualityFailed` with every failed check, `StatisticsInvalid`, `InvalidDataset`. */
export function createQualityHandler({ objects, log }: { readonly objects: Objects; readonly log: Log }): QualityHandler {
  return async (event) => {
    const parsed = readEvent(event);
    if (!parsed.ok)
      fail("InvalidInput", `The event of data-quality-gate is wrong: ${listed(parsed.problems)} Hand it the plan's output.`);
    const { dataset, modelName, champion } = parsed.value;
    const key = statisticsKey(dataset, modelName);
    const [document, statistics, previous] = await Promise.all([
      loadDataset(objects, dataset),
      loadStatistics(objects, key),
      loadPrevious(objects, parsed.value),
    ]);
    if (statistics === undefined) {
      fail(
        "StatisticsInvalid",
        `There is no s3://${objects.bucket}/${key}: the extract did not finish. Start the pipeline again.`,
      );
    }
    const checks = qualityChecks(document, statistics, previous);
    const failed = checks.filter(({ ok }) => !ok);
    log.info("data_quality", { dataset, model: modelName, checks: checks.length, failed: failed.length });
    if (failed.length > 0) {
      fail(
        "DataQualityFailed",
        `The training set of dataset "${dataset}" failed ${failed.length} of ${checks.length} checks. ${failures(checks)}. ` +
          "Nothing was trained. Mend the source, or, if the data is right, change the dataset's limits (quality) in the stack, and start the pipeline again.",
      );
    }
    const { train, validation, holdout } = statistics.rows;
    return { rows: train + validation + holdout, comparedWith: previous.statistics === undefined ? "" : champion, checks };
  };
}

/** A champion's statistics are never written again, so unreadable ones are reported and don't end the training. */
async function loadPrevious(objects: Objects, { dataset, modelName, champion }: QualityEvent): Promise<Previous> {
  const key = statisticsKey(dataset, champion);
  const found = champion === modelName ? undefined : await findStatistics(objects, key);
  if (found === undefined) return { notCompared: "the champion has no training set here to compare with" };
  if (found.ok) return { statistics: found.value };
  return {
    notCompared: `not compared with the champion's training set: s3://${objects.bucket}/${key} cannot be read (${listed(found.problems)})`,
  };
}
