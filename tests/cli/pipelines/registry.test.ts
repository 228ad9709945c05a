import {
  CreateModelPackageCommand,
  type CreateModelPackageCommandInput,
  DeleteModelPackageCommand,
  DescribeModelPackageCommand,
  ListModelPackagesCommand,
  SageMakerClient,
  UpdateModelPackageCommand,
} from "@aws-sdk/client-sagemaker";
import { sageMakerBodies } from "@risk/local-aws/testing";
import type { GraphResource } from "@risk/program-graph";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runRegistry } from "../../../cli/model-lifecycle/registry";
import type { Parsed } from "../../../cli/options";
import { connectPipelines } from "../../../cli/pipelines/target";
import { type JobsWorld, jobsWorld } from "../../../packages/local-aws/tests/jobs/world";

const ARN = "arn:aws:sagemaker:us-east-1:000000000000";

let world: JobsWorld;
let client: SageMakerClient;
let group = "";
let number = 0;
beforeAll(async () => {
  world = await jobsWorld();
  client = new SageMakerClient(world.client());
});
beforeEach(() => {
  number += 1;
  group = `fraud-${number}`;
  world.sagemaker.registry.putGroup(group);
});
afterAll(async () => {
  client.destroy();
  await world.end();
});

async function register(input: Partial<CreateModelPackageCommandInput> = {}, by = client): Promise<string> {
  const { ModelPackageArn = "" } = await by.send(
    new CreateModelPackageCommand({
      ModelPackageGroupName: group,
      ModelPackageDescription: "trained",
      InferenceSpecification: {
        Containers: [{ Image: "xgboost:1.7-1", ModelDataUrl: "s3://pipelines/models/m.tar.gz" }],
        SupportedContentTypes: ["text/csv"],
        SupportedResponseMIMETypes: ["text/csv"],
      },
      ModelMetrics: {
        ModelQuality: { Statistics: { ContentType: "application/json", S3Uri: "s3://pipelines/evaluation.json" } },
      },
      CustomerMetadataProperties: { dataset: "fraud", modelName: "fraud-20260102-0badcafe" },
      ...input,
    }),
  );
  return ModelPackageArn;
}

const describePackage = (ModelPackageName: string) => client.send(new DescribeModelPackageCommand({ ModelPackageName }));
const decide = (ModelPackageArn: string, ModelApprovalStatus: "Approved" | "Rejected", ApprovalDescription = "because") =>
  client.send(new UpdateModelPackageCommand({ ModelPackageArn, ModelApprovalStatus, ApprovalDescription }));

describe("versions", () => {
  it("are numbered from one, and no number is used twice", async () => {
    expect([await register(), await register()]).toEqual([1, 2].map((version) => `${ARN}:model-package/${group}/${version}`));
    await client.send(new DeleteModelPackageCommand({ ModelPackageName: `${group}/2` }));
    expect(await register()).toBe(`${ARN}:model-package/${group}/3`);
    await expect(describePackage(`${ARN}:model-package/${group}/2`)).rejects.toThrow(/ModelPackage .*\/2 does not exist/);
  });

  it("wait for approval and keep what they were registered with", async () => {
    expect(await describePackage(await register())).toMatchObject({
      ModelPackageGroupName: group,
      ModelPackageVersion: 1,
      ModelPackageStatus: "Completed",
      ModelApprovalStatus: "PendingManualApproval",
      InferenceSpecification: { Containers: [{ ModelDataUrl: "s3://pipelines/models/m.tar.gz" }] },
      ModelMetrics: { ModelQuality: { Statistics: { S3Uri: "s3://pipelines/evaluation.json" } } },
      CustomerMetadataProperties: { dataset: "fraud", modelName: "fraud-20260102-0badcafe" },
    });
  });

  it("are not registered twice with one client token", async () => {
    const arn = await register({ ClientToken: "once" });
    expect(await register({ ClientToken: "once" })).toBe(arn);
    expect(await register({ ClientToken: "twice" })).not.toBe(arn);
  });

  it("are listed from the oldest, page by page", async () => {
    const made: string[] = [];
    for (let version = 1; version <= 11; version++) made.push(await register());
    const list = (NextToken?: string) => client.send(new ListModelPackagesCommand({ ModelPackageGroupName: group, NextToken }));
    const first = await list();
    const second = await list(first.NextToken);
    const listed = [first, second].map(({ ModelPackageSummaryList }) =>
      ModelPackageSummaryList?.map((one) => one.ModelPackageArn),
    );
    expect(listed).toEqual([made.slice(0, 10), made.slice(10)]);
    expect(second.NextToken).toBeUndefined();
  });
});

describe("the event of a version", () => {
  it("is sent for each registration and each decision, even a repeated one", async () => {
    await world.settled();
    world.published.length = 0;
    const arn = await register();
    await decide(arn, "Approved");
    await decide(arn, "Approved", "again");
    await world.settled();
    expect(world.published.map(({ detail }) => (detail as { ModelApprovalStatus: string }).ModelApprovalStatus)).toEqual([
      "PendingManualApproval",
      "Approved",
      "Approved",
    ]);
    expect(world.published.at(-1)).toMatchObject({
      source: "aws.sagemaker",
      "detail-type": "SageMaker Model Package State Change",
      resources: [arn],
      detail: {
        ModelPackageGroupName: group,
        ModelPackageVersion: 1,
        ModelPackageArn: arn,
        ModelPackageStatus: "Completed",
        ModelPackageStatusDetails: { ValidationStatuses: [], ImageScanStatuses: [] },
        CertifyForMarketplace: false,
        ModelApprovalStatus: "Approved",
        ApprovalDescription: "again",
        CreationTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      },
    });
  });
});

