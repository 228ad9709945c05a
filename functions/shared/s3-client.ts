import { S3Client } from "@aws-sdk/client-s3";
import { BULK, type ClientLimits, clientConfig } from "./clients";

/** Path-style outside AWS: the local endpoint has one host name for all buckets. */
export const createS3 = (limits: ClientLimits = BULK): S3Client =>
  new S3Client({
    ...clientConfig(limits),
    forcePathStyle: process.env.AWS_ENDPOINT_URL !== undefined,
    followRegionRedirects: false,
  });
