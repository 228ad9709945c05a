/** Gate before training: looks at what was extracted, and stops before money is spent. */
import type { Log } from "../../shared/log";
import { type Check, failures } from "../check";
import { loadDataset } from "../dataset-check";
import { fail } from "../errors";
import { listed, openObject, type Read, read, text } from "../json";
import { statisticsKey } from "../keys";
import type { Objects } from "../ports";
import { qualityChecks } from "./checks";
import { loadStatistics } from "./statistics";

interface QualityEvent {
  readonly dataset: string;
  readonly modelName: string;
  readonly champion: string;
}

const EVENT: Read<QualityEvent> = openObject<QualityEvent>({ dataset: text(), modelName: text(), champion: text() }, {});

export interface QualityResult {
  readonly rows: number;
  /** Model whose training set was compared with; empty when there was none. */
  readonly comparedWith: string;
  readonly checks: readonly Check[];
}

export type QualityHandler = (event: unknown) => Promise<QualityResult>;

/** Throws `DataQualityFailed` with every check that failed, `StatisticsInvalid`, `InvalidDataset`. */
export function createQualityHandler({ objects, log }: { readonly objects: Objects; readonly log: Log }): QualityHandler {
  return async (event) => {
    const parsed = read(EVENT, event);
    if (!parsed.ok)
      fail("InvalidInput", `The event of data-quality-gate is wrong: ${listed(parsed.problems)} Hand it the plan's output.`);
    const { dataset, modelName, champion } = parsed.value;
    const key = statisticsKey(dataset, modelName);
    const [document, statistics, previous] = await Promise.all([
      loadDataset(objects, dataset),
      loadStatistics(objects, key),
      champion === modelName ? undefined : loadStatistics(objects, statisticsKey(dataset, champion)),
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
    return { rows: train + validation + holdout, comparedWith: previous === undefined ? "" : champion, checks };
  };
}
