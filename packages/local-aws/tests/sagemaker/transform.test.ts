import {
  CreateModelCommand,
  CreateTransformJobCommand,
  type CreateTransformJobCommandInput,
  DescribeTransformJobCommand,
  SageMakerClient,
  StopTransformJobCommand,
} from "@aws-sdk/client-sagemaker";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { archive, BUCKET, type JobsWorld, jobsWorld, READ_WRITE } from "../jobs/world";

const ROLE = "arn:aws:iam::000000000000:role/model";
/** Doubles the sum of a line's numbers; an empty cell counts as nothing. */
const DOUBLE = `
import csv, io, os
def model_fn(model_dir):
    print("loaded")
    return int(open(os.path.join(model_dir, "factor.txt")).read())
def input_fn(body, content_type):
    assert isinstance(body, str) and content_type == "text/csv"
    return [[float(cell or 0) for cell in row] for row in csv.reader(io.StringIO(body))]
def predict_fn(rows, factor):
    print("rows", len(rows))
    return [factor * sum(row) for row in rows]
def output_fn(predictions, accept):
    return "".join(f"{value}\\n" for value in predictions)
`;
const INPUT = "inference/input/fraud/dt=2026-01-02";

let world: JobsWorld;
let client: SageMakerClient;
let number = 0;
beforeAll(async () => {
  world = await jobsWorld();
  client = new SageMakerClient(world.client());
  world.role("model", "sagemaker.amazonaws.com", READ_WRITE);
  await model("double", DOUBLE);
  await world.put(`${INPUT}/part-0.csv`, '"a,1",1,2\nb,3,\n');
  await world.put(`${INPUT}/part-1.csv`, "c,5,5\r\nd,,0.5");
});
afterAll(async () => {
  client.destroy();
  await world.end();
});

async function model(name: string, script: string, changes: { program?: string; buildIsolation?: string } = {}): Promise<void> {
  const key = `models/fraud/${name}/output/model.tar.gz`;
  await world.put(key, archive({ "factor.txt": "2", "code/inference.py": script }));
  await client.send(
    new CreateModelCommand({
      ModelName: name,
      ExecutionRoleArn: ROLE,
      EnableNetworkIsolation: true,
      PrimaryContainer: {
        Image: "xgboost:1.7-1",
        ModelDataUrl: `s3://${BUCKET}/${key}`,
        Environment: {
          PIP_NO_BUILD_ISOLATION: changes.buildIsolation ?? "0",
          SAGEMAKER_PROGRAM: changes.program ?? "inference.py",
          SAGEMAKER_SUBMIT_DIRECTORY: "/opt/ml/model/code",
        },
      },
    }),
  );
}

type Changes = Partial<CreateTransformJobCommandInput> & {
  readonly prefix?: string;
  readonly input?: object;
  readonly output?: object;
};

function request({ prefix = `${INPUT}/`, input, output, ...changes }: Changes = {}): CreateTransformJobCommandInput {
  number += 1;
  return {
    TransformJobName: `fraud-${number}`,
    ModelName: "double",
    TransformInput: {
      DataSource: { S3DataSource: { S3DataType: "S3Prefix", S3Uri: `s3://${BUCKET}/${prefix}` } },
      ContentType: "text/csv",
      SplitType: "Line",
      ...input,
    },
    TransformOutput: { S3OutputPath: `s3://${BUCKET}/out/${number}/`, Accept: "text/csv", AssembleWith: "Line", ...output },
    TransformResources: { InstanceType: "ml.m5.large", InstanceCount: 2 },
    DataProcessing: { InputFilter: "$[1:]", JoinSource: "Input", OutputFilter: "$[0,-1]" },
    ...changes,
  };
}

const describeJob = (TransformJobName: string | undefined) => client.send(new DescribeTransformJobCommand({ TransformJobName }));

async function finished(changes: Changes = {}) {
  const wanted = request(changes);
  await client.send(new CreateTransformJobCommand(wanted));
  await world.settled();
  return describeJob(wanted.TransformJobName);
}

const output = (file: string) => world.text(`out/${number}/${file}.out`);

