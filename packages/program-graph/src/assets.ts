/** Pulumi assets and archives as plain bytes. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";

/** A file given as text or path; `sha256` (hex) identifies the content. */
interface ResolvedAsset {
  readonly kind: "asset";
  readonly sha256: string;
  readonly content: Buffer;
}

/** A folder of files; keys are paths with `/`. `sha256` (hex) covers names and contents. */
export interface ResolvedArchive {
  readonly kind: "archive";
  readonly sha256: string;
  readonly files: Readonly<Record<string, Buffer>>;
}

export const isResolvedArchive = (value: unknown): value is ResolvedArchive =>
  typeof value === "object" && value !== null && "kind" in value && value.kind === "archive" && "files" in value;

export const isResolvedAsset = (value: unknown): value is ResolvedAsset =>
  typeof value === "object" && value !== null && "kind" in value && value.kind === "asset" && "content" in value;

/** What `@pulumi/pulumi/asset` objects look like; fields are promises. */
interface PulumiAssetLike {
  readonly __pulumiAsset?: boolean;
  readonly __pulumiArchive?: boolean;
  readonly path?: Promise<string>;
  readonly text?: Promise<string>;
  readonly uri?: Promise<string>;
  readonly assets?: Promise<Record<string, unknown>>;
}

const isPulumiAsset = (value: object): value is PulumiAssetLike => "__pulumiAsset" in value || "__pulumiArchive" in value;

/**
 * Replaces every asset and archive inside `value` by its bytes; everything else is copied.
 * @throws Error for remote assets, archives of a whole folder or file, and files that can't be read, with the address.
 */
export async function resolveAssets(value: unknown, folder: string): Promise<unknown> {
  if (Array.isArray(value)) return Promise.all(value.map((item) => resolveAssets(item, folder)));
  if (typeof value !== "object" || value === null || isResolvedArchive(value) || isResolvedAsset(value)) return value;
  if (isPulumiAsset(value)) return value.__pulumiArchive ? archiveOf(value, folder) : assetOf(value, folder);
  const entries = await Promise.all(Object.entries(value).map(async ([key, item]) => [key, await resolveAssets(item, folder)]));
  return Object.fromEntries(entries);
}

async function assetOf(asset: PulumiAssetLike, folder: string): Promise<ResolvedAsset> {
  const [text, path] = await Promise.all([asset.text, asset.path]);
  if (text === undefined && path === undefined)
    throw new Error(`Remote asset ${(await asset.uri) ?? ""}: nothing is downloaded here. Use a local file or a string.`);
  const content = text !== undefined ? Buffer.from(text) : readFileSync(resolve(folder, path ?? ""));
  return { kind: "asset", sha256: createHash("sha256").update(content).digest("hex"), content };
}

async function archiveOf(archive: PulumiAssetLike, folder: string): Promise<ResolvedArchive> {
  const assets = await archive.assets;
  if (assets === undefined)
    throw new Error(
      `Archive ${(await archive.path) ?? (await archive.uri) ?? ""}: only an AssetArchive, which names its files, is read here.`,
    );
  const files: Record<string, Buffer> = {};
  for (const [name, entry] of Object.entries(assets)) {
    const path = name.replace(/^\.\//, "");
    const content = await resolveAssets(entry, folder);
    if (isResolvedAsset(content)) files[path] = content.content;
    else if (isResolvedArchive(content)) {
      for (const [inner, bytes] of Object.entries(content.files)) files[`${path}/${inner}`] = bytes;
    }
  }
  return archiveFrom(files);
}

/** An archive of the given files. */
export function archiveFrom(files: Readonly<Record<string, Buffer>>): ResolvedArchive {
  const hash = createHash("sha256");
  const sorted = Object.fromEntries(Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1)));
  for (const [path, bytes] of Object.entries(sorted)) hash.update(`${path}\0${bytes.length}\0`).update(bytes);
  return { kind: "archive", sha256: hash.digest("hex"), files: sorted };
}
