/** Compiled models in the model bucket: finds them by name, uploads one, and verifies one before it is used. */
import { createHash } from "node:crypto";
import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, PutObjectCommand } from "@aws-sdk/client-s3";
import { loadTrees, ModelFileError } from "@risk/tree-kernel";
import { modelKey, modelPrefix } from "../../components/shared/model-artifact";
import type { TreesRef } from "../../functions/scoring/models/document";
import { treeModel } from "../../functions/scoring/models/tree-model";
import { PROFILES, type ProfileId } from "../../functions/scoring/profiles";
import type { Golden } from "./golden";
import type { Target } from "./target";

export interface Artifact {
  readonly profile: ProfileId;
  readonly name: string;
  readonly key: string;
  readonly sha256: string;
  readonly bytes: number;
}

export interface Verified {
  readonly sha256: string;
  readonly trees: number;
  /** Number of rows with known margins that were compared; 0 if the model has none. */
  readonly goldenRows: number;
}

/** Models of a profile by the name in their metadata. If two have the same name, the newer one counts. */
export async function listArtifacts({ s3, bucket }: Target, profile: ProfileId): Promise<Artifact[]> {
  const found = new Map<string, Artifact & { readonly modifiedAt: number }>();
  let token: string | undefined;
  do {
    const page = await s3.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: modelPrefix(profile), ...(token ? { ContinuationToken: token } : {}) }),
    );
    for (const { Key = "", Size = 0, LastModified } of page.Contents ?? []) {
      const sha256 = /([0-9a-f]{64})\.rsm$/.exec(Key)?.[1];
      if (sha256 === undefined) continue;
      const head = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key }));
      const name = head.Metadata?.name ?? sha256.slice(0, 12);
      const modifiedAt = LastModified?.getTime() ?? 0;
      if ((found.get(name)?.modifiedAt ?? -1) > modifiedAt) continue;
      found.set(name, { profile, name, key: Key, sha256, bytes: Size, modifiedAt });
    }
    token = page.NextContinuationToken;
  } while (token !== undefined);
  return [...found.values()]
    .map(({ modifiedAt: _, ...artifact }) => artifact)
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/**
 * Downloads a model and verifies that a function could score with it: its content has the right hash, the profile has its features,
 * and its margins are those of the training. @throws ModelFileError that says what is wrong
 */
export async function verifyArtifact(
  { s3, bucket }: Target,
  profile: ProfileId,
  ref: TreesRef,
  golden: Golden,
): Promise<Verified> {
  const object = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: ref.key }));
  const bytes = await object.Body?.transformToByteArray();
  return checkModel(bytes ?? new Uint8Array(), profile, ref.name, golden, {
    sha256: ref.sha256,
    where: `s3://${bucket}/${ref.key}`,
  });
}

/** Like {@link verifyArtifact}, for bytes in memory. */
export function checkModel(
  bytes: Uint8Array,
  profile: ProfileId,
  name: string,
  golden: Golden,
  expected: { readonly sha256?: string; readonly where: string },
): Verified {
  const { where } = expected;
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  if (expected.sha256 !== undefined && sha256 !== expected.sha256) {
    throw new ModelFileError(
      `${where} has the hash ${sha256}; ${expected.sha256} was expected. The file is damaged; upload the model again.`,
    );
  }
  const evaluator = loadTrees(bytes);
  treeModel(evaluator, PROFILES[profile].features, { version: name });
  const rows = golden.rowsOf(
    profile,
    name,
    evaluator.description.features.map((feature) => feature.name),
  );
  for (const [index, { row, margin }] of rows.entries()) {
    const found = evaluator.margins(row)[0]!;
    if (!Object.is(found, Math.fround(margin))) {
      throw new ModelFileError(
        `${where}: golden row ${index} gives the margin ${found}, but gave ${margin} at training: this is another model.`,
      );
    }
  }
  return { sha256, trees: evaluator.description.trees, goldenRows: rows.length };
}

/** Uploads a model under a key made from its content's hash, so an existing object is the same one. */
export async function addArtifact(
  { s3, bucket }: Target,
  profile: ProfileId,
  name: string,
  bytes: Uint8Array,
): Promise<Artifact> {
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const key = modelKey(profile, sha256);
  const put = new PutObjectCommand({
    Bucket: bucket,
    Key: key,
    Body: bytes,
    IfNoneMatch: "*",
    ContentType: "application/octet-stream",
    Metadata: { profile, name },
  });
  await s3.send(put).catch((error: unknown) => {
    if (!(error instanceof Error) || error.name !== "PreconditionFailed") throw error;
  });
  return { profile, name, key, sha256, bytes: bytes.length };
}
