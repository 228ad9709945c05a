/** The endpoint's signature against the one that the SDK's signer makes. */

import { Hash } from "@smithy/core/serde";
import { SignatureV4 } from "@smithy/signature-v4";
import fc from "fast-check";
import { expect, it } from "vitest";
import { sha256, signatureOf } from "../../src/endpoint/signature";
import { claimOf } from "../../src/endpoint/signature-claim";

const credentials = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" };
const signingDate = new Date("2026-05-04T03:02:01Z");
const body = Buffer.from("{}");

const text = fc.string({ unit: "grapheme", maxLength: 8 });
const segment = fc.oneof(
  fc.constantFrom(".", "..", "", "a b", "ü", "(x)!*'", "a+b"),
  text.map((part) => part.replaceAll("/", "")),
);
const header = fc.string({ unit: fc.constantFrom("a", " ", "  ", "=", ","), minLength: 1, maxLength: 8 });

const query = fc.dictionary(
  text.filter((name) => name !== "" && !name.toLowerCase().startsWith("x-amz-")),
  fc.oneof(text, fc.array(text, { minLength: 1, maxLength: 3 })),
  { maxKeys: 3, noNullPrototype: true },
);
const service = fc.constantFrom("execute-api", "dynamodb", "kinesis");

it("is the one of the SDK's signer for any path, query and header value", async () => {
  await fc.assert(
    fc.asyncProperty(service, fc.array(segment, { maxLength: 4 }), query, header, async (name, segments, parameters, value) => {
      const path = `/${segments.map(encodeURIComponent).join("/")}`;
      const signer = new SignatureV4({ service: name, region: "us-east-1", credentials, sha256: Hash.bind(null, "sha256") });
      const given = { host: "h", "x-amz-note": value };
      const request = { method: "POST", protocol: "http:", hostname: "h", path, query: parameters, headers: given, body };
      const { headers } = await signer.sign(request, { signingDate });
      const pairs = Object.entries(parameters).flatMap(([key, values]) => [values].flat().map((one) => [key, one]));
      const search = pairs.map((pair) => pair.map(encodeURIComponent).join("=")).join("&");
      const target = search === "" ? path : `${path}?${search}`;
      const claim = claimOf({ method: "POST", target, headers, body }, name);
      const signed = Object.fromEntries(claim.signedHeaders.map((key) => [key, headers[key] ?? ""]));
      const parts = { method: "POST", target, headers: signed, payloadHash: sha256(body) };
      expect(signatureOf(claim, credentials.secretAccessKey, parts)).toBe(claim.signature);
    }),
  );
});
