/** S3 on the endpoint: buckets, objects, versions, multipart uploads, conditional writes and event notifications. */
import {
  AwsError,
  type AwsRequest,
  type AwsResponse,
  type AwsService,
  type Deliver,
  type LocalContext,
  type Permission,
} from "../../contracts";
import type { Iam } from "../../gateway/iam";
import type { KmsService } from "../kms/service";
import { createBucket, getEncryption, getPolicy, listBuckets, putVersioning } from "./buckets";
import {
  describedHeaders,
  notModified,
  objectHeaders,
  rangeOf,
  refuseUnknownHeaders,
  uploadHeaders,
  verifiedChecksums,
} from "./headers";
import { listObjects, listPage, listVersions } from "./listing";
import { MultipartUploads } from "./multipart";
import { S3Notifications } from "./notifications";
import { copySource, s3ActionOf, s3Permissions, targetOf } from "./request";
import { S3Store, type StoredObject, type WriteCondition } from "./store";
import { blocks, element, textOf, xmlDocument } from "./xml";

export interface S3Dependencies {
  readonly iam: Iam;
  readonly kms: KmsService;
  readonly deliver: Deliver;
}

type Handler = (request: AwsRequest, bucket: string, key: string) => Promise<AwsResponse> | AwsResponse;

export class S3Service implements AwsService {
  readonly name = "s3";
  readonly store: S3Store;
  readonly notifications: S3Notifications;
  private readonly uploads: MultipartUploads;
  private readonly handlers: Readonly<Record<string, Handler>> = {
    ListBuckets: () => listBuckets(this.store, this.context.accountId),
    CreateBucket: (_, bucket) => createBucket(this.store, bucket),
    DeleteBucket: (_, bucket) => {
      this.store.deleteBucket(bucket);
      return { status: 204 };
    },
    HeadBucket: (_, bucket) => {
      this.store.config(bucket);
      return { status: 200, headers: { "x-amz-bucket-region": this.context.region } };
    },
    GetBucketLocation: (_, bucket) => {
      this.store.config(bucket);
      return xmlDocument("LocationConstraint", this.context.region === "us-east-1" ? "" : this.context.region);
    },
    GetBucketVersioning: (_, bucket) =>
      xmlDocument("VersioningConfiguration", element("Status", this.store.config(bucket).versioning)),
    PutBucketVersioning: (request, bucket) => putVersioning(this.store, request, bucket),
    GetBucketPolicy: (_, bucket) => getPolicy(this.store, bucket),
    GetBucketEncryption: (_, bucket) => getEncryption(this.store, bucket),
    ListObjects: (request, bucket) => listObjects(this.store, bucket, request.url.searchParams, false),
    ListObjectsV2: (request, bucket) => listObjects(this.store, bucket, request.url.searchParams, true),
    ListObjectVersions: (request, bucket) => listVersions(this.store, bucket, request.url.searchParams),
    DeleteObjects: (request, bucket) => this.deleteObjects(request, bucket),
    PutObject: (request, bucket, key) => this.putObject(request, bucket, key),
    CopyObject: (request, bucket, key) => this.copyObject(request, bucket, key),
    GetObject: (request, bucket, key) => this.getObject(request, bucket, key, true),
    HeadObject: (request, bucket, key) => this.getObject(request, bucket, key, false),
    DeleteObject: (request, bucket, key) => this.deleteObject(request, bucket, key),
    CreateMultipartUpload: (request, bucket, key) => this.createUpload(request, bucket, key),
    UploadPart: (request, bucket, key) => this.uploadPart(request, bucket, key),
    CompleteMultipartUpload: (request, bucket, key) => this.completeUpload(request, bucket, key),
    AbortMultipartUpload: async (request, bucket, key) => {
      await this.uploads.abort(bucket, key, parameter(request, "uploadId"));
      return { status: 204 };
    },
    ListParts: (request, bucket, key) => this.listParts(request, bucket, key),
    ListMultipartUploads: (_, bucket) => this.listUploads(bucket),
  };

