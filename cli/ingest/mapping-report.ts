/** What `ingest` found out about a file, for people and as JSON. */
import { planText } from "../../functions/files/columns";
import { type Chosen, sourceText } from "../../functions/files/mapping/choose";
import { PRESETS } from "../../functions/files/mapping/presets";
import { TIME_FIELD } from "../../functions/files/mapping/types";
import type { FilePlan } from "../../functions/files/types";
import { table } from "../terminal";

export interface FileReport {
  /** `CSV, UTF-8, delimiter ;, …` */
  readonly file: string;
  readonly preset: Chosen["preset"];
  readonly time: Chosen["time"];
  /** Columns with decimal commas. */
  readonly decimalCommas: readonly string[];
  /** Where each field comes from. */
  readonly fields: Readonly<Record<string, string>>;
}

export function fileReport(plan: FilePlan, { mapping, preset, time }: Chosen): FileReport {
  const fields = Object.fromEntries(Object.entries(mapping.fields).map(([field, source]) => [field, sourceText(source)]));
  return { file: planText(plan), preset, time, decimalCommas: mapping.decimalCommas, fields };
}

export function reportText({ file, preset, time, decimalCommas, fields }: FileReport): string {
  const decimal = decimalCommas.length === 0 ? "" : `, decimal comma in ${decimalCommas.join(", ")}`;
  const shown = Object.entries(fields).map(([field, source]) => (field === source ? field : `${field} ← ${source}`));
  const others = time === null || time.others.length === 0 ? "" : ` Not taken: ${time.others.join(", ")}.`;
  return [
    `File:    ${file}${decimal}`,
    `Preset:  ${preset === null ? "none; the fields are taken by the names of the columns" : `${preset.name} (${preset.why})`}`,
    `Mapping: ${shown.join(", ")}`,
    ...(time === null ? [] : [`Time:    ${TIME_FIELD} ← ${time.taken}: ${time.why}.${others}`]),
    "",
  ].join("\n");
}

export function presetList(): string {
  const rows = PRESETS.map(({ name, title, signature, why }) => [name, title, signature.join(", "), why]);
  return `${table(["preset", "data set", "known by its columns", "time"], rows)}\n`;
}
