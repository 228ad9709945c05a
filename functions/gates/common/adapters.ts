/** S3 and SSM behind the ports of the pipelines. Errors are the SDK's, except those that are an answer ("not there", "taken"). */
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { GetParameterCommand, PutParameterCommand, type SSMClient } from "@aws-sdk/client-ssm";
import { statusOf } from "../../shared/sdk-error";
import type { Objects, Parameters } from "./ports";

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : "");

/** Of two simultaneous writers S3 answers one with 409; when that one tries again, it gets 412. */
const CONFLICT_TRIES = 3;

/** Missing objects give 404 only if the role has `s3:ListBucket` besides `s3:GetObject`; without it S3 answers 403. */
export function createObjects(client: S3Client, bucket: string): Objects {
  return {
    bucket,
    async size(key) {
      try {
        return (await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }))).ContentLength ?? 0;
      } catch (error) {
        if (statusOf(error) === 404) return undefined;
        throw error;
      }
    },
    async bytes(key) {
      try {
        const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
        return (await Body?.transformToByteArray()) ?? new Uint8Array(0);
      } catch (error) {
        if (statusOf(error) === 404) return undefined;
        throw error;
      }
    },
    async put(key, body, contentType) {
      await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body, ContentType: contentType }));
    },
    async putIfAbsent(key, body, metadata) {
      const put = () =>
        client.send(
          new PutObjectCommand({
            Bucket: bucket,
            Key: key,
            Body: body,
            IfNoneMatch: "*",
            ContentType: "application/octet-stream",
            Metadata: { ...metadata },
          }),
        );
      for (let attempt = 1; ; attempt++) {
        try {
          await put();
          return;
        } catch (error) {
          if (statusOf(error) === 412) return;
          if (statusOf(error) !== 409 || attempt >= CONFLICT_TRIES) throw error;
        }
      }
    },
  };
}

export function createParameters(client: SSMClient): Parameters {
  return {
    async read(name, version) {
      try {
        const Name = version === undefined ? name : `${name}:${version}`;
        const { Parameter } = await client.send(new GetParameterCommand({ Name, WithDecryption: true }));
        if (Parameter?.Value === undefined) return undefined;
        const { Value, Version = 0, LastModifiedDate } = Parameter;
        return { text: Value, version: Version, modifiedAtMs: LastModifiedDate?.getTime() ?? 0 };
      } catch (error) {
        if (["ParameterNotFound", "ParameterVersionNotFound"].includes(nameOf(error))) return undefined;
        throw error;
      }
    },
    async write(name, text) {
      return (await client.send(new PutParameterCommand({ Name: name, Value: text, Overwrite: true }))).Version ?? 0;
    },
  };
}