  constructor(
    private readonly context: LocalContext,
    private readonly dependencies: S3Dependencies,
  ) {
    this.store = new S3Store(context);
    this.uploads = new MultipartUploads(context, this.store);
    this.notifications = new S3Notifications(context, this.store, dependencies.deliver);
  }

  actionOf(request: Omit<AwsRequest, "action" | "principal">): string {
    return s3ActionOf(request);
  }

  permissions(request: AwsRequest): readonly Permission[] {
    const own = s3Permissions(request);
    const { bucket, key } = targetOf(request);
    const actions = keyActions(request.action);
    if (bucket === undefined || key === undefined || actions.length === 0) return own;
    const version = request.url.searchParams.get("versionId") ?? undefined;
    // Reading needs the key that the object was written with, writing the one that the bucket encrypts with.
    const reading = actions[0] === "kms:Decrypt" && request.action !== "UploadPart";
    const headers = reading
      ? this.store.find(bucket, key, version)?.headers
      : describedHeaders(request.headers, this.store.config(bucket));
    return [...own, ...this.keyPermissions(headers, actions), ...this.sourcePermissions(request)];
  }

  /** What the caller of an IAM action needs of the key: of the object's to read it, of the bucket's to write one. */
  keyUse(action: string, objectArn: string): readonly Permission[] {
    const [bucket = "", ...rest] = objectArn.replace(/^arn:aws:s3:::/, "").split("/");
    if (rest.length === 0) return [];
    const headers =
      action === "GetObject" ? this.store.find(bucket, rest.join("/"))?.headers : describedHeaders({}, this.store.config(bucket));
    return this.keyPermissions(headers, keyActions(action));
  }

  private keyPermissions(headers: Readonly<Record<string, string>> | undefined, actions: readonly string[]): Permission[] {
    const keyId = headers?.["x-amz-server-side-encryption-aws-kms-key-id"];
    if (keyId === undefined) return [];
    const context = { "kms:ViaService": `s3.${this.context.region}.amazonaws.com` };
    return actions.map((action) => ({ action, resource: this.dependencies.kms.arnOf(keyId), context }));
  }

  /** The object that a copy reads. */
  private sourcePermissions({ action, headers }: AwsRequest): Permission[] {
    if (action !== "CopyObject") return [];
    const { bucket, key, versionId } = copySource(headers["x-amz-copy-source"] ?? "");
    return this.keyPermissions(this.store.find(bucket, key, versionId)?.headers, ["kms:Decrypt"]);
  }

  async handle(request: AwsRequest): Promise<AwsResponse> {
    const { bucket, key } = targetOf(request);
    const handler = this.handlers[request.action];
    if (!handler)
      throw new AwsError("NotImplemented", `s3: the action '${request.action}' is not supported by the local endpoint.`, 501);
    const owner = request.headers["x-amz-expected-bucket-owner"];
    if (owner !== undefined && owner !== this.context.accountId)
      throw new AwsError("AccessDenied", `The bucket is not owned by account ${owner}.`, 403);
    return handler(request, bucket ?? "", key ?? "");
  }

  /** Writes an object in-process, with events. Throws {@link AwsError} as the API would. */
  async put(
    bucket: string,
    key: string,
    data: Buffer | string,
    options: WriteCondition & { readonly headers?: Readonly<Record<string, string>> } = {},
  ): Promise<StoredObject> {
    const bytes = typeof data === "string" ? Buffer.from(data, "utf8") : data;
    const headers = uploadHeaders(options.headers ?? {}, bytes, this.store.config(bucket));
    const object = await this.store.put(bucket, key, bytes, { headers }, options);
    this.notifications.emit("ObjectCreated:Put", object);
    return object;
  }

  /** Bytes of an object; `undefined` when it does not exist. Throws NoSuchBucket. */
  async get(bucket: string, key: string): Promise<Buffer | undefined> {
    this.store.config(bucket);
    const object = this.store.find(bucket, key);
    return object && !object.deleteMarker ? this.store.readBlob(object) : undefined;
  }

