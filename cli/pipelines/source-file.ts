/** Uploads a file to train on or to score, converted to the dataset's columns if necessary, under the hash of its content. */
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { UsageError } from "../options";
import { convertBankChurn } from "../training/training-data";
import type { PipelineTarget } from "./target";

/** Columns that identify the public bank-churn file. */
const BANK_CHURN = ["CreditScore", "Geography", "Exited"];

/**
 * Uploads a CSV file with the header `key[,time],features…,label`; the public bank-churn layout is turned into the churn profile's
 * features first. @returns the key in the pipeline bucket
 * @throws UsageError when the file does not exist or has no such header
 */
export async function uploadSource({ s3, bucket }: PipelineTarget, dataset: string, file: string): Promise<string> {
  if (!existsSync(file)) throw new UsageError(`--file: ${file} does not exist.`);
  const text = sourceText(dataset, file);
  const header = text.slice(0, text.indexOf("\n")).trim().split(",");
  if (header[0] !== "key") {
    throw new UsageError(
      `--file: ${file} starts with the column "${header[0]}"; expected key, then time (optional), the features of ${dataset} and label.`,
    );
  }
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 16);
  const key = `training/source/${dataset}/${hash}.csv`;
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: text, ContentType: "text/csv" }));
  return key;
}

function sourceText(dataset: string, file: string): string {
  const text = readFileSync(file, "utf8").replace(/^\uFEFF/, "");
  const header = text.slice(0, text.indexOf("\n"));
  if (dataset !== "churn" || !BANK_CHURN.every((column) => header.includes(column))) return text;
  const folder = mkdtempSync(join(tmpdir(), "bank-churn-"));
  try {
    convertBankChurn(file, folder);
    const rows = readFileSync(join(folder, "bank-churn.csv"), "utf8");
    // Training rows of models/train.py call the key "id" and have "nan" for missing values.
    return rows.replace(/^id,/, "key,").replaceAll(/,nan(?=[,\n])/g, ",");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
