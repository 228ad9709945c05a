/** The models of a stack: those that ship in `models/`, and which of them config chooses for each profile. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { ShippedModel } from "../components/shared/model-artifact";
import { checkModels, type ModelRef, type ModelsDocument, refName } from "../functions/scoring/models/document";
import { PROFILES, type ProfileId } from "../functions/scoring/profiles";
import { pathOf, setCommand } from "./commands";
import { ConfigError, NAMESPACE } from "./config";
import { type ModelCatalogue, modelNamed } from "./model-names";
import type { StackConfig } from "./stack-config";

const FOLDER = "models";

export type StackModels = Readonly<Record<ProfileId, ModelsDocument>>;

/**
 * The models of `models/index.json`, each checked against its hash, so that a stack never uploads a file under another model's name.
 * @throws Error that names the file, if an entry is incomplete or its file is missing or changed
 */
export function readShippedModels(root: string = process.cwd()): ShippedModel[] {
  const index = join(root, FOLDER, "index.json");
  if (!existsSync(index)) return [];
  const entries: unknown = JSON.parse(readFileSync(index, "utf8"));
  if (!Array.isArray(entries)) throw new Error(`${FOLDER}/index.json: expected a list of {profile, name, file, sha256}.`);
  return entries.map((entry: unknown, position) => {
    const model = entry as Partial<Record<keyof ShippedModel, unknown>>;
    const text = (field: keyof ShippedModel): string => {
      const value = model[field];
      if (typeof value === "string" && value !== "") return value;
      throw new Error(`${FOLDER}/index.json[${position}].${field}: expected text, got ${JSON.stringify(value)}.`);
    };
    const file = `${FOLDER}/${basename(text("file"))}`;
    const shipped = { profile: text("profile"), name: text("name"), file, sha256: text("sha256") };
    checkFile(root, shipped);
    return shipped;
  });
}

function checkFile(root: string, { file, sha256 }: ShippedModel): void {
  const path = join(root, file);
  if (!existsSync(path))
    throw new Error(`${FOLDER}/index.json names ${file}, which does not exist: restore it, or remove its entry.`);
  const found = createHash("sha256").update(readFileSync(path)).digest("hex");
  if (found !== sha256) {
    throw new Error(
      `${file} has the hash ${found}, but ${FOLDER}/index.json says ${sha256}: restore the file, or train it again.`,
    );
  }
}

/**
 * Champion, fallbacks and challengers of every profile.
 * @throws ConfigError with every name that isn't a model of its profile, and every problem that the documents' own check finds
 */
export function resolveModels(stack: string, config: StackConfig, shipped: readonly ShippedModel[]): StackModels {
  const problems: string[] = [];
  const catalogue: ModelCatalogue = {
    artifacts: shipped,
    endpoints: { contentType: config["models.endpointFormat"], timeoutMs: config["models.endpointTimeoutMs"] },
  };
  const documentOf = (profile: ProfileId): ModelsDocument => {
    const found: string[] = [];
    const reference = (setting: string, name: string): ModelRef => {
      const model = modelNamed(catalogue, profile, name);
      if (typeof model === "object") return model;
      const path = pathOf(NAMESPACE, `${profile}.${setting}`);
      found.push(`${path.join(".")}: ${model} Fix: ${setCommand(stack, path, "builtin")}`);
      return { kind: "rules-only" };
    };
    const chain = [
      reference("champion", config[`${profile}.champion`]),
      ...namesIn(config[`${profile}.fallbacks`]).map((name) => reference("fallbacks", name)),
    ];
    const challengers = namesIn(config[`${profile}.challengers`]).map((item) => {
      const [name = "", percent] = item.split("@");
      return { model: reference("challengers", name), ...(percent === undefined ? {} : { percent: Number(percent) }) };
    });
    const document: ModelsDocument = {
      // The built-in model of a profile may be the rules alone, which then have two names.
      chain: chain.filter((ref, index) => chain.findIndex((other) => refName(other) === refName(ref)) === index),
      ...(challengers.length === 0 ? {} : { challengers }),
    };
    // Names that aren't models have been reported; checking their placeholders would only report them again.
    if (found.length === 0) {
      for (const { pointer, detail } of checkModels(document, PROFILES[profile]))
        found.push(`${NAMESPACE}:${profile}.${pointer.split("/")[1] === "challengers" ? "challengers" : "champion"}: ${detail}`);
    }
    problems.push(...found);
    return document;
  };
  const models = {
    lead: documentOf("lead"),
    churn: documentOf("churn"),
    fraud: documentOf("fraud"),
    device: documentOf("device"),
  };
  if (problems.length > 0) throw new ConfigError(stack, problems);
  return models;
}

const namesIn = (list: string): string[] => list.split(",").filter((name) => name !== "");