describe("groups", () => {
  it("can be deleted only without versions, which npm run model -- clear deletes", async () => {
    const { registry } = world.sagemaker;
    await register();
    await register();
    expect(() => registry.deleteGroup(group)).toThrow(
      /cannot be deleted while it has versions, and it has 2\. Delete them first: npm run model/,
    );
    const machine = "arn:aws:states:us-east-1:000000000000:stateMachine:m";
    const outputs = {
      region: "us-east-1",
      pipelineBucket: "pipelines",
      modelGroups: { fraud: group },
      trainingMachineArn: machine,
      promotionMachineArn: machine,
      inferenceMachineArn: machine,
    };
    const target = connectPipelines(outputs, "outputs", world.client());
    const said: string[] = [];
    const clear = (isSure: boolean, ...versions: string[]) => {
      const parsed: Parsed = {
        positionals: ["clear", ...versions],
        text: () => undefined,
        list: () => [],
        flag: (name) => name === "yes" && isSure,
      };
      return runRegistry(target, "clear", parsed, (line) => void said.push(line));
    };
    await expect(clear(true, "2")).rejects.toThrow("clear: deletes all versions");
    await expect(clear(false)).rejects.toThrow(
      "this would delete these 2 versions from the registry for good. Confirm with --yes",
    );
    expect(said.join()).toContain("fraud-20260102-0badcafe");
    expect(() => registry.deleteGroup(group)).toThrow("it has 2");
    expect(await clear(true)).toBe(0);
    expect(said.at(-1)).toBe("2 versions deleted from the registry.");
    target.close();
    registry.deleteGroup(group);
    expect(registry.groupNames()).not.toContain(group);
  });

  it("of the program keep their versions over a restart", async () => {
    const [body] = sageMakerBodies(world.sagemaker);
    const inputs = { modelPackageGroupName: group, modelPackageGroupDescription: "Changed" };
    const made = body?.outputs({ name: "group", inputs, region: "us-east-1", accountId: "000000000000" });
    expect(made).toMatchObject({ id: group, state: { arn: `${ARN}:model-package-group/${group}` } });
    await register();
    const resource: GraphResource = {
      urn: "urn:group",
      type: "aws:sagemaker/modelPackageGroup:ModelPackageGroup",
      name: "group",
      parent: undefined,
      inputs,
      id: group,
      state: made?.state ?? {},
      dependsOn: [],
      protect: false,
      ignoreChanges: [],
      secretInputs: [],
    };
    await body?.create?.(resource);
    expect(await register()).toBe(`${ARN}:model-package/${group}/2`);
  });
});

describe("the registry refuses", () => {
  it.each<[string, Partial<CreateModelPackageCommandInput>, RegExp]>([
    [
      "a group that is not there",
      { ModelPackageGroupName: "none" },
      /ModelPackageGroup .*model-package-group\/none does not exist/,
    ],
    ["a model without containers", { InferenceSpecification: { Containers: [] } }, /Containers must not be empty/],
    ["a model without a specification", { InferenceSpecification: undefined }, /InferenceSpecification is required/],
    [
      "a long property",
      { CustomerMetadataProperties: { note: "x".repeat(257) } },
      /CustomerMetadataProperties\.note must have at most 256 characters, got 257/,
    ],
    ["a member that is not supported", { SourceUri: "x" }, /SourceUri is not supported/],
  ])("%s", async (_, input, message) => {
    await expect(register(input)).rejects.toMatchObject({ name: "ValidationException", message: expect.stringMatching(message) });
  });

  it("a version without its number, an invalid decision, and packages without a group", async () => {
    await expect(describePackage(group)).rejects.toThrow(/ModelPackageName must be the ARN of a version/);
    const wrong = new UpdateModelPackageCommand({ ModelPackageArn: await register(), ModelApprovalStatus: Object("Maybe") });
    await expect(client.send(wrong)).rejects.toThrow(/ModelApprovalStatus must be Approved or Rejected or PendingManualApproval/);
    await expect(client.send(new ListModelPackagesCommand({}))).rejects.toThrow(/ModelPackageGroupName is required/);
    const sorted = new ListModelPackagesCommand({ ModelPackageGroupName: group, SortBy: "Name" });
    await expect(client.send(sorted)).rejects.toThrow(/SortBy is not supported/);
  });

  it("a caller who may not approve or register versions", async () => {
    const arn = await register();
    const reader = new SageMakerClient(
      world.roleClient("registrar", [
        { Effect: "Allow", Action: "sagemaker:CreateModelPackage", Resource: `${ARN}:model-package-group/${group}` },
      ]),
    );
    await expect(
      reader.send(new UpdateModelPackageCommand({ ModelPackageArn: arn, ModelApprovalStatus: "Approved" })),
    ).rejects.toThrow(new RegExp(`sagemaker:UpdateModelPackage on resource: ${arn}`));
    await expect(register({}, reader)).rejects.toThrow(
      new RegExp(`sagemaker:CreateModelPackage on resource: ${ARN}:model-package/${group}/\\*`),
    );
    reader.destroy();
  });
});
