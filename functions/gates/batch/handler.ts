/** Checks a day's extract before its transform, and sums up the days of an execution. */
import { batchEvent as validateEvent, manifest as validateManifest } from "#validators";
import type { Log } from "../../shared/log";
import { fail } from "../common/errors";
import type { BatchEvent, DayOutcome } from "../common/events";
import { manifestKey } from "../common/keys";
import { type Objects, textOf } from "../common/ports";
import { loadDataset } from "../common/read-dataset";
import { listed, reader, readText } from "../common/read-json";
import { outcomes, type ScoredDay } from "./outcome";

export interface Inspection {
  readonly rows: number;
  /** True for a successful day without rows: there is nothing to transform or load. */
  readonly empty: boolean;
  readonly files: number;
  readonly duplicateKeys: number;
}

export interface Summary {
  readonly dataset: string;
  readonly modelName: string;
  readonly days: number;
  readonly scored: number;
  readonly empty: number;
  readonly rows: number;
  readonly results: readonly ScoredDay[];
}

export type BatchHandler = (event: unknown) => Promise<Inspection | Summary>;

interface Manifest {
  readonly dataset: string;
  readonly date: string;
  readonly rows: number;
  readonly files: readonly string[];
  readonly duplicateKeys: number;
}

const readManifest = reader<Manifest>(validateManifest);
const readEvent = reader<BatchEvent>(validateEvent);

/** Throws `ManifestInvalid`, `DuplicateKeys`, `InvalidDataset` (inspect), `DaysFailed` with each failed day (summary), `InvalidInput`. */
export function createBatchHandler({ objects, log }: { readonly objects: Objects; readonly log: Log }): BatchHandler {
  async function inspect(dataset: string, date: string): Promise<Inspection> {
    const { quality } = await loadDataset(objects, dataset);
    const key = manifestKey(dataset, date);
    const where = `s3://${objects.bucket}/${key}`;
    const refuse = (detail: string): never =>
      fail("ManifestInvalid", `${where}: ${detail} Run the day again; loading it twice changes nothing.`);
    const json = await textOf(objects, key);
    if (json === undefined) return refuse("It does not exist: the day's extract did not finish.");
    const parsed = readText(readManifest, json);
    if (!parsed.ok) return refuse(`It isn't a manifest as the extract writes it: ${listed(parsed.problems)}`);
    const { rows, files, duplicateKeys, ...of } = parsed.value;
    if (of.dataset !== dataset || of.date !== date)
      return refuse(`It belongs to "${of.dataset}" on ${of.date}, expected "${dataset}" on ${date}.`);
    if (rows > 0 !== files.length > 0) return refuse(`It has ${rows} rows in ${files.length} files.`);
    if (duplicateKeys > quality.maxDuplicateKeys) {
      fail(
        "DuplicateKeys",
        `${where}: ${duplicateKeys} keys occur more than once, allowed ${quality.maxDuplicateKeys}: which row a score belongs to is not certain. Nothing was scored. ` +
          "Mend the source, or change the dataset's limit (quality.maxDuplicateKeys) in the stack, and run the day again.",
      );
    }
    log.info("inspected", { dataset, date, rows, files: files.length });
    return { rows, empty: rows === 0, files: files.length, duplicateKeys };
  }

  function summarise(days: readonly DayOutcome[], dataset: string, modelName: string): Summary {
    const { done, failed } = outcomes(days);
    log.info("summarised", { dataset, days: days.length, failed: failed.length });
    if (failed.length > 0) {
      fail(
        "DaysFailed",
        `${failed.length} of ${days.length} days of dataset "${dataset}" failed; earlier scores are unchanged, and the other days are loaded. ${named(failed)}. ` +
          `Run them again with: npm run pipeline -- inference --dataset ${dataset} --date DAY`,
      );
    }
    const scored = done.filter(({ status }) => status === "scored");
    return {
      dataset,
      modelName,
      days: done.length,
      scored: scored.length,
      empty: done.length - scored.length,
      rows: done.reduce((sum, { rows }) => sum + rows, 0),
      results: done,
    };
  }

  return async (event) => {
    const parsed = readEvent(event);
    if (!parsed.ok)
      fail("InvalidInput", `The event of batch-gate is wrong: ${listed(parsed.problems)} Correct the state machine.`);
    const { action, day, days, dataset = "", modelName = "" } = parsed.value;
    if (action === "inspect" && day !== undefined) return inspect(day.dataset, day.date);
    if (action === "summary" && days !== undefined) return summarise(days, dataset, modelName);
    return fail(
      "InvalidInput",
      `The event of batch-gate is wrong: action "${action}" needs ${action === "inspect" ? "day" : "days"}. Correct the state machine.`,
    );
  };
}

/** Days named in a message, which travels through the state machine: that carries at most 256 KB. */
const MAX_NAMED = 50;

function named(failed: readonly string[]): string {
  const rest = failed.length - MAX_NAMED;
  return `${failed.slice(0, MAX_NAMED).join("; ")}${rest > 0 ? `; and ${rest} more` : ""}`;
}
