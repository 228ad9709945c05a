/** The models' parameter of a profile: reads its versions and writes new ones. */
import { GetParameterHistoryCommand, PutParameterCommand } from "@aws-sdk/client-ssm";
import { checkModels, MAX_MODELS_BYTES, type ModelsDocument } from "../../functions/scoring/models/document";
import { PROFILES, type ProfileId } from "../../functions/scoring/profiles";
import { UsageError } from "../options";
import type { Target } from "./target";

export interface ParameterVersion {
  readonly version: number;
  readonly text: string;
  /** ISO 8601; empty when unknown. */
  readonly changedAt: string;
}

/** Oldest first; AWS keeps the newest hundred. */
export async function versionsOf({ ssm, parameters }: Target, profile: ProfileId): Promise<ParameterVersion[]> {
  const versions: ParameterVersion[] = [];
  let token: string | undefined;
  do {
    const page = await ssm.send(
      new GetParameterHistoryCommand({ Name: parameters[profile], WithDecryption: true, ...(token ? { NextToken: token } : {}) }),
    );
    for (const { Version = 0, Value = "", LastModifiedDate } of page.Parameters ?? []) {
      versions.push({ version: Version, text: Value, changedAt: LastModifiedDate?.toISOString() ?? "" });
    }
    token = page.NextToken;
  } while (token !== undefined);
  return versions.sort((a, b) => a.version - b.version);
}

/** The document in force. @throws UsageError if the parameter doesn't hold one */
export async function currentModels(target: Target, profile: ProfileId): Promise<{ version: number; document: ModelsDocument }> {
  const latest = (await versionsOf(target, profile)).at(-1);
  if (latest === undefined)
    throw new UsageError(`The parameter ${target.parameters[profile]} has no value; deploy the stack again.`);
  return { version: latest.version, document: parseDocument(latest, target.parameters[profile]) };
}

export function parseDocument({ text, version }: ParameterVersion, parameter: string): ModelsDocument {
  const fix = "roll back with: npm run model -- rollback --profile NAME --to VERSION";
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UsageError(`Version ${version} of ${parameter} is not JSON; ${fix}`);
  }
  if (typeof value !== "object" || value === null || !("chain" in value) || !Array.isArray(value.chain)) {
    throw new UsageError(`Version ${version} of ${parameter} holds no chain of models; ${fix}`);
  }
  // Functions validate the rest against the schema; a command only moves entries, and checks what it writes.
  return value as ModelsDocument;
}

/** Checks a document and writes it as a new version. @throws UsageError if it is invalid, or if somebody else wrote at the same time */
export async function putModels(
  { ssm, parameters }: Target,
  profile: ProfileId,
  document: ModelsDocument,
  basedOn: number,
): Promise<number> {
  const problems = checkModels(document, PROFILES[profile]).map(({ pointer, detail }) => `${pointer}: ${detail}`);
  const text = JSON.stringify(document);
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_MODELS_BYTES)
    problems.push(`The document has ${bytes} bytes; a parameter holds ${MAX_MODELS_BYTES}. Remove challengers.`);
  if (problems.length > 0) throw new UsageError(`The models of ${profile} would be invalid:\n  - ${problems.join("\n  - ")}`);
  const { Version = 0 } = await ssm.send(new PutParameterCommand({ Name: parameters[profile], Value: text, Overwrite: true }));
  if (Version !== basedOn + 1) {
    throw new UsageError(
      `Somebody else changed the models of ${profile} at the same time: version ${Version} was written over version ${Version - 1}, ` +
        `which this command had not seen. To see it: npm run model -- list --profile ${profile}`,
    );
  }
  return Version;
}
