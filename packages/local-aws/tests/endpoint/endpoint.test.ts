import http2 from "node:http2";
import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { GetParameterCommand, PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FaultInjector } from "../../src/faults/injector";
import { type SmallPlatform, smallPlatform } from "./small-platform";

let platform: SmallPlatform;
beforeAll(async () => {
  platform = await smallPlatform();
});
afterAll(() => platform.end());

describe("signatures", () => {
  it("accepts the owner's key pair", async () => {
    const client = new SSMClient(platform.client());
    await client.send(new PutParameterCommand({ Name: "/signed", Type: "String", Value: "yes" }));
    const { Parameter } = await client.send(new GetParameterCommand({ Name: "/signed" }));
    expect(Parameter).toMatchObject({ Value: "yes", Version: 1, ARN: "arn:aws:ssm:us-east-1:000000000000:parameter/signed" });
  });

  it("refuses a wrong secret key in the shape of the protocol", async () => {
    const keys = { ...platform.credentials.owner, secretAccessKey: "wrong" };
    await expect(new SSMClient(platform.client(keys)).send(new GetParameterCommand({ Name: "/x" }))).rejects.toMatchObject({
      name: "InvalidSignatureException",
      $metadata: { httpStatusCode: 403 },
    });
    const list = new ListObjectsV2Command({ Bucket: "any" });
    await expect(new S3Client(platform.client(keys)).send(list)).rejects.toMatchObject({
      name: "SignatureDoesNotMatch",
    });
  });

  it("refuses unknown keys, foreign session tokens and skewed clocks", async () => {
    const unknown = { accessKeyId: "AKIANOBODY", secretAccessKey: "x" };
    await expect(new SSMClient(platform.client(unknown)).send(new GetParameterCommand({ Name: "/x" }))).rejects.toMatchObject({
      name: "UnrecognizedClientException",
    });
    const session = { ...platform.credentials.issue("arn:aws:iam::000000000000:role/some"), sessionToken: "other" };
    await expect(new SSMClient(platform.client(session)).send(new GetParameterCommand({ Name: "/x" }))).rejects.toMatchObject({
      name: "UnrecognizedClientException",
    });
    const skewed = new SSMClient({ ...platform.client(), systemClockOffset: -16 * 60 * 1000 });
    await expect(skewed.send(new GetParameterCommand({ Name: "/x" }))).rejects.toThrow(/Signature expired/);
  });

  it("refuses an unsigned request", async () => {
    const response = await fetch(platform.endpointUrl, {
      method: "POST",
      headers: { "x-amz-target": "AmazonSSM.GetParameter" },
      body: "{}",
    });
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ __type: "MissingAuthenticationTokenException" });
  });
});

describe("dispatch", () => {
  it("names an unsupported service with those supported", async () => {
    const { SQSClient, ListQueuesCommand } = await import("@aws-sdk/client-sqs");
    await expect(new SQSClient(platform.client()).send(new ListQueuesCommand({}))).rejects.toThrow(
      /'sqs' is not supported.*dynamodb, s3/,
    );
  });

  it("names an unsupported action with those supported", async () => {
    const { DescribeLimitsCommand } = await import("@aws-sdk/client-dynamodb");
    await expect(new DynamoDBClient(platform.client()).send(new DescribeLimitsCommand({}))).rejects.toThrow(
      /'DescribeLimits' is not supported.*PutItem/,
    );
  });

  it("answers a role without permission with AccessDenied that names action, resource and role", async () => {
    const client = new SSMClient(platform.roleClient("poor", []));
    await expect(client.send(new GetParameterCommand({ Name: "/secret" }))).rejects.toMatchObject({
      name: "AccessDeniedException",
      message:
        "User: arn:aws:sts::000000000000:assumed-role/poor/fn is not authorized to perform: ssm:GetParameter on resource: arn:aws:ssm:us-east-1:000000000000:parameter/secret because no identity-based policy allows the ssm:GetParameter action",
    });
  });

  it("speaks HTTP/2 with prior knowledge on the same port", async () => {
    const session = http2.connect(platform.endpointUrl);
    const status = await new Promise((resolve, reject) => {
      const stream = session.request({ ":method": "POST", ":path": "/", "x-amz-target": "AmazonSSM.GetParameter" });
      stream.on("response", (headers) => resolve(headers[":status"]));
      stream.on("error", reject);
      stream.end("{}");
    });
    expect(status).toBe(403);
    session.close();
  });
});

describe("faults", () => {
  it("repeat exactly under the same seed", () => {
    const draw = (seed: number) => {
      const faults = new FaultInjector(seed, [{ kind: "throttle", service: "dynamodb", probability: 0.5 }]);
      return Array.from({ length: 50 }, () => faults.next({ service: "dynamodb", action: "PutItem" })?.kind);
    };
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
    expect(new Set(draw(7))).toEqual(new Set(["throttle", undefined]));
  });

  it("reach the client as the service's own throttling error, and stop when told", async () => {
    const client = new DynamoDBClient(platform.client());
    platform.endpoint.injectFaults(new FaultInjector(1, [{ kind: "throttle", service: "dynamodb", probability: 1, times: 1 }]));
    const get = () => client.send(new GetItemCommand({ TableName: "none", Key: { id: { S: "1" } } }));
    await expect(get()).rejects.toMatchObject({
      name: "ProvisionedThroughputExceededException",
    });
    await expect(get()).rejects.toMatchObject({ name: "ResourceNotFoundException" });
    platform.endpoint.injectFaults(undefined);
  });
});
