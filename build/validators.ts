/**
 * Compiles the schemas of everything that functions read (profiles, policies, models, feedback, events over REST, the pipelines' documents and events) into
 * plain JavaScript, one file each. A validator compiled at run time would add tens of milliseconds and a megabyte of compiler to a cold
 * start; this adds neither.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import Ajv2020 from "ajv/dist/2020";
import standaloneCode from "ajv/dist/standalone";
import {
  BATCH_EVENT_SCHEMA,
  EVALUATION_EVENT_SCHEMA,
  PLAN_EVENT_SCHEMA,
  PROMOTION_EVENT_SCHEMA,
  QUALITY_EVENT_SCHEMA,
} from "../functions/gates/common/events";
import { EVENTS_SCHEMA } from "../functions/rest/events-schema";
import { FEEDBACK_SCHEMA } from "../functions/rest/feedback-schema";
import type { JsonSchema } from "../functions/scoring/core/json-schema";
import { MODELS_SCHEMA } from "../functions/scoring/models/document";
import { POLICY_SCHEMA } from "../functions/scoring/policy/schema";
import { PROFILES } from "../functions/scoring/profiles";
import baseline from "../schemas/baseline.schema.json";
import dataset from "../schemas/dataset.schema.json";
import golden from "../schemas/golden.schema.json";
import manifest from "../schemas/manifest.schema.json";
import statistics from "../schemas/statistics.schema.json";

/** A schema written in TypeScript, or a file of `schemas/`, which Python reads too. */
export type NamedSchema = JsonSchema | { readonly $id: string; readonly properties: Readonly<Record<string, unknown>> };

/** The schemas, by the name under which `#validators` exports their validator. */
export function validatorSchemas(): Readonly<Record<string, NamedSchema>> {
  return {
    ...Object.fromEntries(Object.values(PROFILES).map(({ id, schema }) => [id, schema])),
    policy: POLICY_SCHEMA,
    models: MODELS_SCHEMA,
    feedback: FEEDBACK_SCHEMA,
    events: EVENTS_SCHEMA,
    dataset,
    statistics,
    manifest,
    golden,
    baseline,
    planEvent: PLAN_EVENT_SCHEMA,
    qualityEvent: QUALITY_EVENT_SCHEMA,
    evaluationEvent: EVALUATION_EVENT_SCHEMA,
    batchEvent: BATCH_EVENT_SCHEMA,
    promotionEvent: PROMOTION_EVENT_SCHEMA,
  };
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

/** CommonJS source of a module that is the schema's validator. Throws when the schema has no id or is invalid in strict mode. */
export function validatorSource(name: string, schema: NamedSchema): string {
  if (!schema.$id) throw new Error(`Schema "${name}" has no $id; give it one, its validator is named by it in messages.`);
  const ajv = platformAjv();
  return standaloneCode(ajv, ajv.compile(withoutAnnotations(schema)));
}

/** Annotations for readers: a validator would only carry them along as data. */
const ANNOTATIONS: ReadonlySet<string> = new Set(["title", "description", "examples", "x-classification", "x-unit"]);
/** Keywords whose members are schemas under names of their own, which may equal names of annotations. */
const NAMED_SCHEMAS: ReadonlySet<string> = new Set(["properties", "$defs"]);

function withoutAnnotations(schema: NamedSchema): NamedSchema {
  const copy = (value: unknown, areNames: boolean): unknown => {
    if (Array.isArray(value)) return value.map((item) => copy(item, false));
    if (typeof value !== "object" || value === null) return value;
    const members = Object.entries(value).filter(([key]) => areNames || !ANNOTATIONS.has(key));
    return Object.fromEntries(members.map(([key, member]) => [key, copy(member, !areNames && NAMED_SCHEMAS.has(key))]));
  };
  // A copy of an object is one.
  return copy(schema, false) as NamedSchema;
}

/**
 * The files of `#validators` by their path relative to the folder of `entry` (`validators.js`): one module per schema, the `entry` through
 * which Node loads them, the same as an ES module, and a manifest that lets a bundler leave out those that a function does not use.
 */
export function validatorFiles(
  entry: string,
  schemas: Readonly<Record<string, NamedSchema>> = validatorSchemas(),
): Readonly<Record<string, string>> {
  const folder = basename(entry, ".js");
  const names = Object.keys(schemas);
  return {
    ...Object.fromEntries(
      Object.entries(schemas).map(([name, schema]) => [`${folder}/${name}.js`, validatorSource(name, schema)]),
    ),
    [`${folder}/package.json`]: '{ "sideEffects": false }\n',
    [`${folder}/index.mjs`]: names.map((name) => `export { default as ${name} } from "./${name}.js";\n`).join(""),
    [entry]: `"use strict";\n${names.map((name) => `exports.${name} = require("./${folder}/${name}.js");\n`).join("")}`,
  };
}

/**
 * Writes the validators to `outFile` (relative to the working directory) and to a folder of the same name beside it; returns the absolute
 * path of `outFile`. Unchanged files are left alone and the others replaced in one step, so concurrent builds and readers never see half
 * a file.
 */
export function buildValidators(outFile = "bundles/validators.js"): string {
  const target = resolve(outFile);
  // The entry comes last: whoever finds it finds the others too.
  for (const [path, source] of Object.entries(validatorFiles(basename(target)))) write(join(dirname(target), path), source);
  return target;
}

function write(target: string, source: string): void {
  if (existsSync(target) && readFileSync(target, "utf8") === source) return;
  mkdirSync(dirname(target), { recursive: true });
  const partial = `${target}.${process.pid}.tmp`;
  writeFileSync(partial, source);
  renameSync(partial, target);
}
