/**
 * The examples that AWS publishes, down to their signatures. Amazon S3 API reference, "Authenticating Requests: Using the Authorization
 * Header"; the last is of the IAM User Guide's signing examples.
 */

import { Hash } from "@smithy/core/serde";
import { SignatureV4 } from "@smithy/signature-v4";
import { describe, expect, it } from "vitest";
import type { SignedRequest } from "../../src/endpoint/signature-claim";
import { type KeySource, verifySignature } from "../../src/endpoint/sigv4";

const secretAccessKey = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const principal = { kind: "owner", arn: "arn:aws:iam::000000000000:root" } as const;
const keys: KeySource = (id) =>
  id === "AKIAIOSFODNN7EXAMPLE" ? { secretAccessKey, sessionToken: undefined, principal } : undefined;
const SIGNED_AT = Date.UTC(2013, 4, 24);
const EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const verify = (request: SignedRequest, nowMs = SIGNED_AT) => verifySignature(request, "us-east-1", keys, nowMs);

describe("a signature in the header", () => {
  const get: SignedRequest = {
    method: "GET",
    target: "/test.txt",
    headers: {
      host: "examplebucket.s3.amazonaws.com",
      range: "bytes=0-9",
      "x-amz-content-sha256": EMPTY,
      "x-amz-date": "20130524T000000Z",
      authorization:
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    },
    body: Buffer.alloc(0),
  };

  it("is accepted as AWS computes it", async () => {
    expect(await verify(get)).toMatchObject({ service: "s3", region: "us-east-1", principal });
  });

  it.each([
    ["method", { ...get, method: "PUT" }],
    ["path", { ...get, target: "/other.txt" }],
    ["query", { ...get, target: "/test.txt?acl" }],
    ["signed header", { ...get, headers: { ...get.headers, range: "bytes=0-10" } }],
  ])("is refused when the %s was changed", async (_, request) => {
    await expect(verify(request)).rejects.toMatchObject({ code: "SignatureDoesNotMatch" });
  });

  it("is refused when the body was changed or a signed header is missing", async () => {
    await expect(verify({ ...get, body: Buffer.from("x") })).rejects.toMatchObject({ code: "XAmzContentSHA256Mismatch" });
    const { range: _, ...headers } = get.headers;
    await expect(verify({ ...get, headers })).rejects.toThrow(/signed header 'range' is missing/);
  });

  it("is refused at an endpoint of another region, by S3 and by others in their own words", async () => {
    await expect(verifySignature(get, "eu-west-1", keys, SIGNED_AT)).rejects.toMatchObject({
      code: "AuthorizationHeaderMalformed",
      message: expect.stringContaining("the region 'us-east-1' is wrong; expecting 'eu-west-1'"),
    });
    const sqs = {
      ...get,
      headers: { ...get.headers, authorization: String(get.headers.authorization).replace("/s3/", "/sqs/") },
    };
    await expect(verifySignature(sqs, "eu-west-1", keys, SIGNED_AT)).rejects.toMatchObject({ code: "InvalidSignatureException" });
  });

  it("is refused when an x-amz- header isn't covered by it", async () => {
    const tagged = { ...get, headers: { ...get.headers, "x-amz-tagging": "a=b" } };
    await expect(verify(tagged)).rejects.toMatchObject({
      code: "AccessDenied",
      message: expect.stringContaining("x-amz-tagging"),
    });
  });

  it("is refused 15 minutes later", async () => {
    await expect(verify(get, SIGNED_AT + 15 * 60_000)).resolves.toBeDefined();
    await expect(verify(get, SIGNED_AT + 15 * 60_000 + 1)).rejects.toMatchObject({ code: "RequestTimeTooSkewed" });
  });

  it("covers a query with values that are sorted, repeated, empty and encoded", async () => {
    const listing: SignedRequest = {
      ...get,
      target: "/?prefix=J&max-keys=2",
      headers: {
        host: "examplebucket.s3.amazonaws.com",
        "x-amz-content-sha256": EMPTY,
        "x-amz-date": "20130524T000000Z",
        authorization:
          "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
      },
    };
    await expect(verify(listing)).resolves.toBeDefined();
    const signer = new SignatureV4({
      service: "execute-api",
      region: "us-east-1",
      credentials: { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey },
      sha256: Hash.bind(null, "sha256"),
    });
    const url = { method: "GET", protocol: "http:", hostname: "h", path: "/a%20b/./c//", headers: { host: "h" } };
    const query = { b: ["2", "1"], a: "", "x y": "ü*" };
    const { headers } = await signer.sign({ ...url, query }, { signingDate: new Date(SIGNED_AT) });
    const sent: SignedRequest = { method: "GET", target: "/a%20b/./c//?x%20y=%C3%BC*&b=2&b=1&a", headers, body: Buffer.alloc(0) };
    await expect(verify(sent)).resolves.toBeDefined();
  });
});

describe("what the endpoint does not read", () => {
  const request: SignedRequest = {
    method: "PUT",
    target: "/bucket/key",
    headers: { host: "s3.amazonaws.com" },
    body: Buffer.alloc(0),
  };

  it.each([
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=aeeed9",
    "AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=x&Expires=1",
  ])("is refused by name: a presigned URL with %s", async (query) => {
    await expect(verify({ ...request, target: `/bucket/key?${query}` })).rejects.toMatchObject({
      code: "NotImplemented",
      status: 501,
    });
  });

  it("is refused by name: a body in chunks", async () => {
    const headers = {
      ...request.headers,
      "x-amz-date": "20130524T000000Z",
      "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
      authorization: `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=${EMPTY}`,
    };
    await expect(verify({ ...request, headers })).rejects.toThrow(/STREAMING-UNSIGNED-PAYLOAD-TRAILER is not supported/);
  });
});
