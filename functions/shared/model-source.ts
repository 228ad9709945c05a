import { createHash } from "node:crypto";
import { sha256 } from "../scoring/core/hash";
import type { Validate } from "../scoring/core/json-schema";
import type { BatchModel } from "../scoring/core/model";
import { problemText } from "../scoring/core/problems";
import type { AnyProfile } from "../scoring/core/profile";
import {
  type EndpointRef,
  type ModelRef,
  type ModelsDocument,
  parseModels,
  refName,
  type TreesRef,
} from "../scoring/models/document";
import {
  localMember,
  type Member,
  type ModelSet,
  ModelUnavailable,
  reasonOf,
  remoteMember,
  unavailableMember,
} from "../scoring/models/model-set";
import { createModel } from "../scoring/models/registry";
import type { Clock } from "./clock";
import { describeError, type Log } from "./log";
import type { Metrics } from "./metrics";
import type { ParameterSource, ParameterTexts } from "./parameter-source";

export interface ModelSource {
  /**
   * The models to score with now; null means the policy's own. Take it once per batch or request and use it throughout. Waits only for the
   * very first document; afterwards it returns at once, and changes of the parameter are taken over in the background. Never rejects.
   */
  current(): Promise<ModelSet | null>;
}

/** Makes a model from an image's bytes. Throws when they are damaged or need features that the profile doesn't have. */
export type LoadTreeModel = (bytes: Uint8Array, ref: TreesRef) => Member;

export interface ModelSourceArgs {
  readonly parameters: ParameterSource;
  /** Name of the models' parameter; while it doesn't exist, the policy's own model scores. */
  readonly parameter: string;
  /** Bytes of an object of the model bucket. */
  readonly fetchImage: (key: string) => Promise<Uint8Array>;
  readonly loadTrees: LoadTreeModel;
  readonly endpoint: (ref: EndpointRef) => BatchModel;
  readonly profile: AnyProfile;
  readonly validateModels: Validate;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Models kept besides the set in use, so that a rollback finds its champion still loaded. */
const REMEMBERED_MODELS = 4;
/** A document whose artifacts could not be loaded is tried again after 5 s, 10, 20, … up to 80. */
const RETRY_MS = 5_000;
const MAX_DOUBLINGS = 4;

/** No document has been read yet: the policy's own model answers, and decisions say why. */
const UNREAD: ModelSet = {
  version: "unread",
  chain: [unavailableMember("models", "parameter_unavailable", "The models document could not be read yet.")],
  challengers: [],
};

/**
 * Keeps the last good models. A document that is invalid, or whose chain names an artifact that is missing, damaged, has another hash or
 * needs unknown features, changes nothing; a metric counts it and a log line says why. A function that starts with such a document and
 * has no older one scores with those of its models that can be loaded, and decisions name the others. A challenger that can't be loaded
 * holds up nothing: the rest of its document takes effect, and loading it is tried again.
 */
export function createModelSource(args: ModelSourceArgs): ModelSource {
  const { parameters, parameter, profile, validateModels, clock, log, metrics } = args;
  const loader = memberLoader(args);
  /** Undefined until the first document; null when the parameter does not exist. */
  let good: ModelSet | null | undefined;
  let degraded: ModelSet | undefined;
  /** The text that `good` was made from, with every one of its models. */
  let seen: { readonly text: string | undefined } | undefined;
  let broken: { readonly text: string | undefined; readonly tries: number; readonly retryAt: number } | undefined;
  let taken: Promise<ParameterTexts> | undefined;
  let underWay: Promise<void> | undefined;

  const load = async (text: string | undefined): Promise<void> => {
    if (seen !== undefined && seen.text === text) {
      broken = undefined;
      return;
    }
    if (broken !== undefined && broken.text === text && clock.now() < broken.retryAt) return;
    try {
      const built = text === undefined ? { set: null, missing: [] } : await build(text);
      const next = built.set;
      if (good !== undefined && good?.version !== next?.version)
        log.info("models_changed", { from: good?.version ?? "policy", to: next?.version ?? "policy" });
      good = next;
      degraded = undefined;
      loader.keep(next);
      seen = undefined;
      // The answer doesn't wait for a challenger; it joins when a later attempt loads it.
      if (built.missing.length > 0) throw failure(built.missing);
      seen = { text };
      broken = undefined;
    } catch (error) {
      const tries = broken !== undefined && broken.text === text ? broken.tries + 1 : 0;
      broken = { text, tries, retryAt: clock.now() + RETRY_MS * 2 ** Math.min(tries, MAX_DOUBLINGS) };
      throw error;
    }
  };

  const build = async (text: string): Promise<Built> => {
    const parsed = parseModels(text, profile, validateModels);
    if (!parsed.ok) throw new Error(`The models document of profile "${profile.id}" is invalid: ${problemText(parsed.problems)}`);
    const { document } = parsed;
    const refs = [...document.chain, ...(document.challengers ?? []).map(({ model }) => model)];
    const outcomes = await Promise.allSettled(refs.map((ref) => loader.load(ref)));
    const set = assemble(document, text, outcomes.map(memberOrNull(refs)));
    const missing = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason as unknown] : []));
    if (outcomes.slice(0, document.chain.length).some(({ status }) => status === "rejected")) {
      if (good === undefined) degraded = set;
      throw failure(missing);
    }
    return { set, missing };
  };

  const refresh = (work: () => Promise<void>): Promise<void> => {
    underWay ??= work()
      .catch((error: unknown) => {
        metrics.add("ModelRefreshFailures", "Count", 1);
        log.warn("model_refresh_failed", {
          models: good === undefined ? (degraded?.version ?? "none") : (good?.version ?? "policy"),
          error: describeError(error).message,
        });
      })
      .finally(() => {
        underWay = undefined;
      });
    return underWay;
  };

  const take = (reading: Promise<ParameterTexts>): Promise<void> =>
    refresh(async () => {
      try {
        await load((await reading).get(parameter));
      } finally {
        taken = reading;
      }
    });

  return {
    async current() {
      const reading = parameters.latest();
      if (reading !== taken) {
        const taking = take(reading);
        if (good === undefined && degraded === undefined) await taking;
      } else if (broken !== undefined && clock.now() >= broken.retryAt) {
        const { text } = broken;
        void refresh(() => load(text));
      }
      return good === undefined ? (degraded ?? UNREAD) : good;
    },
  };
}

