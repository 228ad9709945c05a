/** Decides how a file is read, from its first bytes and the sender's metadata. */
import { columnsOf, readable } from "../files/columns";
import { formatByName } from "../files/format-by-name";
import { inspect } from "../files/inspect";
import { chooseMapping } from "../files/mapping/choose";
import { optionsOf } from "../files/mapping/options-text";
import { recordMaker, type ToRecord } from "../files/mapping/to-record";
import { readRowsFrom } from "../files/read";
import { FileError, type FilePlan, type Row, START } from "../files/types";
import type { AnyProfile } from "../scoring/core/profile";
import type { FileFacts, IncomingFiles } from "./ports";
import type { IncomingFile, Reading } from "./types";

/** @throws FileError when no row of the file could be scored */
export async function openFile(
  file: IncomingFile,
  { metadata }: FileFacts,
  files: IncomingFiles,
  profile: AnyProfile,
): Promise<Reading> {
  const options = optionsOf(metadata);
  const { plan, sample } = await inspect(files.bytes(file, 0), { ...formatByName(file.key), ...options.file });
  const rows = await withReadableRow(sample, file, plan, files);
  const columns = columnsOf(plan, rows);
  const sampled = { columns, rows: readable(rows), isText: plan.format === "csv" };
  const choice = chooseMapping(sampled, schemaOf(profile), options.mapping);
  if (choice.ok) return { plan, mapping: choice.chosen.mapping, preset: choice.chosen.preset?.name ?? null };
  throw new FileError(choice.problems.join("\n"));
}

/** The first row that can be read may lie behind the sample. A file without any has nothing to map, and every row of it is refused. */
async function withReadableRow(
  sample: readonly Row[],
  file: IncomingFile,
  plan: FilePlan,
  files: IncomingFiles,
): Promise<readonly Row[]> {
  if (sample.some(({ kind }) => kind === "row")) return sample;
  for await (const row of readRowsFrom(files.bytes(file, 0), plan, START)) if (row.kind === "row") return [row];
  throw new FileError("The file has no row that can be read.");
}

const schemaOf = ({ schema: { properties = {}, required = [] } }: AnyProfile) => ({ properties, required });

export const makerOf = ({ mapping, plan }: Reading, profile: AnyProfile): ToRecord =>
  recordMaker(mapping, schemaOf(profile), plan);
