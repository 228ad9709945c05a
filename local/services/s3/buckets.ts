/** What S3 answers about whole buckets. */
import { AwsError, type AwsRequest, type AwsResponse } from "../../contracts";
import type { S3Store } from "./store";
import { element, textOf, xmlDocument } from "./xml";

export function listBuckets(store: S3Store, accountId: string): AwsResponse {
  const buckets = store
    .buckets()
    .map(
      ({ name, createdAt }) =>
        `<Bucket>${element("Name", name)}${element("CreationDate", new Date(createdAt).toISOString())}</Bucket>`,
    );
  return xmlDocument(
    "ListAllMyBucketsResult",
    `<Owner>${element("ID", accountId)}</Owner><Buckets>${buckets.join("")}</Buckets>`,
  );
}

export function createBucket(store: S3Store, bucket: string): AwsResponse {
  if (!store.createBucket(bucket))
    throw new AwsError(
      "BucketAlreadyOwnedByYou",
      "Your previous request to create the named bucket succeeded and you already own it.",
      409,
    );
  return { status: 200, headers: { location: `/${bucket}` } };
}

export function putVersioning(store: S3Store, request: AwsRequest, bucket: string): AwsResponse {
  const status = textOf(request.body.toString("utf8"), "Status");
  if (status !== "Enabled" && status !== "Suspended") throw new AwsError("MalformedXML", "Status must be Enabled or Suspended.");
  store.configure(bucket, { versioning: status });
  return { status: 200 };
}

export function getPolicy(store: S3Store, bucket: string): AwsResponse {
  const { policy } = store.config(bucket);
  if (policy === undefined) throw new AwsError("NoSuchBucketPolicy", "The bucket policy does not exist", 404);
  return { status: 200, headers: { "content-type": "application/json" }, body: policy };
}

export function getEncryption(store: S3Store, bucket: string): AwsResponse {
  const encryption = store.config(bucket).encryption ?? { algorithm: "AES256" };
  const key = "keyId" in encryption ? element("KMSMasterKeyID", encryption.keyId) : "";
  const apply = `<ApplyServerSideEncryptionByDefault>${element("SSEAlgorithm", encryption.algorithm)}${key}</ApplyServerSideEncryptionByDefault>`;
  return xmlDocument("ServerSideEncryptionConfiguration", `<Rule>${apply}</Rule>`);
}
