import { CreateTrainingJobCommand, SageMakerClient, StopTrainingJobCommand } from "@aws-sdk/client-sagemaker";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SageMakerService } from "../../src/services/sagemaker";
import { unpacked } from "../jobs/unpack";
import { BUCKET } from "../jobs/world";
import { type Changes, channel, ROLE, type TrainingJobs, trainingJobs } from "./training-jobs";

/** Keeps a model and a checkpoint, then waits for ever unless told to end. */
const WAIT = `
import os, signal, sys, time
open(os.path.join(os.environ["SM_MODEL_DIR"], "model.ubj"), "w").write("so far")
open(os.path.join(os.environ["SM_CHECKPOINT_DIR"], "step-2"), "w").write("2")
if "--deaf" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("waiting", flush=True)
time.sleep(600)
`;

let jobs: TrainingJobs;
beforeAll(async () => {
  jobs = await trainingJobs();
});
afterAll(() => jobs.end());

describe("a training job that is ended from outside", () => {
  const checkpoints = { CheckpointConfig: { S3Uri: `s3://${BUCKET}/temp/ended/` } };

  it("stops within its time of grace and keeps what it has", async () => {
    const waiting = jobs.world.logged("waiting");
    const name = await jobs.create(WAIT, checkpoints);
    await waiting;
    expect(await jobs.describeJob(name)).toMatchObject({ TrainingJobStatus: "InProgress", SecondaryStatus: "Training" });
    await jobs.client.send(new StopTrainingJobCommand({ TrainingJobName: name }));
    expect((await jobs.describeJob(name)).TrainingJobStatus).toBe("Stopping");
    await jobs.world.settled();
    expect(await jobs.describeJob(name)).toMatchObject({ TrainingJobStatus: "Stopped", SecondaryStatus: "Stopped" });
    expect(unpacked(await jobs.artifact(name))).toEqual([["model.ubj", "so far"]]);
    expect(await jobs.world.text("temp/ended/step-2")).toBe("2");
    expect(jobs.world.ticking()).toBe(0);
    await expect(jobs.client.send(new StopTrainingJobCommand({ TrainingJobName: name }))).rejects.toThrow(
      /training job is in status Stopped/,
    );
  });

  it("is killed when it does not listen", async () => {
    const waiting = jobs.world.logged("waiting");
    const name = await jobs.create(WAIT, { HyperParameters: { ...jobs.request().HyperParameters, deaf: "1" } });
    await waiting;
    await jobs.client.send(new StopTrainingJobCommand({ TrainingJobName: name }));
    jobs.world.fire(120_000);
    await jobs.world.settled();
    expect((await jobs.describeJob(name)).TrainingJobStatus).toBe("Stopped");
  });

  it("reaches MaxRuntimeInSeconds", async () => {
    const waiting = jobs.world.logged("waiting");
    const name = await jobs.create(WAIT, { StoppingCondition: { MaxRuntimeInSeconds: 77 } });
    await waiting;
    jobs.world.fire(77_000);
    await jobs.world.settled();
    expect(await jobs.describeJob(name)).toMatchObject({ TrainingJobStatus: "Stopped", SecondaryStatus: "MaxRuntimeExceeded" });
  });

  it("fails with the cause when the runtime stops, or was killed", async () => {
    const waiting = jobs.world.logged("waiting");
    const name = await jobs.create(WAIT);
    await waiting;
    await jobs.world.sagemaker.part().end?.();
    expect(await jobs.describeJob(name)).toMatchObject({
      TrainingJobStatus: "Failed",
      FailureReason: expect.stringMatching(/^InternalServerError: The local runtime was stopped/),
    });
    jobs.world.context.db
      .prepare(
        "UPDATE sagemaker_training_runs SET document = json_remove(document, '$.endedMs', '$.failureReason') WHERE key = ?",
      )
      .run(name);
    await new SageMakerService(jobs.world.ports).part().start?.();
    expect(await jobs.describeJob(name)).toMatchObject({
      TrainingJobStatus: "Failed",
      FailureReason: expect.stringMatching(/local runtime was stopped/),
    });
  });
});

