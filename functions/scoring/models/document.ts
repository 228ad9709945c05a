/** Which models score a profile: one JSON document in an SSM parameter, beside the policy. */
import type { JsonSchema, Validate } from "../core/json-schema";
import { problems } from "../core/problems";
import type { AnyProfile } from "../core/profile";
import type { Problem } from "../core/types";
import { modelNames } from "./registry";

/** A compiled tree model (`npm run model -- compile`) in the model bucket. */
export interface TreesRef {
  readonly kind: "trees";
  /** Shown as `modelVersion`. A name stands for the same content for good, so that cached scores stay valid. */
  readonly name: string;
  /** Object of the model bucket. */
  readonly key: string;
  /** SHA-256 of the object's bytes, lower-case hex. */
  readonly sha256: string;
}

/** A SageMaker endpoint. It gets one row per record and one column per feature; unknown values are empty (CSV) or null (JSON). */
export interface EndpointRef {
  readonly kind: "endpoint";
  readonly name: string;
  readonly endpointName: string;
  readonly contentType: "text/csv" | "application/json";
  /** Milliseconds that a call may take, retries included; then the next model of the chain answers. */
  readonly timeoutMs: number;
  /** Column names. Default: every feature of the profile, in its order. */
  readonly features?: readonly string[];
}

/** Coefficients or a formula that ship with the code. */
export interface BuiltInRef {
  readonly kind: "logistic" | "heuristic";
  readonly name: string;
}

/** No model: the policy's rules alone. */
export interface RulesOnlyRef {
  readonly kind: "rules-only";
}

export type ModelRef = TreesRef | EndpointRef | BuiltInRef | RulesOnlyRef;

export interface ChallengerRef {
  readonly model: ModelRef;
  /** Share of events, 0 to 100, that this model answers; it scores the others in shadow. Default 0. */
  readonly percent?: number;
}

export interface ModelsDocument {
  /** For people and logs; default: a hash of the document. */
  readonly version?: string;
  /** The champion, then the models that answer when those before them can't. The policy's own model stands behind the last one. */
  readonly chain: readonly ModelRef[];
  readonly challengers?: readonly ChallengerRef[];
}

/** Largest value of a standard SSM parameter, bytes of UTF-8. */
export const MAX_MODELS_BYTES = 4096;

const NAME: JsonSchema = { type: "string", pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$" };

/** Schema of {@link ModelsDocument}. What depends on a model's kind is checked by {@link checkModels}. */
export const MODELS_SCHEMA: JsonSchema = {
  $id: "https://risk-scoring.example/schemas/models.json",
  title: "Models",
  description: "Champion, fallbacks and challengers of one scoring profile.",
  type: "object",
  required: ["chain"],
  additionalProperties: false,
  properties: {
    version: { type: "string", minLength: 1, maxLength: 64 },
    chain: { type: "array", minItems: 1, maxItems: 6, items: { $ref: "#/$defs/model" } },
    challengers: { type: "array", maxItems: 8, items: { $ref: "#/$defs/challenger" } },
  },
  $defs: {
    challenger: {
      type: "object",
      required: ["model"],
      additionalProperties: false,
      properties: { model: { $ref: "#/$defs/model" }, percent: { type: "number", minimum: 0, maximum: 100 } },
    },
    model: {
      type: "object",
      required: ["kind"],
      additionalProperties: false,
      properties: {
        kind: { type: "string", enum: ["trees", "endpoint", "logistic", "heuristic", "rules-only"] },
        name: NAME,
        key: { type: "string", minLength: 1, maxLength: 512 },
        sha256: { type: "string", pattern: "^[0-9a-f]{64}$" },
        endpointName: { type: "string", pattern: "^[A-Za-z0-9](-*[A-Za-z0-9]){0,62}$" },
        contentType: { type: "string", enum: ["text/csv", "application/json"] },
        timeoutMs: { type: "number", minimum: 1, maximum: 10_000 },
        features: { type: "array", minItems: 1, maxItems: 200, items: { type: "string", minLength: 1, maxLength: 64 } },
      },
    },
  },
};

const MEMBERS: Readonly<
  Record<ModelRef["kind"], { readonly required: readonly string[]; readonly optional: readonly string[] }>
> = {
  trees: { required: ["name", "key", "sha256"], optional: [] },
  endpoint: { required: ["name", "endpointName", "contentType", "timeoutMs"], optional: ["features"] },
  logistic: { required: ["name"], optional: [] },
  heuristic: { required: ["name"], optional: [] },
  "rules-only": { required: [], optional: [] },
};

export type ModelsResult =
  | { readonly ok: true; readonly document: ModelsDocument }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Name of a model as decisions show it. */
export const refName = (ref: ModelRef): string => (ref.kind === "rules-only" ? "rules-only" : ref.name);

/** Reads a document from the parameter's text: checks size, JSON, schema and meaning, and names every problem. */
export function parseModels(text: string, profile: AnyProfile, validateModels: Validate): ModelsResult {
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_MODELS_BYTES) {
    const detail = `The models document is ${bytes} bytes; a standard SSM parameter holds ${MAX_MODELS_BYTES}. Remove challengers.`;
    return { ok: false, problems: [{ pointer: "", detail }] };
  }
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    const detail = `The models document is not JSON (${error instanceof Error ? error.message : String(error)}); write one JSON object.`;
    return { ok: false, problems: [{ pointer: "", detail }] };
  }
  if (!validateModels(document)) return { ok: false, problems: problems(validateModels.errors ?? [], document) };
  // The validator has just established the shape, except for what checkModels checks; Ajv's guards don't narrow across modules.
  const checked = document as ModelsDocument;
  const found = checkModels(checked, profile);
  return found.length > 0 ? { ok: false, problems: found } : { ok: true, document: checked };
}