  /** All current objects below a prefix, in key order. */
  list(bucket: string, prefix = ""): StoredObject[] {
    this.store.config(bucket);
    const objects: StoredObject[] = [];
    for (let after: string | undefined = ""; after !== undefined; ) {
      const page = listPage(this.store, bucket, { prefix, delimiter: "", after, limit: 1000 });
      objects.push(...page.objects);
      after = page.next;
    }
    return objects;
  }

  /** Applies the expiration rules of all buckets; returns how many objects expired. */
  async sweepExpired(): Promise<number> {
    let expired = 0;
    for (const { name } of this.store.buckets()) {
      for (const rule of this.store.config(name).expirations ?? []) {
        const before = this.context.clock.now() - rule.days * 86_400_000;
        for (const object of this.list(name, rule.prefix).filter((candidate) => candidate.modifiedAt <= before)) {
          const removed = await this.store.delete(name, object.key);
          if (removed) this.notifications.emit("LifecycleExpiration:Delete", removed);
          expired += 1;
        }
      }
    }
    return expired;
  }

  end(): Promise<void> {
    return this.notifications.end();
  }

  private async putObject(request: AwsRequest, bucket: string, key: string): Promise<AwsResponse> {
    const headers = uploadHeaders(request.headers, request.body, this.store.config(bucket));
    const object = await this.store.put(bucket, checkedKey(key), request.body, { headers }, conditionOf(request));
    this.notifications.emit("ObjectCreated:Put", object);
    return { status: 200, headers: this.writeHeaders(object) };
  }

  private writeHeaders(object: StoredObject): Record<string, string> {
    const kept = Object.entries(object.headers).filter(([name]) => /^x-amz-(checksum|server-side)/.test(name));
    const headers: Record<string, string> = { ...Object.fromEntries(kept), etag: object.etag };
    if (object.versionId !== "null") headers["x-amz-version-id"] = object.versionId;
    return headers;
  }

  private async copyObject(request: AwsRequest, bucket: string, key: string): Promise<AwsResponse> {
    refuseUnknownHeaders(request.headers);
    const source = copySource(request.headers["x-amz-copy-source"] ?? "");
    const original = this.existing(request, source.bucket, source.key, source.versionId);
    notModified({ "if-match": request.headers["x-amz-copy-source-if-match"] ?? original.etag }, original);
    const replace = request.headers["x-amz-metadata-directive"] === "REPLACE";
    if (!replace && source.bucket === bucket && source.key === key && source.versionId === undefined)
      throw new AwsError(
        "InvalidRequest",
        "This copy request is illegal because it is trying to copy an object to itself without changing its metadata.",
      );
    const data = await this.store.readBlob(original);
    const described = describedHeaders(request.headers, this.store.config(bucket));
    const encryption = Object.fromEntries(Object.entries(described).filter(([name]) => name.startsWith("x-amz-server-side")));
    const base = replace
      ? described
      : Object.fromEntries(Object.entries(original.headers).filter(([name]) => !name.startsWith("x-amz-server-side")));
    const headers = { ...base, ...encryption, ...verifiedChecksums({}, data) };
    const object = await this.store.put(bucket, checkedKey(key), data, { headers }, conditionOf(request));
    this.notifications.emit("ObjectCreated:Copy", object);
    const result = xmlDocument(
      "CopyObjectResult",
      element("ETag", object.etag) + element("LastModified", new Date(object.modifiedAt).toISOString()),
    );
    return { ...result, headers: { ...this.writeHeaders(object), ...result.headers } };
  }

  private async getObject(request: AwsRequest, bucket: string, key: string, withBody: boolean): Promise<AwsResponse> {
    const query = request.url.searchParams;
    const object = this.existing(request, bucket, key, query.get("versionId") ?? undefined);
    const range = rangeOf(request.headers.range, object.size);
    const checksums = request.headers["x-amz-checksum-mode"] === "ENABLED" && range === undefined;
    const headers = objectHeaders(object, this.store.config(bucket).versioning !== undefined, checksums);
    if (notModified(request.headers, object)) return { status: 304, headers };
    for (const [name, value] of query) if (name.startsWith("response-")) headers[name.slice("response-".length)] = value;
    if (range) headers["content-range"] = `bytes ${range.first}-${range.last}/${object.size}`;
    const status = range ? 206 : 200;
    const [first, last] = [range?.first ?? 0, range?.last ?? object.size - 1];
    if (!withBody) return { status, headers: { ...headers, "content-length": String(last - first + 1) } };
    return { status, headers, body: (await this.store.readBlob(object)).subarray(first, last + 1) };
  }

