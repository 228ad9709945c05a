/** The models of a dataset's profile: reads the champion, and writes a new document without losing somebody else's change. */
import type { Validate } from "../../scoring/core/json-schema";
import { problemText } from "../../scoring/core/problems";
import type { AnyProfile } from "../../scoring/core/profile";
import { type ModelRef, type ModelsDocument, parseModels, refName } from "../../scoring/models/document";
import { profileById } from "../../scoring/profiles";
import { fail } from "./errors";
import type { ModelsParameters, Parameters } from "./ports";

export interface CurrentModels {
  readonly parameter: string;
  readonly version: number;
  readonly modifiedAtMs: number;
  readonly text: string;
  readonly document: ModelsDocument;
  readonly champion: ModelRef;
}

export interface ModelsAccess {
  readonly parameters: Parameters;
  /** Name of the parameter by dataset. */
  readonly names: ModelsParameters;
  readonly validateModels: Validate;
}

/** Throws `ModelsParameterInvalid` when there is no parameter or its document is invalid. */
export async function currentModels(access: ModelsAccess, dataset: string, profileId: string): Promise<CurrentModels> {
  const parameter = parameterOf(access.names, dataset);
  const value = await access.parameters.read(parameter);
  if (value === undefined)
    fail("ModelsParameterInvalid", `There is no SSM parameter ${parameter}: deploy the stack, which creates it.`);
  const parsed = parseModels(value.text, profileOf(profileId), access.validateModels);
  if (!parsed.ok) {
    fail(
      "ModelsParameterInvalid",
      `Version ${value.version} of SSM parameter ${parameter} is not a valid models document: ${problemText(parsed.problems)} Go back with: npm run model -- rollback --profile ${profileId}`,
    );
  }
  // The schema requires at least one model.
  return { parameter, ...value, document: parsed.document, champion: parsed.document.chain[0] as ModelRef };
}

/** Name of the champion, as in decisions. */
export const championName = ({ champion }: Pick<CurrentModels, "champion">): string => refName(champion);

/** The profile that a dataset document names. */
export function profileOf(id: string): AnyProfile {
  try {
    return profileById(id);
  } catch (error) {
    return fail("InvalidDataset", `profile: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}

function parameterOf(names: ModelsParameters, dataset: string): string {
  const name = Object.hasOwn(names, dataset) ? names[dataset] : undefined;
  if (name !== undefined) return name;
  const known = Object.keys(names).join(", ") || "none";
  fail("InvalidInput", `dataset: expected one whose models have a parameter (${known}), got "${dataset}".`);
}
