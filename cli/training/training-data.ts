/** Writes the rows on which the models in `models/` are trained and evaluated. */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { CHURN } from "../../functions/scoring/profiles/churn";
import { FRAUD } from "../../functions/scoring/profiles/fraud";
import { type CommandLine, parseCommandLine, runCommand, UsageError } from "../options";
import { deviceLines } from "./device-world";
import { churnLine, churnRows, fraudRows, headerOf, type Lines, SPLITS, type Split } from "./rows";

const COMMAND: CommandLine = {
  usage: "node dist/cli/training/training-data.js [options]",
  about:
    "Writes generated, labelled rows of the fraud and churn profiles; or of the device profile; or converts a file of bank customers.",
  options: {
    out: { type: "string", value: "FOLDER", help: "Folder for the files.", default: ".local/training" },
    seed: { type: "string", value: "N", help: "Seed of the generated rows.", default: "20260101" },
    device: {
      type: "string",
      value: "N",
      help: "Writes device.csv instead: N visits of devices, as they are sent, with their fraud scores.",
    },
    "bank-churn": {
      type: "string",
      value: "CSV",
      help: "Writes bank-churn.csv from this file instead; columns CreditScore, Geography, Gender, Age … Exited.",
    },
  },
  examples: [
    "node dist/cli/training/training-data.js",
    "node dist/cli/training/training-data.js --device 50000",
    "node dist/cli/training/training-data.js --bank-churn ~/Downloads/Churn_Modelling.csv",
  ],
};

export const FRAUD_USERS = 6000;
export const CHURN_CUSTOMERS = 20_000;
export const SEED = 20260101;

export interface DataFile {
  readonly split: Split;
  readonly file: string;
  readonly rows: number;
  readonly positives: number;
}

/** What was generated for a profile; `sha256` covers its files in the order train, validation, holdout. */
export interface DataSet {
  readonly profile: "fraud" | "churn";
  readonly seed: number;
  readonly sha256: string;
  readonly files: readonly DataFile[];
}

/** Generates the rows of both profiles in a folder, and `data.json`, which describes them. */
export function writeTrainingData(out: string, seed: number = SEED): readonly DataSet[] {
  mkdirSync(out, { recursive: true });
  const sets = [
    writeSet(out, "fraud", seed, headerOf(FRAUD), fraudRows({ seed, users: FRAUD_USERS })),
    writeSet(out, "churn", seed, headerOf(CHURN), churnRows({ seed, customers: CHURN_CUSTOMERS })),
  ];
  writeFileSync(join(out, "data.json"), `${JSON.stringify(sets, null, 2)}\n`);
  return sets;
}

/** Generates `device.csv`, which a training run of the dataset `device` takes as `--file`. @returns the path */
export function writeDeviceData(out: string, visits: number, seed: number = SEED): string {
  mkdirSync(out, { recursive: true });
  const file = join(out, "device.csv");
  writeFileSync(file, `${[...deviceLines(seed, visits)].join("\n")}\n`);
  return file;
}

function writeSet(out: string, profile: DataSet["profile"], seed: number, header: string, lines: Lines): DataSet {
  const hash = createHash("sha256");
  const files = SPLITS.map((split): DataFile => {
    const text = `${header}\n${lines[split].join("\n")}\n`;
    hash.update(text);
    const file = `${profile}-${split}.csv`;
    writeFileSync(join(out, file), text);
    return { split, file, rows: lines[split].length, positives: lines[split].filter((line) => line.endsWith(",1")).length };
  });
  return { profile, seed, sha256: hash.digest("hex"), files };
}

const COUNTRIES = ["France", "Germany", "Spain"] as const;
const NUMBERS_BEFORE = ["Age", "Tenure", "Balance", "NumOfProducts", "HasCrCard", "IsActiveMember", "EstimatedSalary"] as const;

/** Converts rows of the public bank-churn file through the same extraction. @returns the number of rows */
export function convertBankChurn(file: string, out: string): number {
  const records: Readonly<Record<string, string>>[] = parse(readFileSync(file), {
    columns: true,
    bom: true,
    skip_empty_lines: true,
  });
  const lines = records.map((record, index) => {
    const number = (column: string): number => {
      const value = Number(record[column] ?? "");
      if (record[column] === undefined || record[column] === "" || Number.isNaN(value)) {
        throw new UsageError(
          `${file}, row ${index + 2}, column "${column}": expected a number, got ${JSON.stringify(record[column])}.`,
        );
      }
      return value;
    };
    const country = COUNTRIES.map((name) => +(record.Geography === name));
    const data = [number("CreditScore"), +(record.Gender === "Male"), ...NUMBERS_BEFORE.map(number), ...country];
    return churnLine(String(index), data, number("Exited") === 1);
  });
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, "bank-churn.csv"), `${headerOf(CHURN)}\n${lines.join("\n")}\n`);
  return lines.length;
}

/** @returns the exit status */
async function main(): Promise<number> {
  const parsed = parseCommandLine(COMMAND);
  const out = parsed.text("out") ?? ".local/training";
  const bank = parsed.text("bank-churn");
  if (bank !== undefined) {
    console.log(`${join(out, "bank-churn.csv")}: ${convertBankChurn(bank, out)} rows`);
    return 0;
  }
  const seed = Number(parsed.text("seed"));
  if (!Number.isInteger(seed)) throw new UsageError(`--seed: expected a whole number, got "${parsed.text("seed")}".`);
  const visits = parsed.text("device");
  if (visits !== undefined) {
    const count = Number(visits);
    if (!Number.isInteger(count) || count < 1) throw new UsageError(`--device: expected a whole number from 1, got "${visits}".`);
    console.log(`${writeDeviceData(out, count, seed)}: ${count} rows`);
    return 0;
  }
  for (const { files } of writeTrainingData(out, seed)) {
    for (const { file, rows, positives } of files)
      console.log(`${join(out, file)}: ${rows} rows, ${positives} positive (${((100 * positives) / rows).toFixed(2)} %)`);
  }
  return 0;
}

if (require.main === module) runCommand(main);
