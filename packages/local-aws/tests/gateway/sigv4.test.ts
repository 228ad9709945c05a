/**
 * The examples that AWS publishes, down to their signatures. Amazon S3 API reference, "Authenticating Requests: Using the Authorization
 * Header", "Using Query Parameters" and "Signature Calculations for … Transferring Payload in Multiple Chunks"; the last is of the IAM
 * User Guide's signing examples.
 */

import { Hash } from "@smithy/core/serde";
import { SignatureV4 } from "@smithy/signature-v4";
import { describe, expect, it } from "vitest";
import type { SignedRequest } from "../../src/gateway/signature-claim";
import { type KeySource, verifySignature } from "../../src/gateway/sigv4";

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

describe("a presigned URL", () => {
  const query = (more: Record<string, string> = {}) =>
    new URLSearchParams({
      "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
      "X-Amz-Credential": "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request",
      "X-Amz-Date": "20130524T000000Z",
      "X-Amz-Expires": "86400",
      "X-Amz-SignedHeaders": "host",
      "X-Amz-Signature": "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
      ...more,
    });
  const url = (more?: Record<string, string>): SignedRequest => ({
    method: "GET",
    target: `/test.txt?${query(more)}`,
    headers: { host: "examplebucket.s3.amazonaws.com", "user-agent": "any" },
    body: Buffer.alloc(0),
  });

  it("is accepted until it expires", async () => {
    await expect(verify(url(), SIGNED_AT + 86_400_000)).resolves.toMatchObject({ service: "s3" });
    await expect(verify(url(), SIGNED_AT + 86_400_001)).rejects.toMatchObject({ code: "AccessDenied", status: 403 });
  });

  it("is refused when a parameter was changed or added", async () => {
    await expect(verify(url({ "X-Amz-Expires": "86401" }))).rejects.toMatchObject({ code: "SignatureDoesNotMatch" });
    await expect(verify(url({ versionId: "1" }))).rejects.toMatchObject({ code: "SignatureDoesNotMatch" });
    await expect(verify(url({ "X-Amz-Expires": "604801" }))).rejects.toThrow(/from 1 to 604800/);
    await expect(verify(url({ "X-Amz-Security-Token": "t" }))).rejects.toMatchObject({ code: "SignatureDoesNotMatch" });
  });
});

describe("a body in signed chunks", () => {
  const chunk = (size: number, signature: string) =>
    `${size.toString(16)};chunk-signature=${signature}\r\n${"a".repeat(size)}\r\n`;
  const chunks = [
    chunk(65_536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
    chunk(1024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
    chunk(0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
  ].join("");
  const put = (body: string): SignedRequest => ({
    method: "PUT",
    target: "/examplebucket/chunkObject.txt",
    headers: {
      host: "s3.amazonaws.com",
      "x-amz-date": "20130524T000000Z",
      "x-amz-storage-class": "REDUCED_REDUNDANCY",
      "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
      "content-encoding": "aws-chunked",
      "x-amz-decoded-content-length": "66560",
      "content-length": "66824",
      authorization:
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class,Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
    },
    body: Buffer.from(body),
  });

  it("is put together when every link of the chain is right", async () => {
    expect(String((await verify(put(chunks))).body)).toBe("a".repeat(66_560));
  });

  it("is refused when a chunk was changed, cut or left out", async () => {
    await expect(verify(put(chunks.replace("aa\r\n", "ab\r\n")))).rejects.toThrow(/signature of a chunk does not match/);
    await expect(verify(put(chunks.slice(0, -100)))).rejects.toMatchObject({ code: "IncompleteBody" });
    await expect(verify(put(chunks.slice(chunks.indexOf("400;"))))).rejects.toThrow(/signature of a chunk does not match/);
  });
});
