/** Uploads in parts, over the wire. */
import { AwsError, type AwsRequest } from "../../contracts";
import { conditionOf, describedHeaders, refuseUnknownHeaders, verifiedChecksum, writeHeaders } from "./headers";
import type { MultipartUploads } from "./multipart";
import type { S3Notifications } from "./notifications";
import type { Handler } from "./objects";
import { checkedKey } from "./request";
import type { S3Store } from "./store";
import { blocks, element, textOf, xmlDocument } from "./xml";

export function uploadHandlers(
  uploads: MultipartUploads,
  store: S3Store,
  events: Pick<S3Notifications, "emit">,
  endpointUrl: string,
): Readonly<Record<string, Handler>> {
  return {
    CreateMultipartUpload: (request, bucket, key) => {
      refuseUnknownHeaders(request.headers);
      const id = uploads.create(bucket, checkedKey(key), describedHeaders(request.headers, store.config(bucket)));
      const result = xmlDocument(
        "InitiateMultipartUploadResult",
        element("Bucket", bucket) + element("Key", key) + element("UploadId", id),
      );
      const algorithm = request.headers["x-amz-checksum-algorithm"];
      return {
        ...result,
        headers: { ...result.headers, ...(algorithm === undefined ? {} : { "x-amz-checksum-algorithm": algorithm }) },
      };
    },
    UploadPart: async (request, bucket, key) => {
      refuseUnknownHeaders(request.headers);
      const checksums = verifiedChecksum(request.headers, request.body);
      const number = Number(parameter(request, "partNumber"));
      const etag = await uploads.putPart(bucket, key, parameter(request, "uploadId"), number, request.body);
      return { status: 200, headers: { ...checksums, etag } };
    },
    CompleteMultipartUpload: async (request, bucket, key) => {
      const parts = blocks(request.body.toString("utf8"), "Part").map((part) => ({
        number: Number(textOf(part, "PartNumber")),
        etag: textOf(part, "ETag") ?? "",
      }));
      const object = await uploads.complete(bucket, key, parameter(request, "uploadId"), parts, conditionOf(request));
      events.emit("ObjectCreated:CompleteMultipartUpload", object);
      const location = element("Location", `${endpointUrl}/${bucket}/${key}`);
      const result = xmlDocument(
        "CompleteMultipartUploadResult",
        location + element("Bucket", bucket) + element("Key", key) + element("ETag", object.etag),
      );
      return { ...result, headers: { ...writeHeaders(object), ...result.headers } };
    },
    AbortMultipartUpload: async (request, bucket, key) => {
      await uploads.abort(bucket, key, parameter(request, "uploadId"));
      return { status: 204 };
    },
  };
}

function parameter(request: AwsRequest, name: string): string {
  const value = request.url.searchParams.get(name);
  if (value === null) throw new AwsError("InvalidArgument", `The query parameter '${name}' is required.`);
  return value;
}