  /** Throws NoSuchKey, or AccessDenied to callers who may not list the bucket: they must not learn what exists. */
  private existing(request: AwsRequest, bucket: string, key: string, versionId: string | undefined): StoredObject {
    this.store.config(bucket);
    const object = this.store.find(bucket, key, versionId);
    if (object && !object.deleteMarker) return object;
    const listing = this.dependencies.iam.authorize(request.principal, {
      action: "s3:ListBucket",
      resource: `arn:aws:s3:::${bucket}`,
    });
    if (!listing.allowed) {
      throw new AwsError(
        "AccessDenied",
        `${listing.reason} (the key does not exist; without s3:ListBucket S3 answers 403 instead of 404)`,
        403,
      );
    }
    if (object?.deleteMarker && versionId !== undefined)
      throw new AwsError("MethodNotAllowed", "The specified method is not allowed against a delete marker.", 405);
    if (versionId !== undefined)
      throw new AwsError("NoSuchVersion", `The version '${versionId}' of '${key}' does not exist.`, 404);
    throw new AwsError("NoSuchKey", `The specified key does not exist: ${key}`, 404);
  }

  private async deleteObject(request: AwsRequest, bucket: string, key: string): Promise<AwsResponse> {
    const versionId = request.url.searchParams.get("versionId") ?? undefined;
    const removed = await this.remove(bucket, key, versionId);
    const headers: Record<string, string> = {};
    if (removed && removed.versionId !== "null") headers["x-amz-version-id"] = removed.versionId;
    if (removed?.deleteMarker) headers["x-amz-delete-marker"] = "true";
    return { status: 204, headers };
  }

  private async remove(bucket: string, key: string, versionId: string | undefined): Promise<StoredObject | undefined> {
    const removed = await this.store.delete(bucket, key, versionId);
    if (removed)
      this.notifications.emit(
        removed.deleteMarker && versionId === undefined ? "ObjectRemoved:DeleteMarkerCreated" : "ObjectRemoved:Delete",
        removed,
      );
    return removed;
  }

  private async deleteObjects(request: AwsRequest, bucket: string): Promise<AwsResponse> {
    verifiedChecksums(request.headers, request.body);
    this.store.config(bucket);
    const xml = request.body.toString("utf8");
    const entries = blocks(xml, "Object");
    if (entries.length === 0 || entries.length > 1000)
      throw new AwsError("MalformedXML", `Delete needs 1 to 1000 objects, got ${entries.length}.`);
    const quiet = textOf(xml, "Quiet") === "true";
    const results: string[] = [];
    for (const entry of entries) {
      const key = textOf(entry, "Key") ?? "";
      const versionId = textOf(entry, "VersionId");
      const action = versionId === undefined ? "s3:DeleteObject" : "s3:DeleteObjectVersion";
      const decision = this.dependencies.iam.authorize(request.principal, { action, resource: `arn:aws:s3:::${bucket}/${key}` });
      const identity = element("Key", key) + element("VersionId", versionId);
      if (!decision.allowed)
        results.push(`<Error>${identity}${element("Code", "AccessDenied")}${element("Message", decision.reason)}</Error>`);
      else {
        const removed = await this.remove(bucket, key, versionId);
        const marker = removed?.deleteMarker
          ? element("DeleteMarker", true) + element("DeleteMarkerVersionId", removed.versionId)
          : "";
        if (!quiet) results.push(`<Deleted>${identity}${marker}</Deleted>`);
      }
    }
    return xmlDocument("DeleteResult", results.join(""));
  }

