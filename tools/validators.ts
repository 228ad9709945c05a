/**
 * Compiles the schemas of every profile, of policy and models documents and of feedback into one plain JavaScript module. A validator compiled at
 * run time costs a cold start tens of milliseconds and a megabyte of compiler; this costs neither.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import Ajv2020 from "ajv/dist/2020";
import standaloneCode from "ajv/dist/standalone";
import type { JsonSchema } from "../functions/core/json-schema";
import { MODELS_SCHEMA } from "../functions/models/document";
import { POLICY_SCHEMA } from "../functions/policy/document";
import { PROFILES } from "../functions/profiles";
import { FEEDBACK_SCHEMA } from "../functions/rest/feedback-schema";

/** The schemas by the name under which `#validators` exports their validator. */
export function validatorSchemas(): Readonly<Record<string, JsonSchema>> {
  const schemas: Record<string, JsonSchema> = {};
  for (const profile of Object.values(PROFILES)) schemas[profile.id] = profile.schema;
  schemas.policy = POLICY_SCHEMA;
  schemas.models = MODELS_SCHEMA;
  schemas.feedback = FEEDBACK_SCHEMA;
  return schemas;
}

/** An Ajv that knows the platform's annotations and collects every problem. Numbers have to be finite (`strictNumbers`). */
export function platformAjv(): Ajv2020 {
  const ajv = new Ajv2020({
    strict: true,
    strictRequired: false,
    allErrors: true,
    allowUnionTypes: true,
    code: { source: true, lines: true },
  });
  ajv.addVocabulary(["x-classification", "x-unit"]);
  return ajv;
}

/** CommonJS source of a module that exports one validator per schema. Throws when a schema is not valid in strict mode. */
export function validatorSource(schemas: Readonly<Record<string, JsonSchema>> = validatorSchemas()): string {
  const ajv = platformAjv();
  const exported: Record<string, string> = {};
  for (const [name, schema] of Object.entries(schemas)) {
    const id = schema.$id;
    if (!id) throw new Error(`Schema "${name}" has no $id; give it one, the compiled validators refer to each other by it.`);
    ajv.addSchema(schema);
    exported[name] = id;
  }
  return standaloneCode(ajv, exported);
}

/**
 * Writes the validators to `outFile` (relative to the working directory) and answers its absolute path. The file is left
 * alone when nothing changed, and replaced in one step, so concurrent builds and readers never see half of it.
 */
export function buildValidators(outFile = "bundles/validators.js"): string {
  const target = resolve(outFile);
  const source = validatorSource();
  if (existsSync(target) && readFileSync(target, "utf8") === source) return target;
  mkdirSync(dirname(target), { recursive: true });
  const partial = `${target}.${process.pid}.tmp`;
  writeFileSync(partial, source);
  renameSync(partial, target);
  return target;
}