describe("a batch transform", () => {
  it("joins each prediction to the key of its line, a file out for a file in", async () => {
    const job = await finished();
    expect(job.FailureReason).toBeUndefined();
    expect(job).toMatchObject({ TransformJobStatus: "Completed", ModelName: "double", TransformResources: { InstanceCount: 2 } });
    expect(job.TransformEndTime?.getTime()).toBeGreaterThanOrEqual(job.TransformStartTime?.getTime() ?? Number.NaN);
    expect(await output("part-0.csv")).toBe('"a,1",6.0\nb,6.0\n');
    expect(await output("part-1.csv")).toBe("c,20.0\nd,1.0\n");
  });

  it("loads the model once and sends as many lines as fit", async () => {
    await finished();
    expect(world.linesOf("/aws/sagemaker/TransformJobs").slice(-3)).toEqual(["loaded", "rows 2", "rows 2"]);
    const line = `k,${"0,".repeat(200_000)}1\n`;
    await world.put("in/long/a.csv", line.repeat(5));
    await finished({ prefix: "in/long/", MaxPayloadInMB: 1 });
    expect(world.linesOf("/aws/sagemaker/TransformJobs").slice(-4)).toEqual(["loaded", "rows 2", "rows 2", "rows 1"]);
    expect(await output("a.csv")).toBe("k,2.0\n".repeat(5));
  });

  it("gives the model no credentials, and is told of in events", async () => {
    await model("nosy", `import os\n${DOUBLE}\nprint("secret", "AWS_SECRET_ACCESS_KEY" in os.environ)`);
    world.published.length = 0;
    const job = await finished({ ModelName: "nosy" });
    expect(world.linesOf("/aws/sagemaker/TransformJobs")).toContain("secret False");
    expect(
      world.published.map(({ "detail-type": type, detail }) => [
        type,
        (detail as { TransformJobStatus: string }).TransformJobStatus,
      ]),
    ).toEqual([
      ["SageMaker Transform Job State Change", "InProgress"],
      ["SageMaker Transform Job State Change", job.TransformJobStatus],
    ]);
  });
});

describe("a batch transform that fails", () => {
  const failing = async (name: string, script: string, changes: Changes = {}) => {
    await model(name, script);
    const job = await finished({ ModelName: name, ...changes });
    expect(job.TransformJobStatus).toBe("Failed");
    return job.FailureReason;
  };

  it("when the model answers fewer predictions than it got lines; no output of that file is left", async () => {
    const reason = await failing("short", DOUBLE.replace("for value in predictions", "for value in predictions[:1]"));
    expect(reason).toMatch(
      /^AlgorithmError: See job logs for more information: pipelines\/.*part-0\.csv: the model answered 1 predictions for 2 records/,
    );
    expect(await output("part-0.csv")).toBeUndefined();
  });

  it("when one file is wrong; the others have their output", async () => {
    await world.put("in/mixed/bad.csv", "a,1\nb,x\n");
    await world.put("in/mixed/good.csv", "c,1\n");
    const job = await finished({ prefix: "in/mixed/" });
    expect(job.FailureReason).toMatch(/bad\.csv: ValueError: could not convert string to float: 'x'$/);
    expect([await output("bad.csv"), await output("good.csv")]).toEqual([undefined, "c,2.0\n"]);
    expect(world.linesOf("/aws/sagemaker/TransformJobs").some((line) => line.includes("in/mixed/bad.csv: ValueError"))).toBe(
      true,
    );
  });

  it.each([
    ["a quoted field that does not end", 'a,"1\n', /record 1: a quoted field does not end on its line/],
    [
      "a column that is not there",
      "",
      /record 1: .*asks for column 4, but the record has 2 columns/,
      { DataProcessing: { InputFilter: "$[0:]", OutputFilter: "$[4]", JoinSource: "Input" as const } },
    ],
    [
      "a record that is too long",
      `a,${"1".repeat(1_100_000)}\n`,
      /record 1 has 1100001 bytes, a request at most 1048576/,
      { MaxPayloadInMB: 1 },
    ],
  ])("names %s", async (_, text, message, changes: Changes = {}) => {
    await world.put("in/wrong/a.csv", text === "" ? "1\n" : text);
    expect((await finished({ prefix: "in/wrong/", ...changes })).FailureReason).toMatch(message);
  });

  it.each([
    [
      "does not load",
      `${DOUBLE}\ndef model_fn(folder): raise OSError('model.ubj is damaged')`,
      /^AlgorithmError: The model server did not start: OSError: model\.ubj is damaged$/,
    ],
    ["is no module", "import nothing_like_it", /did not start: ModuleNotFoundError: No module named 'nothing_like_it'/],
    ["lacks functions", "def model_fn(folder): pass", /SAGEMAKER_PROGRAM 'inference\.py' has no input_fn, predict_fn, output_fn/],
    [
      "dies",
      DOUBLE.replace("return [factor", "os._exit(9)\n    return [factor"),
      /part-0\.csv: The Python process was ended with exit status 9\.$/,
    ],
    ["is killed", DOUBLE.replace("return [factor", "os.kill(os.getpid(), 9)\n    return [factor"), /ended by SIGKILL/],
    [
      "answers something else",
      DOUBLE.replace('return "".join', 'return 1 or "".join'),
      /TypeError: output_fn must return str, bytes or/,
    ],
  ])("when the model %s", async (what, script, message) => {
    expect(await failing(what.replaceAll(" ", "-"), script)).toMatch(message);
  });

  it("when its script cannot be installed without a network", async () => {
    await model("fetches", DOUBLE, { buildIsolation: "true" });
    expect((await finished({ ModelName: "fetches" })).FailureReason).toMatch(
      /InstallModuleError: .* PIP_NO_BUILD_ISOLATION is "true"\. Set it to "0"/,
    );
  });

  it("when the archive is corrupt, or gone, or lacks the program", async () => {
    await model("corrupt", DOUBLE);
    const key = "models/fraud/corrupt/output/model.tar.gz";
    await world.put(key, "not gzip");
    expect((await finished({ ModelName: "corrupt" })).FailureReason).toMatch(
      /did not start: RuntimeError: the model archive \(ModelDataUrl\) is not a readable tar\.gz/,
    );
    await world.put(key, archive({ "model.ubj": "" }));
    expect((await finished({ ModelName: "corrupt" })).FailureReason).toMatch(
      /SAGEMAKER_PROGRAM 'inference\.py' is not in SAGEMAKER_SUBMIT_DIRECTORY/,
    );
    await world.s3.store.delete(BUCKET, key);
    expect((await finished({ ModelName: "corrupt" })).FailureReason).toBe(
      `ClientError: Cannot download the model: s3://${BUCKET}/${key} does not exist.`,
    );
  });

  it("without input, or without permission to read it", async () => {
    expect((await finished({ prefix: "in/none/" })).FailureReason).toMatch(
      /^ClientError: No S3 objects found under S3 URL "s3:\/\/pipelines\/in\/none\/"/,
    );
    world.role("model", "sagemaker.amazonaws.com", [
      { Effect: "Allow", Action: "s3:GetObject", Resource: `arn:aws:s3:::${BUCKET}/models/*` },
    ]);
    expect((await finished()).FailureReason).toMatch(
      /^ClientError: .*assumed-role\/model.*not authorized to perform: s3:ListBucket/,
    );
    world.role("model", "sagemaker.amazonaws.com", READ_WRITE);
  });

  it("when the model takes too long to answer", async () => {
    await model(
      "slow",
      DOUBLE.replace("return [factor", "import time; print('waiting', flush=True); time.sleep(600)\n    return [factor"),
    );
    const waiting = world.logged("waiting");
    const wanted = request({ ModelName: "slow", ModelClientConfig: { InvocationsTimeoutInSeconds: 33 } });
    await client.send(new CreateTransformJobCommand(wanted));
    await waiting;
    world.fire(33_000);
    await world.settled();
    expect((await describeJob(wanted.TransformJobName)).FailureReason).toMatch(
      /did not answer within 33 s \(InvocationsTimeoutInSeconds\)/,
    );
  });

  it("when it is stopped, or the runtime ends", async () => {
    const begin = async () => {
      const waiting = world.logged("waiting");
      const wanted = request({ ModelName: "slow" });
      await client.send(new CreateTransformJobCommand(wanted));
      await waiting;
      return wanted.TransformJobName;
    };
    const stopped = await begin();
    await client.send(new StopTransformJobCommand({ TransformJobName: stopped }));
    await world.settled();
    expect((await describeJob(stopped)).TransformJobStatus).toBe("Stopped");
    const ended = await begin();
    await world.sagemaker.part().end?.();
    expect(await describeJob(ended)).toMatchObject({
      TransformJobStatus: "Failed",
      FailureReason: expect.stringMatching(/local runtime was stopped/),
    });
    expect(world.ticking()).toBe(0);
  });
});

