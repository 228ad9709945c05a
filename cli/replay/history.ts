/** Which policies and models a profile has had: from the histories of its parameters, and the model bucket. */
import { createHash } from "node:crypto";
import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { models as validateModels } from "#validators";
import { type ModelRef, parseModels, type TreesRef } from "../../functions/scoring/models/document";
import type { Member } from "../../functions/scoring/models/model-set";
import { PROFILES, type ProfileId } from "../../functions/scoring/profiles";
import { treeLoader } from "../../functions/shared/tree-loader";
import { listArtifacts } from "../model-lifecycle/artifacts";
import { versionsOf as parameterVersions } from "../model-lifecycle/parameter";
import { UsageError } from "../options";
import type { ArchiveTarget } from "./target";

/** Plain data, so that it can be sent to a worker. */
export interface ProfileHistory {
  readonly profile: ProfileId;
  /** Texts of the policy's parameter, oldest first; AWS keeps the newest hundred. */
  readonly policies: readonly string[];
  /** Compiled models that are in the bucket. */
  readonly trees: readonly TreesRef[];
  /** Names of models that answer from an endpoint. */
  readonly endpoints: readonly string[];
}

export async function historyOf(target: ArchiveTarget, profile: ProfileId): Promise<ProfileHistory> {
  const { ssm, s3, names, close } = target;
  const models = { ssm, s3, bucket: names.modelBucket, parameters: names.modelsParameters, close };
  const policies = await parameterVersions({ ...models, parameters: names.policyParameters }, profile);
  const refs = (await parameterVersions(models, profile)).flatMap((version): readonly ModelRef[] => {
    // One that is invalid decided nothing.
    const parsed = parseModels(version.text, PROFILES[profile], validateModels);
    if (!parsed.ok) return [];
    const { chain, challengers = [] } = parsed.document;
    return [...chain, ...challengers.map(({ model }) => model)];
  });
  const trees = new Map<string, TreesRef>();
  for (const { name, key, sha256 } of await listArtifacts(models, profile)) trees.set(name, { kind: "trees", name, key, sha256 });
  // What a document said is what decided, should the bucket have another model of that name.
  for (const ref of refs) if (ref.kind === "trees") trees.set(ref.name, ref);
  const endpoints = refs.flatMap((ref) => (ref.kind === "endpoint" ? [ref.name] : []));
  return { profile, policies: policies.map(({ text }) => text), trees: [...trees.values()], endpoints: [...new Set(endpoints)] };
}

/** Downloads a compiled model and opens it. @throws UsageError when it is not what the reference says */
export async function openModel(s3: S3Client, bucket: string, profile: ProfileId, ref: TreesRef): Promise<Member> {
  const object = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: ref.key }));
  const bytes = (await object.Body?.transformToByteArray()) ?? new Uint8Array();
  const found = createHash("sha256").update(bytes).digest("hex");
  if (found !== ref.sha256)
    throw new UsageError(
      `s3://${bucket}/${ref.key} has the hash ${found}; ${ref.sha256} was expected. The file is damaged; upload the model again.`,
    );
  return treeLoader(PROFILES[profile])(bytes, ref);
}
