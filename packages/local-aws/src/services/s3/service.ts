/** S3 on the endpoint: objects, uploads in parts, conditional writes and event notifications. */
import {
  AwsError,
  type AwsRequest,
  type AwsResponse,
  type AwsService,
  type Deliver,
  type LocalContext,
  type Permission,
} from "../../contracts";
import type { Iam } from "../../permissions/iam";
import type { ServiceGate } from "../service-gate";
import { describedHeaders, uploadHeaders } from "./headers";
import { listObjects, listPage } from "./listing";
import { MultipartUploads } from "./multipart";
import { S3Notifications } from "./notifications";
import { type Handler, objectHandlers } from "./objects";
import { s3ActionOf, s3Permissions, targetOf } from "./request";
import { S3Store, type StoredObject, type WriteCondition } from "./store";
import { uploadHandlers } from "./uploads";

export interface S3Dependencies {
  readonly iam: Pick<Iam, "authorize">;
  readonly gate: Pick<ServiceGate, "permissionsOf">;
  readonly deliver: Deliver;
}

export class S3Service implements AwsService {
  readonly name = "s3";
  readonly store: S3Store;
  readonly notifications: S3Notifications;
  private readonly handlers: Readonly<Record<string, Handler>>;

  constructor(
    private readonly context: LocalContext,
    private readonly dependencies: S3Dependencies,
  ) {
    this.store = new S3Store(context);
    this.notifications = new S3Notifications(context, this.store, dependencies.deliver);
    const { store, notifications } = this;
    this.handlers = {
      ListObjectsV2: (request, bucket) => listObjects(store, bucket, request.url.searchParams),
      ...objectHandlers(store, notifications, dependencies.iam),
      ...uploadHandlers(new MultipartUploads(context, store), store, notifications, context.endpointUrl),
    };
  }

  actionOf(request: Omit<AwsRequest, "action" | "principal">): string {
    return s3ActionOf(request);
  }

  permissions(request: AwsRequest): readonly Permission[] {
    const own = s3Permissions(request);
    const { bucket, key } = targetOf(request);
    const uses = keyActions(request.action);
    if (bucket === undefined || key === undefined || uses.length === 0) return own;
    return [...own, ...this.keyPermissions(request.action, uses, bucket, key, request.headers)];
  }

  /** What the caller of an IAM action needs of the key: of the object's to read it, of the bucket's to write one. */
  keyUse(action: string, objectArn: string): readonly Permission[] {
    const [bucket = "", ...rest] = objectArn.replace(/^arn:aws:s3:::/, "").split("/");
    return rest.length === 0 ? [] : this.keyPermissions(action, keyActions(action), bucket, rest.join("/"), {});
  }

  /** Reading needs the key that the object was written with, writing the one that the bucket encrypts with. */
  private keyPermissions(
    action: string,
    uses: readonly string[],
    bucket: string,
    key: string,
    given: Readonly<Record<string, string>>,
  ): readonly Permission[] {
    const headers =
      action === "GetObject" ? this.store.find(bucket, key)?.headers : describedHeaders(given, this.store.config(bucket));
    return this.dependencies.gate.permissionsOf({ uses }, "s3", "", headers?.["x-amz-server-side-encryption-aws-kms-key-id"]);
  }

  async handle(request: AwsRequest): Promise<AwsResponse> {
    const { bucket = "", key = "" } = targetOf(request);
    const handler = this.handlers[request.action];
    if (!handler) throw new AwsError("NotImplemented", `s3: the local endpoint has no action '${request.action}'.`, 501);
    const owner = request.headers["x-amz-expected-bucket-owner"];
    if (owner !== undefined && owner !== this.context.accountId)
      throw new AwsError("AccessDenied", `The bucket is not owned by account ${owner}.`, 403);
    return handler(request, bucket, key);
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
      const page = listPage(this.store, bucket, { prefix, after, limit: 1000 });
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
}

function keyActions(action: string): string[] {
  if (action === "PutObject" || action === "CreateMultipartUpload") return ["kms:GenerateDataKey"];
  if (action === "GetObject") return ["kms:Decrypt"];
  return action === "UploadPart" ? ["kms:Decrypt", "kms:GenerateDataKey"] : [];
}