describe("CreateTransformJob", () => {
  const create = (changes: Changes) => client.send(new CreateTransformJobCommand(request(changes)));

  it.each<[string, Changes, RegExp]>([
    [
      "a JSONPath that is not one of columns",
      { DataProcessing: { InputFilter: "$.features" } },
      /DataProcessing\.InputFilter: '\$\.features' does not choose columns of CSV/,
    ],
    ["JSON", { input: { ContentType: "application/json" } }, /ContentType must be text\/csv on one machine, got "application/],
    ["whole files", { input: { SplitType: "None" } }, /SplitType must be Line on one machine, got "None"/],
    ["another type of answer", { output: { Accept: undefined } }, /Accept must be text\/csv on one machine, got undefined/],
    ["answers without lines", { output: { AssembleWith: "None" } }, /AssembleWith must be Line on one machine/],
    ["single records", { BatchStrategy: "SingleRecord" }, /BatchStrategy must be MultiRecord on one machine/],
    ["answers without their records", { DataProcessing: undefined }, /DataProcessing is required/],
    ["variables of its own", { Environment: { A: "b" } }, /Environment is not supported/],
    ["data capture", { DataCaptureConfig: { DestinationS3Uri: "s3://b/k" } }, /DataCaptureConfig is not supported/],
    [
      "a model that is not there",
      { ModelName: "none" },
      /Could not find model "arn:aws:sagemaker:us-east-1:000000000000:model\/none"/,
    ],
  ])("refuses %s", async (_, changes, message) => {
    await expect(create(changes)).rejects.toMatchObject({ name: "ValidationException", message: expect.stringMatching(message) });
  });

  it("takes a name once", async () => {
    const { TransformJobName } = await finished({ TransformJobName: "taken" });
    await expect(create({ TransformJobName })).rejects.toMatchObject({ name: "ResourceInUse" });
  });
});
