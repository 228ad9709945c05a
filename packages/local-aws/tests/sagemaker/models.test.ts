import { CreateModelCommand, ListEndpointsCommand, SageMakerClient } from "@aws-sdk/client-sagemaker";
import { InvokeEndpointCommand, SageMakerRuntimeClient } from "@aws-sdk/client-sagemaker-runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BUCKET, type JobsWorld, jobsWorld, READ_WRITE } from "../jobs/world";

const ROLE = "arn:aws:iam::000000000000:role/model";

let world: JobsWorld;
let client: SageMakerClient;
beforeAll(async () => {
  world = await jobsWorld();
  client = new SageMakerClient(world.client());
  world.role("model", "sagemaker.amazonaws.com", READ_WRITE);
  await world.put("models/fraud/double/output/model.tar.gz", "any bytes: nobody looks before it is served");
});
afterAll(async () => {
  client.destroy();
  await world.end();
});

describe("models", () => {
  const create = (changes: object, by = client, more: object = {}) =>
    by.send(
      new CreateModelCommand({
        ModelName: "another",
        ExecutionRoleArn: ROLE,
        EnableNetworkIsolation: true,
        PrimaryContainer: {
          Image: "x",
          ModelDataUrl: `s3://${BUCKET}/models/fraud/double/output/model.tar.gz`,
          Environment: { SAGEMAKER_PROGRAM: "inference.py", SAGEMAKER_SUBMIT_DIRECTORY: "/opt/ml/model/code" },
          ...changes,
        },
        ...more,
      }),
    );

  it("are made once", async () => {
    const { ModelArn } = await create({});
    expect(ModelArn).toBe("arn:aws:sagemaker:us-east-1:000000000000:model/another");
    await expect(create({})).rejects.toThrow(/Cannot create already existing model/);
  });

  it.each<[string, object, RegExp, object?]>([
    [
      "an archive that is not there",
      { ModelDataUrl: `s3://${BUCKET}/none` },
      /Could not find model data at s3:\/\/pipelines\/none: there is no such object/,
    ],
    ["no script", { Environment: {} }, /needs SAGEMAKER_PROGRAM, and \/opt\/ml\/model\/code as SAGEMAKER_SUBMIT_DIRECTORY/],
    [
      "a script that the container cannot download",
      { Environment: { SAGEMAKER_PROGRAM: "inference.py", SAGEMAKER_SUBMIT_DIRECTORY: "s3://b/k" } },
      /an isolated container cannot download it/,
    ],
    ["a network", {}, /EnableNetworkIsolation must be true on one machine, got false/, { EnableNetworkIsolation: false }],
    ["several models in a container", { Mode: "MultiModel" }, /Mode is not supported/],
    [
      "another kind of data source",
      { ModelDataSource: { S3DataSource: { S3Uri: "s3://b/k", S3DataType: "S3Prefix", CompressionType: "None" } } },
      /ModelDataSource is not supported/,
    ],
  ])("are refused with %s", async (_, changes, message, more) => {
    await expect(create(changes, client, { ModelName: "refused", ...more })).rejects.toMatchObject({
      name: "ValidationException",
      message: expect.stringMatching(message),
    });
  });

  it("need iam:PassRole for the execution role", async () => {
    const other = new SageMakerClient(
      world.roleClient("modeller", [{ Effect: "Allow", Action: "sagemaker:CreateModel", Resource: "*" }]),
    );
    await expect(create({}, other, { ModelName: "others" })).rejects.toThrow(/not authorized to perform: iam:PassRole/);
    other.destroy();
  });
});

it("leaves the runtime's endpoints where they are, and refuses unknown actions by name", async () => {
  const runtime = new SageMakerRuntimeClient(world.client());
  await expect(runtime.send(new InvokeEndpointCommand({ EndpointName: "none", Body: Buffer.from("1") }))).rejects.toThrow(
    /Endpoint none of account 000000000000 not found/,
  );
  runtime.destroy();
  await expect(client.send(new ListEndpointsCommand())).rejects.toThrow(
    /does not support sagemaker:ListEndpoints\. Supported: CreateTrainingJob/,
  );
});