describe("CreateTrainingJob", () => {
  it("takes a name once", async () => {
    const { TrainingJobName } = await jobs.finished("");
    await expect(jobs.create("", { TrainingJobName })).rejects.toMatchObject({
      name: "ResourceInUse",
      message: expect.stringMatching(/Training job names must be unique/),
    });
  });

  it.each<[string, Changes, RegExp]>([
    ["a member that is not supported", { DebugHookConfig: { S3OutputPath: "s3://b/k" } }, /DebugHookConfig is not supported/],
    [
      "several instances",
      { ResourceConfig: { InstanceType: "ml.m5.large", InstanceCount: 2, VolumeSizeInGB: 1 } },
      /InstanceCount must be 1/,
    ],
    ["a built-in algorithm", { HyperParameters: { max_depth: "6" } }, /need sagemaker_program, and sagemaker_submit_directory/],
    [
      "a source that the container cannot download",
      { HyperParameters: { sagemaker_program: "train.py", sagemaker_submit_directory: `s3://${BUCKET}/code/source.tar.gz` } },
      /sagemaker_submit_directory as a file of a channel/,
    ],
    ["a container with a network", { EnableNetworkIsolation: false }, /EnableNetworkIsolation must be true on one machine/],
    [
      "spot without a waiting time",
      { EnableManagedSpotTraining: true },
      /needs StoppingCondition\.MaxWaitTimeInSeconds of at least/,
    ],
    [
      "a waiting time without spot",
      { StoppingCondition: { MaxRuntimeInSeconds: 1, MaxWaitTimeInSeconds: 2 } },
      /only for EnableManagedSpotTraining/,
    ],
    [
      "pipes",
      { AlgorithmSpecification: { TrainingImage: "x", TrainingInputMode: "Pipe" } },
      /TrainingInputMode must be File on one machine, got "Pipe"/,
    ],
    ["a wrong name", { TrainingJobName: "a_b" }, /TrainingJobName must be 1 to 63 letters/],
    ["an output that is not in S3", { OutputDataConfig: { S3OutputPath: "/models" } }, /S3OutputPath must be s3:\/\/<bucket>/],
    ["a name of a channel that is no folder", { InputDataConfig: [channel("..", "x")] }, /ChannelName must be letters/],
    [
      "metrics of logs",
      { AlgorithmSpecification: { TrainingImage: "x", TrainingInputMode: "File", MetricDefinitions: [] } },
      /AlgorithmSpecification\.MetricDefinitions is not supported/,
    ],
    [
      "checkpoints elsewhere",
      { CheckpointConfig: { S3Uri: "s3://b/k", LocalPath: "/tmp/x" } },
      /CheckpointConfig\.LocalPath is not supported/,
    ],
    ["a role that is not there", { RoleArn: "arn:aws:iam::000000000000:role/none" }, /role 'none' does not exist/],
  ])("refuses %s", async (_, input, message) => {
    await expect(jobs.create("", input)).rejects.toMatchObject({
      name: "ValidationException",
      message: expect.stringMatching(message),
    });
  });

  it("needs iam:PassRole for the role and sagemaker:AddTags for tags", async () => {
    const creator = (name: string, ...more: object[]) =>
      new SageMakerClient(
        jobs.world.roleClient(name, [{ Effect: "Allow", Action: "sagemaker:CreateTrainingJob", Resource: "*" }, ...more]),
      );
    const passing = {
      Effect: "Allow",
      Action: "iam:PassRole",
      Resource: ROLE,
      Condition: { StringEquals: { "iam:PassedToService": "sagemaker.amazonaws.com" } },
    };
    const [without, withRole] = [creator("without"), creator("with-role", passing)];
    await expect(without.send(new CreateTrainingJobCommand(jobs.request()))).rejects.toThrow(
      /not authorized to perform: iam:PassRole on resource: arn:aws:iam::000000000000:role\/training/,
    );
    await expect(withRole.send(new CreateTrainingJobCommand(jobs.request({ Tags: [{ Key: "a", Value: "b" }] })))).rejects.toThrow(
      /sagemaker:AddTags on resource: .*training-job\/fraud/,
    );
    const allowed = jobs.request();
    await withRole.send(new CreateTrainingJobCommand(allowed));
    await jobs.world.settled();
    expect((await jobs.describeJob(allowed.TrainingJobName)).TrainingJobStatus).toBe("Completed");
    for (const one of [without, withRole]) one.destroy();
  });
});

it("a job that is not there is named", async () => {
  await expect(jobs.describeJob("none")).rejects.toMatchObject({
    name: "ValidationException",
    message: expect.stringMatching(/Requested resource not found: training job none/),
  });
});