  private createUpload(request: AwsRequest, bucket: string, key: string): AwsResponse {
    refuseUnknownHeaders(request.headers);
    const headers = describedHeaders(request.headers, this.store.config(bucket));
    const id = this.uploads.create(bucket, checkedKey(key), headers);
    const result = xmlDocument(
      "InitiateMultipartUploadResult",
      element("Bucket", bucket) + element("Key", key) + element("UploadId", id),
    );
    const algorithm = request.headers["x-amz-checksum-algorithm"];
    return {
      ...result,
      headers: { ...result.headers, ...(algorithm === undefined ? {} : { "x-amz-checksum-algorithm": algorithm }) },
    };
  }

  private async uploadPart(request: AwsRequest, bucket: string, key: string): Promise<AwsResponse> {
    refuseUnknownHeaders(request.headers);
    if (request.headers["x-amz-copy-source"] !== undefined)
      throw new AwsError("NotImplemented", "s3: UploadPartCopy is not supported by the local endpoint.", 501);
    const checksums = verifiedChecksums(request.headers, request.body);
    const etag = await this.uploads.putPart(
      bucket,
      key,
      parameter(request, "uploadId"),
      Number(parameter(request, "partNumber")),
      request.body,
    );
    return { status: 200, headers: { ...checksums, etag } };
  }

  private async completeUpload(request: AwsRequest, bucket: string, key: string): Promise<AwsResponse> {
    const parts = blocks(request.body.toString("utf8"), "Part").map((part) => ({
      number: Number(textOf(part, "PartNumber")),
      etag: textOf(part, "ETag") ?? "",
    }));
    const object = await this.uploads.complete(bucket, key, parameter(request, "uploadId"), parts, conditionOf(request));
    this.notifications.emit("ObjectCreated:CompleteMultipartUpload", object);
    const location = element("Location", `${this.context.endpointUrl}/${bucket}/${key}`);
    const result = xmlDocument(
      "CompleteMultipartUploadResult",
      location + element("Bucket", bucket) + element("Key", key) + element("ETag", object.etag),
    );
    return { ...result, headers: { ...this.writeHeaders(object), ...result.headers } };
  }

  private listParts(request: AwsRequest, bucket: string, key: string): AwsResponse {
    const id = parameter(request, "uploadId");
    this.uploads.headers(bucket, key, id);
    const parts = this.uploads.parts(id).map((part) => {
      const facts = element("PartNumber", part.number) + element("ETag", part.etag) + element("Size", part.size);
      return `<Part>${facts}${element("LastModified", new Date(part.modifiedAt).toISOString())}</Part>`;
    });
    const head = element("Bucket", bucket) + element("Key", key) + element("UploadId", id) + element("IsTruncated", false);
    return xmlDocument("ListPartsResult", head + parts.join(""));
  }

  private listUploads(bucket: string): AwsResponse {
    this.store.config(bucket);
    const uploads = this.uploads.list(bucket).map(({ id, key, createdAt }) => {
      return `<Upload>${element("Key", key)}${element("UploadId", id)}${element("Initiated", new Date(createdAt).toISOString())}</Upload>`;
    });
    return xmlDocument(
      "ListMultipartUploadsResult",
      element("Bucket", bucket) + element("IsTruncated", false) + uploads.join(""),
    );
  }
}

function keyActions(action: string): string[] {
  if (action === "PutObject" || action === "CopyObject" || action === "CreateMultipartUpload") return ["kms:GenerateDataKey"];
  if (action === "GetObject") return ["kms:Decrypt"];
  return action === "UploadPart" ? ["kms:Decrypt", "kms:GenerateDataKey"] : [];
}

function parameter(request: AwsRequest, name: string): string {
  const value = request.url.searchParams.get(name);
  if (value === null) throw new AwsError("InvalidArgument", `The query parameter '${name}' is required.`);
  return value;
}

function conditionOf(request: AwsRequest): WriteCondition {
  return { ifNoneMatch: request.headers["if-none-match"], ifMatch: request.headers["if-match"] };
}

function checkedKey(key: string): string {
  if (Buffer.byteLength(key, "utf8") > 1024)
    throw new AwsError("KeyTooLongError", "Your key is too long: at most 1024 bytes of UTF-8.");
  return key;
}

export function createS3Service(context: LocalContext, dependencies: S3Dependencies): S3Service {
  return new S3Service(context, dependencies);
}
