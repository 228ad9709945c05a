/** The models of `models/index.json`, and their golden rows. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { loadTrees } from "@risk/tree-kernel";
import type { GoldenRows, ShippedModel } from "../../cli/train";
import { treeModel } from "../../functions/scoring/models/tree-model";
import { profileById } from "../../functions/scoring/profiles";

export const FOLDER = join(process.cwd(), "models");

export const SHIPPED: readonly ShippedModel[] = JSON.parse(readFileSync(join(FOLDER, "index.json"), "utf8"));

export function imageOf({ file }: ShippedModel): Uint8Array {
  return readFileSync(join(FOLDER, file));
}

export function goldenOf({ profile }: ShippedModel): GoldenRows {
  return JSON.parse(readFileSync(join(FOLDER, "golden", `${profile}.json`), "utf8"));
}

export function modelOf(shipped: ShippedModel) {
  return treeModel(loadTrees(imageOf(shipped)), profileById(shipped.profile).features, { version: shipped.name });
}

export function named(name: string): ShippedModel {
  const found = SHIPPED.find((model) => model.name === name);
  if (found === undefined) throw new Error(`models/index.json has no model "${name}".`);
  return found;
}
