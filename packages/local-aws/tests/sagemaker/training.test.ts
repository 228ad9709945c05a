import { existsSync } from "node:fs";
import { join } from "node:path";
import { CreateTrainingJobCommand, DescribeTrainingJobCommand, SageMakerClient } from "@aws-sdk/client-sagemaker";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { unpacked } from "../jobs/unpack";
import { archive, BUCKET, jobsWorld, READ_WRITE } from "../jobs/world";
import { CODE, channel, type TrainingJobs, trainingJobs } from "./training-jobs";

/** Writes what it was given into its model and its output. */
const TELL = `
import json, os, sys
print("validation-auc: 0.875")
model = os.environ["SM_MODEL_DIR"]
os.makedirs(os.path.join(model, "code"))
def files(folder):
    return sorted(os.path.relpath(os.path.join(top, name), folder) for top, _, names in os.walk(folder) for name in names)
facts = {"argv": sys.argv[1:], "env": dict(os.environ), "train": files(os.environ["SM_CHANNEL_TRAIN"]), "cwd": files(os.getcwd())}
json.dump(facts, open(os.path.join(model, "facts.json"), "w"))
open(os.path.join(model, "code", "inference.py"), "w").write("pass")
open(os.path.join(os.environ["SM_OUTPUT_DATA_DIR"], "holdout.csv"), "w").write("key,label\\n")
`;

let jobs: TrainingJobs;
beforeAll(async () => {
  jobs = await trainingJobs();
});
afterAll(() => jobs.end());

async function factsOf(name: string | undefined) {
  const [, text = "{}"] = unpacked(await jobs.artifact(name)).find(([file]) => file === "facts.json") ?? [];
  return JSON.parse(text) as { argv: string[]; env: Record<string, string>; train: string[]; cwd: string[] };
}

describe("a training job", () => {
  it("runs the program in script mode and keeps its model and its output", async () => {
    const job = await jobs.finished(TELL, {
      InputDataConfig: [channel("train", "training/data/m/train"), channel("config", "config/datasets/fraud.json"), CODE],
      HyperParameters: {
        sagemaker_program: "train.py",
        sagemaker_submit_directory: "/opt/ml/input/data/code/source.tar.gz",
        eta: "0.10",
        dataset: "fraud",
        rounds: "1400",
        verbose: "true",
      },
      Environment: { PIP_NO_BUILD_ISOLATION: "0", STAGE: "dev" },
    });
    expect(job.FailureReason).toBeUndefined();
    expect(job).toMatchObject({
      TrainingJobStatus: "Completed",
      SecondaryStatus: "Completed",
      ModelArtifacts: { S3ModelArtifacts: `s3://${BUCKET}/models/fraud/${job.TrainingJobName}/output/model.tar.gz` },
      ResourceConfig: { InstanceType: "ml.m5.large" },
    });
    const { argv, env, train, cwd } = await factsOf(job.TrainingJobName);
    // Read as JSON where they can be, in the order of their names, as the toolkit does.
    expect(argv).toEqual(["--dataset", "fraud", "--eta", "0.1", "--rounds", "1400", "--verbose", "True"]);
    // A prefix is a text, not a folder: without its slash it reaches further.
    expect(train).toEqual(["deep/part-1.parquet", "part-0.parquet", "training-notes.txt"]);
    expect(cwd).toEqual(["helper.py", "train.py"]);
    expect(env).toMatchObject({ STAGE: "dev", TRAINING_JOB_NAME: job.TrainingJobName });
    // The container is isolated: it reaches no service.
    expect(Object.keys(env).filter((name) => /^AWS_(ACCESS|SECRET|SESSION|ENDPOINT)/.test(name))).toEqual([]);
    expect(env.SM_CHANNEL_TRAIN).toBe(
      join(jobs.world.context.dataDir, "sagemaker/training", job.TrainingJobName ?? "", "opt/ml/input/data/train"),
    );
    expect(unpacked(await jobs.artifact(job.TrainingJobName, "output.tar.gz"))).toEqual([["holdout.csv", "key,label\n"]]);
    expect(existsSync(join(jobs.world.context.dataDir, "sagemaker/training", job.TrainingJobName ?? ""))).toBe(false);
  });

  it("makes the same archive of the same files", async () => {
    const script = `import os\nfor name in "ba": open(os.path.join(os.environ["SM_MODEL_DIR"], name), "w").write(name)`;
    const [first, second] = [await jobs.finished(script), await jobs.finished(script)];
    const bytes = await jobs.artifact(first.TrainingJobName);
    expect(unpacked(bytes)).toEqual([
      ["a", "a"],
      ["b", "b"],
    ]);
    expect(await jobs.artifact(second.TrainingJobName)).toEqual(bytes);
  });

  it("is told of in logs and events", async () => {
    jobs.world.published.length = 0;
    const job = await jobs.finished(TELL);
    expect(jobs.world.linesOf("/aws/sagemaker/TrainingJobs").at(-1)).toBe("validation-auc: 0.875");
    expect(jobs.world.published).toMatchObject([
      {
        "detail-type": "SageMaker Training Job State Change",
        source: "aws.sagemaker",
        detail: { TrainingJobStatus: "InProgress" },
      },
      {
        resources: [job.TrainingJobArn],
        detail: {
          TrainingJobName: job.TrainingJobName,
          TrainingJobStatus: "Completed",
          CreationTime: job.CreationTime?.getTime(),
        },
      },
    ]);
  });

  it.each([[undefined, "is not set"] as const, ["1", 'is "1"'] as const])(
    "cannot install its script when PIP_NO_BUILD_ISOLATION is %s",
    async (value, problem) => {
      const job = await jobs.finished(TELL, { Environment: value === undefined ? {} : { PIP_NO_BUILD_ISOLATION: value } });
      expect(job.TrainingJobStatus).toBe("Failed");
      expect(job.FailureReason).toContain(`InstallModuleError: pip install . cannot fetch setuptools`);
      expect(job.FailureReason).toContain(`PIP_NO_BUILD_ISOLATION ${problem}. Set it to "0" in Environment`);
    },
  );

  it("goes on from its checkpoints, and keeps new ones even when it fails", async () => {
    await jobs.world.put("temp/checkpoints/m/step-1", "1");
    const script = `
import os
folder = os.environ["SM_CHECKPOINT_DIR"]
found = sorted(os.listdir(folder))
open(os.path.join(folder, "step-2"), "w").write("2")
raise SystemExit("found " + ",".join(found))`;
    const job = await jobs.finished(script, { CheckpointConfig: { S3Uri: `s3://${BUCKET}/temp/checkpoints/m/` } });
    expect(job.FailureReason).toContain('ErrorMessage "found step-1"');
    expect(await jobs.world.text("temp/checkpoints/m/step-2")).toBe("2");
  });
});