/** A set whose chain can be used, and why some of its challengers can't. */
interface Built {
  readonly set: ModelSet;
  readonly missing: readonly unknown[];
}

const failure = (reasons: readonly unknown[]): Error =>
  new Error(reasons.map((reason) => describeError(reason).message).join(" "));

const memberOrNull =
  (refs: readonly ModelRef[]) =>
  (outcome: PromiseSettledResult<Member>, index: number): Member =>
    outcome.status === "fulfilled"
      ? outcome.value
      : unavailableMember(refName(refs[index] as ModelRef), reasonOf(outcome.reason), describeError(outcome.reason).message);

/** `members` are those of the chain, then the challengers. Challengers that could not be loaded answer nothing. */
function assemble(document: ModelsDocument, text: string, members: readonly Member[]): ModelSet {
  const { chain, challengers = [] } = document;
  return {
    version: document.version ?? sha256(text).slice(0, 12),
    chain: members.slice(0, chain.length),
    challengers: challengers.map(({ percent = 0 }, index) => ({ member: members[chain.length + index] as Member, percent })),
  };
}

interface MemberLoader {
  load(ref: ModelRef): Promise<Member>;
  /** Drops models that neither the set nor the last few loads need. */
  keep(set: ModelSet | null): void;
}

/** Models by reference: one that two documents share is loaded once, and an endpoint keeps its circuit breaker. */
function memberLoader({ fetchImage, loadTrees, endpoint, profile }: ModelSourceArgs): MemberLoader {
  const members = new Map<string, Member>();
  const make = async (ref: ModelRef): Promise<Member> => {
    switch (ref.kind) {
      case "trees":
        return loadTrees(await checkedImage(ref, fetchImage), ref);
      case "endpoint":
        return remoteMember(endpoint(ref));
      default:
        return localMember(createModel(ref, profile));
    }
  };
  return {
    async load(ref) {
      const key = JSON.stringify(ref);
      const known = members.get(key);
      let member = known;
      try {
        member ??= await make(ref);
      } catch (error) {
        if (error instanceof ModelUnavailable) throw error;
        throw new ModelUnavailable("artifact", `Model "${refName(ref)}" can't be used: ${describeError(error).message}`);
      }
      // Keep the newest at the end.
      members.delete(key);
      members.set(key, member);
      return member;
    },
    keep(set) {
      const used = new Set([...(set?.chain ?? []), ...(set?.challengers ?? []).map(({ member }) => member)]);
      let spare = [...members.values()].filter((member) => !used.has(member)).length - REMEMBERED_MODELS;
      for (const [key, member] of members) {
        if (spare <= 0) break;
        if (used.has(member)) continue;
        members.delete(key);
        spare--;
      }
    },
  };
}

async function checkedImage(
  { name, key, sha256: expected }: TreesRef,
  fetchImage: ModelSourceArgs["fetchImage"],
): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = await fetchImage(key);
  } catch (error) {
    throw new ModelUnavailable("artifact", `Model "${name}": object ${key} could not be read: ${describeError(error).message}`);
  }
  const found = createHash("sha256").update(bytes).digest("hex");
  if (found === expected) return bytes;
  throw new ModelUnavailable(
    "hash_mismatch",
    `Model "${name}": object ${key} has SHA-256 ${found} where the document says ${expected}; upload the model again or correct the document.`,
  );
}
