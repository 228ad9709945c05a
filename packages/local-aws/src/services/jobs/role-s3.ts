/** S3 as a role sees it: every call is checked against the role's policies before it is carried out. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { AwsError, type AwsRequest, type LocalContext } from "../../contracts";
import { roleNameOf } from "../../endpoint/credentials";
import type { Iam } from "../../permissions/iam";
import type { S3Service } from "../s3";
import { filesBelow } from "./tar";

export interface S3Location {
  readonly bucket: string;
  readonly key: string;
}

/** `s3://bucket/key`. @throws AwsError ValidationException naming the field */
export function s3Location(uri: string, field: string): S3Location {
  const match = /^s3:\/\/([^/]+)(?:\/(.*))?$/s.exec(uri);
  if (match?.[1] === undefined)
    throw new AwsError("ValidationException", `${field} must be s3://<bucket>/<key or prefix>, got '${uri}'.`);
  return { bucket: match[1], key: match[2] ?? "" };
}

export const s3Uri = ({ bucket, key }: S3Location): string => `s3://${bucket}/${key}`;

/** `a/b` and `c` → `a/b/c`; a prefix may end in a slash or be empty. */
export const below = (prefix: string, path: string): string =>
  prefix === "" || prefix.endsWith("/") ? prefix + path : `${prefix}/${path}`;

/** The parts of S3 that are used. */
export type RoleS3Store = Pick<S3Service, "get" | "put" | "list" | "permissions"> & {
  readonly store: Pick<S3Service["store"], "config" | "find">;
};

export class RoleS3 {
  constructor(
    private readonly context: LocalContext,
    private readonly s3: RoleS3Store,
    private readonly iam: Pick<Iam, "authorize">,
    private readonly roleArn: string,
    private readonly session: string,
  ) {}

  /** @throws AwsError NoSuchKey, NoSuchBucket, AccessDenied */
  async read(location: S3Location): Promise<Buffer> {
    this.authorize("GET", "GetObject", location);
    const data = await this.s3.get(location.bucket, location.key);
    if (data === undefined) throw new AwsError("NoSuchKey", `${s3Uri(location)} does not exist.`, 404);
    return data;
  }

  /** Whether the object exists; needs `s3:GetObject`. */
  exists(location: S3Location): boolean {
    this.authorize("HEAD", "HeadObject", location);
    this.s3.store.config(location.bucket);
    const object = this.s3.store.find(location.bucket, location.key);
    return object !== undefined && !object.deleteMarker;
  }

  async write(
    location: S3Location,
    data: Buffer | string,
    options: { readonly kmsKeyId?: string | undefined; readonly contentType?: string } = {},
  ): Promise<void> {
    const headers: Record<string, string> = { "content-type": options.contentType ?? "application/octet-stream" };
    if (options.kmsKeyId !== undefined) {
      headers["x-amz-server-side-encryption"] = "aws:kms";
      headers["x-amz-server-side-encryption-aws-kms-key-id"] = options.kmsKeyId;
    }
    this.authorize("PUT", "PutObject", location, headers);
    await this.s3.put(location.bucket, location.key, data, { headers });
  }

  /** Keys with the prefix, in order; needs `s3:ListBucket`. "Folders" (keys that end in a slash) are left out. */
  list(prefix: S3Location): string[] {
    this.authorize(
      "GET",
      "ListObjectsV2",
      { bucket: prefix.bucket, key: "" },
      {},
      new URLSearchParams({ "list-type": "2", prefix: prefix.key }),
    );
    return this.s3
      .list(prefix.bucket, prefix.key)
      .map(({ key }) => key)
      .filter((key) => !key.endsWith("/"));
  }

  /** Copies every object of a prefix into a folder. @returns the keys */
  async download(prefix: S3Location, folder: string): Promise<string[]> {
    const keys = this.list(prefix);
    for (const key of keys) {
      const file = join(folder, relativePath(prefix.key, key));
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, await this.read({ bucket: prefix.bucket, key }));
    }
    return keys;
  }

  /** Copies every file of a folder below a prefix. */
  async upload(folder: string, prefix: S3Location, kmsKeyId?: string): Promise<void> {
    for (const path of await filesBelow(folder)) {
      await this.write({ bucket: prefix.bucket, key: below(prefix.key, path) }, await readFile(join(folder, path)), { kmsKeyId });
    }
  }

  /** The endpoint's own check, on the request that the service would send. */
  private authorize(
    method: string,
    action: string,
    { bucket, key }: S3Location,
    headers: Readonly<Record<string, string>> = {},
    query = new URLSearchParams(),
  ): void {
    const roleName = roleNameOf(this.roleArn);
    const { accountId, region, endpointUrl } = this.context;
    const arn = `arn:aws:sts::${accountId}:assumed-role/${roleName}/${this.session}`;
    const principal = { kind: "role", arn, roleName } as const;
    const url = new URL(
      `${endpointUrl}/${bucket}${key === "" ? "" : `/${key.split("/").map(encodeURIComponent).join("/")}`}?${query}`,
    );
    const request: AwsRequest = { service: "s3", region, action, method, url, headers, body: Buffer.alloc(0), principal };
    for (const permission of this.s3.permissions(request)) {
      const decision = this.iam.authorize(principal, permission);
      if (!decision.allowed) throw new AwsError("AccessDenied", decision.reason, 403);
    }
  }
}

/** Where an object of a prefix lies below the folder: what follows the prefix's last whole folder name. */
export function relativePath(prefix: string, key: string): string {
  const folder = key.startsWith(`${prefix}/`) ? `${prefix}/` : prefix.slice(0, prefix.lastIndexOf("/") + 1);
  const path = key.slice(folder.length);
  if (path.split("/").some((part) => part === ".." || part === "." || part === ""))
    throw new AwsError("ValidationException", `The key '${key}' cannot be a file's path; rename the object.`);
  return path;
}