describe("a training job that fails", () => {
  it.each([
    [
      "an exception",
      "raise ValueError('label is NaN')",
      'AlgorithmError: ExecuteUserScriptError:\nExitCode 1\nErrorMessage "ValueError: label is NaN"\nCommand "python train.py", exit code: 1',
    ],
    [
      "its own failure file",
      "import os, sys\nopen(os.path.join(os.environ['SM_OUTPUT_DIR'], 'failure'), 'w').write('one class only')\nsys.exit(2)",
      "AlgorithmError: one class only, exit code: 2",
    ],
    [
      "a kill",
      "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
      /^AlgorithmError: ExecuteUserScriptError:\nExitCode 137\nErrorMessage "The Python process was ended by SIGKILL/,
    ],
  ])("says why: %s", async (_, script, reason) => {
    const job = await jobs.finished(script);
    expect(job).toMatchObject({ TrainingJobStatus: "Failed", SecondaryStatus: "Failed" });
    if (typeof reason === "string") expect(job.FailureReason).toBe(reason);
    else expect(job.FailureReason).toMatch(reason);
    expect(job.ModelArtifacts).toBeUndefined();
  });

  it("cuts a long reason as SageMaker does", async () => {
    expect((await jobs.finished("raise ValueError('x' * 5000)")).FailureReason).toHaveLength(1024);
  });

  it("names the channel without data, the source that is no archive, the program that is not in it", async () => {
    expect((await jobs.finished(TELL, { InputDataConfig: [channel("train", "training/none/"), CODE] })).FailureReason).toMatch(
      /^ClientError: Data download failed: No S3 objects found under S3 URL "s3:\/\/pipelines\/training\/none\/" given in input data source train/,
    );
    await jobs.world.put("code/source.tar.gz", "not gzip");
    expect((await jobs.finished(undefined)).FailureReason).toMatch(
      /sagemaker_submit_directory is not a readable tar\.gz archive: not a gzip file/,
    );
    await jobs.world.put("code/source.tar.gz", archive({ "train.py": TELL }).subarray(0, 60));
    expect((await jobs.finished(undefined)).FailureReason).toMatch(
      /sagemaker_submit_directory is not a readable tar\.gz archive/,
    );
    await jobs.world.put("code/source.tar.gz", archive({ "other.py": "" }));
    expect((await jobs.finished(undefined)).FailureReason).toMatch(
      /sagemaker_program 'train\.py' is not in sagemaker_submit_directory/,
    );
    expect((await jobs.finished(undefined, { InputDataConfig: [] })).FailureReason).toMatch(
      /sagemaker_submit_directory is not a readable tar\.gz archive: .*No such file/,
    );
  });

  it("refuses a source that would write outside its folder", async () => {
    await jobs.world.put("code/source.tar.gz", archive({ "train.py": "", "../../escaped.py": "" }));
    expect((await jobs.finished(undefined)).FailureReason).toMatch(/not a readable tar\.gz archive: .*outside the destination/);
  });

  it("when its role may not read the data, or not write the model", async () => {
    const reader = jobs.world.role("reader", "sagemaker.amazonaws.com", [
      { Effect: "Allow", Action: "s3:GetObject", Resource: "*" },
      {
        Effect: "Allow",
        Action: "s3:ListBucket",
        Resource: "*",
        Condition: { StringLike: { "s3:prefix": ["training/*", "code/*"] } },
      },
    ]);
    expect((await jobs.finished(TELL, { RoleArn: reader })).FailureReason).toMatch(
      /^ClientError: Artifact upload failed for model\.tar\.gz: .*assumed-role\/reader.*not authorized to perform: s3:PutObject on resource: arn:aws:s3:::pipelines\/models\/fraud/,
    );
    const refused = await jobs.finished(TELL, { RoleArn: reader, InputDataConfig: [channel("train", "config/")] });
    expect(refused.FailureReason).toMatch(
      /^ClientError: Data download failed for channel train: .*not authorized to perform: s3:ListBucket/,
    );
  });

  it("when there is no Python", async () => {
    const bare = await jobsWorld(() =>
      Promise.reject(new Error("The batch pipelines need Python 3.10, 3.11 or 3.12, found none.")),
    );
    bare.role("training", "sagemaker.amazonaws.com", READ_WRITE);
    const own = new SageMakerClient(bare.client());
    await own.send(new CreateTrainingJobCommand(jobs.request({ TrainingJobName: "j" })));
    await bare.settled();
    expect((await own.send(new DescribeTrainingJobCommand({ TrainingJobName: "j" }))).FailureReason).toBe(
      "InternalServerError: The batch pipelines need Python 3.10, 3.11 or 3.12, found none.",
    );
    own.destroy();
    await bare.end();
  });
});