/** Checks what the schema can't: members that fit the kind, known names and features, distinct names, percentages up to 100. */
export function checkModels(document: ModelsDocument, profile: AnyProfile): readonly Problem[] {
  const found: Problem[] = [];
  const places: [string, ModelRef][] = [
    ...document.chain.map((ref, index): [string, ModelRef] => [`/chain/${index}`, ref]),
    ...(document.challengers ?? []).map(({ model }, index): [string, ModelRef] => [`/challengers/${index}/model`, model]),
  ];
  const taken = new Map<string, string>();
  for (const [pointer, ref] of places) {
    const before = found.length;
    checkMembers(ref, pointer, found);
    if (found.length > before) continue;
    checkMeaning(ref, pointer, profile, found);
    const other = taken.get(refName(ref));
    if (other !== undefined) {
      found.push({
        pointer,
        detail: `Expected a name that no other model has, got "${refName(ref)}", which ${other} has; name each model once.`,
      });
    }
    taken.set(refName(ref), pointer);
  }
  const total = (document.challengers ?? []).reduce((sum, { percent = 0 }) => sum + percent, 0);
  if (total > 100) {
    found.push({ pointer: "/challengers", detail: `Expected percentages of at most 100 together, got ${total}; lower them.` });
  }
  return found;
}

function checkMembers(ref: ModelRef, pointer: string, found: Problem[]): void {
  const { required, optional } = MEMBERS[ref.kind];
  for (const name of required) {
    if (!Object.hasOwn(ref, name)) {
      found.push({ pointer: `${pointer}/${name}`, detail: `Expected ${name} in a model of kind "${ref.kind}"; add it.` });
    }
  }
  for (const name of Object.keys(ref)) {
    if (name === "kind" || required.includes(name) || optional.includes(name)) continue;
    const detail = `A model of kind "${ref.kind}" has no ${name}; it has ${["kind", ...required, ...optional].join(", ")}. Remove it.`;
    found.push({ pointer: `${pointer}/${name}`, detail });
  }
}

function checkMeaning(ref: ModelRef, pointer: string, profile: AnyProfile, found: Problem[]): void {
  if (ref.kind === "logistic" || ref.kind === "heuristic") {
    const names = modelNames(ref.kind, profile.id);
    if (names.includes(ref.name)) return;
    const has = names.join(", ") || "none";
    const detail = `Profile "${profile.id}" has no ${ref.kind} model "${ref.name}"; it has ${has}.`;
    found.push({ pointer: `${pointer}/name`, detail });
  } else if (ref.kind === "endpoint") {
    // A vector has the hash of an open feature, which is no use to an endpoint.
    const columns = ref.features ?? profile.features.definitions.map((one) => one.name);
    const texts = columns.filter((name) => profile.features.definitions[profile.features.slot(name)]?.open);
    if (texts.length > 0) {
      const detail = `An endpoint is sent numbers, and ${texts.join(", ")} of profile "${profile.id}" are texts; list the features without them, or use a compiled model.`;
      found.push({ pointer: `${pointer}/features`, detail });
    }
    for (const [index, name] of (ref.features ?? []).entries()) {
      if (profile.features.slot(name) >= 0) continue;
      const detail = `Profile "${profile.id}" has no feature "${name}"; it has ${profile.features.definitions.map((one) => one.name).join(", ")}.`;
      found.push({ pointer: `${pointer}/features/${index}`, detail });
    }
  }
}
