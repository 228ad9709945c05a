import { existsSync, readdirSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import {
  BatchStopJobRunCommand,
  GetJobRunCommand,
  GlueClient,
  type JobRun,
  StartJobRunCommand,
  type StartJobRunCommandInput,
} from "@aws-sdk/client-glue";
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { strToU8, zipSync } from "fflate";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { GlueCatalog, GlueService, glueBodies } from "../../src/services/glue";
import { glueJobOf } from "../../src/services/glue/job";
import { BUCKET, type JobsWorld, jobsWorld, READ_WRITE } from "../jobs/world";

const SCRIPT = "code/glue/script.py";
/** Waits for ever, with a child of its own that listens on a port and tells it. */
const WAIT = `
import subprocess, sys, time
child = """
import socket, time
server = socket.create_server(("127.0.0.1", 0))
print("waiting", server.getsockname()[1], flush=True)
time.sleep(600)
"""
subprocess.Popen([sys.executable, "-c", child])
time.sleep(600)
`;

let world: JobsWorld;
let client: GlueClient;
beforeAll(async () => {
  world = await jobsWorld();
  client = new GlueClient(world.client());
  world.role("glue", "glue.amazonaws.com", READ_WRITE);
});
beforeEach(() => putJob());
afterAll(async () => {
  client.destroy();
  await world.end();
});

function putJob(inputs: Record<string, unknown> = {}, service = world.glue): void {
  service.putJob(
    glueJobOf(
      {
        roleArn: "arn:aws:iam::000000000000:role/glue",
        command: { name: "glueetl", scriptLocation: `s3://${BUCKET}/${SCRIPT}`, pythonVersion: "3" },
        glueVersion: "5.0",
        defaultArguments: { "--job-language": "python", "--bucket": BUCKET, "--dataset": "fraud" },
        ...inputs,
      },
      "extract",
    ),
  );
}

async function start(script: string, input: Partial<StartJobRunCommandInput> = {}): Promise<string> {
  await world.put(SCRIPT, script);
  const { JobRunId = "" } = await client.send(new StartJobRunCommand({ JobName: "extract", ...input }));
  return JobRunId;
}

async function get(id: string): Promise<JobRun> {
  return (await client.send(new GetJobRunCommand({ JobName: "extract", RunId: id }))).JobRun ?? {};
}

async function finished(script: string, input: Partial<StartJobRunCommandInput> = {}): Promise<JobRun> {
  const id = await start(script, input);
  await world.settled();
  return get(id);
}

/** Whether something listens on the port. */
const isAlive = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });

describe("a run that succeeds", () => {
  it("gets defaults, the run's own arguments, its name and a staging folder", async () => {
    const run = await finished("import json, sys; print(json.dumps(sys.argv))", {
      Arguments: { "--dataset": "churn", "--date": "2026-01-02" },
    });
    expect(run).toMatchObject({
      JobName: "extract",
      JobRunState: "SUCCEEDED",
      Timeout: 480,
      Arguments: { "--dataset": "churn", "--date": "2026-01-02" },
    });
    expect(run.ErrorMessage).toBeUndefined();
    expect(run.CompletedOn?.getTime()).toBeGreaterThanOrEqual(run.StartedOn?.getTime() ?? Number.NaN);
    const [script, ...args] = JSON.parse(world.linesOf("/aws-glue/jobs/output").at(-1) ?? "") as string[];
    expect(script).toMatch(/script\.py$/);
    const pairs = Object.fromEntries(args.flatMap((arg, index) => (index % 2 === 0 ? [[arg, args[index + 1]]] : [])));
    expect(pairs).toEqual({
      "--JOB_NAME": "extract",
      "--JOB_RUN_ID": run.Id,
      "--job-language": "python",
      "--bucket": BUCKET,
      "--dataset": "churn",
      "--date": "2026-01-02",
      "--staging_dir": expect.stringMatching(/staging$/),
    });
  });

  it("imports extra modules and archives of modules", async () => {
    await world.put("code/glue/helper.py", "answer = 41");
    await world.put("code/glue/more.zip", Buffer.from(zipSync({ "more.py": strToU8("from helper import answer\nanswer += 1") })));
    const files = `s3://${BUCKET}/code/glue/helper.py, s3://${BUCKET}/code/glue/more.zip`;
    const run = await finished("import more; print('answer', more.answer)", { Arguments: { "--extra-py-files": files } });
    expect(run.ErrorMessage).toBeUndefined();
    expect(world.linesOf("/aws-glue/jobs/output").at(-1)).toBe("answer 42");
  });

  it("has the role's own credentials, this endpoint and Spark's settings in its environment, and not the machine's home", async () => {
    await finished("import json, os; print(json.dumps(dict(os.environ)))");
    const env = JSON.parse(world.linesOf("/aws-glue/jobs/output").at(-1) ?? "") as Record<string, string>;
    expect(env).toMatchObject({
      AWS_ENDPOINT_URL: world.endpointUrl,
      AWS_REGION: "us-east-1",
      SPARK_LOCAL_IP: "127.0.0.1",
      TZ: "UTC",
    });
    expect(env.PYSPARK_SUBMIT_ARGS).toMatch(/^--master local\[2\] .*spark\.ui\.enabled=false.* pyspark-shell$/);
    expect(env.HOME).toContain(world.context.dataDir);
    const s3 = new S3Client({
      ...world.client({
        accessKeyId: env.AWS_ACCESS_KEY_ID ?? "",
        secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? "",
        sessionToken: env.AWS_SESSION_TOKEN ?? "",
      }),
      forcePathStyle: true,
    });
    world.s3.store.createBucket("others");
    expect((await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: SCRIPT }))).ContentLength).toBeGreaterThan(0);
    await expect(s3.send(new GetObjectCommand({ Bucket: "others", Key: "x" }))).rejects.toThrow(
      /assumed-role\/glue\/.*not authorized to perform: s3:GetObject/,
    );
    s3.destroy();
  });

  it("leaves no files behind, writes metrics and tells EventBridge", async () => {
    world.published.length = 0;
    const run = await finished("open('left', 'w').write('x')");
    expect(readdirSync(join(world.context.dataDir, "glue"))).toEqual([]);
    expect(world.published).toMatchObject([
      {
        source: "aws.glue",
        "detail-type": "Glue Job State Change",
        detail: { jobName: "extract", severity: "INFO", state: "SUCCEEDED", jobRunId: run.Id, message: "Job run succeeded" },
      },
    ]);
    expect(world.metrics.at(-2)).toEqual({ name: "glue.succeed.ALL", value: 1 });
  });

  it("writes to the groups of --custom-logGroup-prefix", async () => {
    const run = await finished("import sys; print('out'); print('err', file=sys.stderr)", {
      Arguments: { "--custom-logGroup-prefix": "/risk/glue" },
    });
    expect(run.LogGroupName).toBe("/risk/glue");
    expect([world.linesOf("/risk/glue/output"), world.linesOf("/risk/glue/error")]).toEqual([["out"], ["err"]]);
  });

  it("writes to groups with the name of its security configuration", async () => {
    putJob({ securityConfiguration: "sealed" });
    await finished("import sys; print('out'); print('err', file=sys.stderr)", {
      Arguments: { "--custom-logGroup-prefix": "/risk/sealed" },
    });
    expect([world.linesOf("/risk/sealed/output-sealed"), world.linesOf("/risk/sealed/error-sealed")]).toEqual([["out"], ["err"]]);
  });
});

describe("a run that fails", () => {
  it.each([
    ["an exception", "raise ValueError('no rows: 0 of 10')", "ValueError: no rows: 0 of 10"],
    [
      "an exception of a class of its own",
      "class Vanished(Exception): pass\nraise Vanished('column amount')",
      "Vanished: column amount",
    ],
    ["a syntax error", "def (", /SyntaxError: invalid syntax/],
    ["an exit with a text", "import sys; sys.exit('bad date')", "bad date"],
    ["an exit with a number", "import sys; sys.exit(3)", "SystemExit: 3"],
    ["a process that ends itself", "import os; os._exit(7)", "The Python process was ended with exit status 7."],
    [
      "a killed process",
      "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
      /ended by SIGKILL \(killed from outside, perhaps out of memory\)/,
    ],
  ])("says why: %s", async (_, script, message) => {
    const run = await finished(script);
    expect(run.JobRunState).toBe("FAILED");
    if (typeof message === "string") expect(run.ErrorMessage).toBe(message);
    else expect(run.ErrorMessage).toMatch(message);
  });

  it("logs the stack and raises an event with severity ERROR", async () => {
    world.published.length = 0;
    await finished("def f():\n    raise KeyError('amount')\nf()");
    expect(world.linesOf("/aws-glue/jobs/error").join("\n")).toMatch(/Traceback[\s\S]*in f[\s\S]*KeyError: 'amount'/);
    expect(world.published).toMatchObject([{ detail: { severity: "ERROR", state: "FAILED", message: "KeyError: 'amount'" } }]);
  });

  it("names the script, or the extra file, that is not there", async () => {
    putJob({ command: { name: "glueetl", scriptLocation: `s3://${BUCKET}/code/none.py` } });
    expect((await finished("")).ErrorMessage).toBe(`command.scriptLocation: s3://${BUCKET}/code/none.py does not exist.`);
    putJob();
    const run = await finished("", { Arguments: { "--extra-py-files": `s3://${BUCKET}/gone.py` } });
    expect(run.ErrorMessage).toBe(`--extra-py-files: s3://${BUCKET}/gone.py does not exist.`);
  });

  it("when its role may not read the script, or Glue may not take the role", async () => {
    world.role("blind", "glue.amazonaws.com", [{ Effect: "Allow", Action: "s3:ListBucket", Resource: "*" }]);
    putJob({ roleArn: "arn:aws:iam::000000000000:role/blind" });
    expect((await finished("")).ErrorMessage).toMatch(
      /assumed-role\/blind\/.*not authorized to perform: s3:GetObject on resource: arn:aws:s3:::pipelines\/code\/glue\/script\.py/,
    );
    world.role("other", "lambda.amazonaws.com", READ_WRITE);
    putJob({ roleArn: "arn:aws:iam::000000000000:role/other" });
    expect((await finished("")).ErrorMessage).toMatch(/allows principal 'glue.amazonaws.com' to assume/);
  });
});

describe("a run that is ended from outside", () => {
  it("times out, with everything that it started", async () => {
    putJob({ timeout: 5 });
    const waiting = world.logged("waiting");
    const id = await start(WAIT);
    const child = Number((await waiting).split(" ")[1]);
    expect((await get(id)).JobRunState).toBe("RUNNING");
    expect(await isAlive(child)).toBe(true);
    world.fire(5 * 60_000);
    await world.settled();
    expect(await get(id)).toMatchObject({
      JobRunState: "TIMEOUT",
      ErrorMessage: "Timeout: the run took longer than its 5 minutes.",
      Timeout: 5,
    });
    expect(await isAlive(child)).toBe(false);
    expect(world.ticking()).toBe(0);
  });

  it("stops, while others of the same call are told why they cannot", async () => {
    const waiting = world.logged("waiting");
    const id = await start(WAIT);
    const child = Number((await waiting).split(" ")[1]);
    const stop = () => client.send(new BatchStopJobRunCommand({ JobName: "extract", JobRunIds: [id, "jr_none"] }));
    expect(await stop()).toMatchObject({
      SuccessfulSubmissions: [{ JobName: "extract", JobRunId: id }],
      Errors: [{ JobRunId: "jr_none", ErrorDetail: { ErrorCode: "EntityNotFoundException" } }],
    });
    await world.settled();
    expect((await get(id)).JobRunState).toBe("STOPPED");
    expect(await isAlive(child)).toBe(false);
    expect((await stop()).Errors?.[0]?.ErrorDetail?.ErrorMessage).toMatch(/is STOPPED: it cannot be stopped any more/);
  });

  it("fails with the cause when the runtime stops, or was killed", async () => {
    const waiting = world.logged("waiting");
    const id = await start(WAIT);
    const child = Number((await waiting).split(" ")[1]);
    await world.glue.part().end?.();
    expect(await get(id)).toMatchObject({
      JobRunState: "FAILED",
      ErrorMessage: expect.stringMatching(/local runtime was stopped.*start a new run/),
    });
    expect(await isAlive(child)).toBe(false);
    world.context.db.prepare("UPDATE glue_job_runs SET document = json_remove(document, '$.endedMs') WHERE key = ?").run(id);
    const next = new GlueService(world.ports, new GlueCatalog());
    await next.part().start?.();
    expect(next.findRun("extract", id)).toMatchObject({
      state: "FAILED",
      errorMessage: expect.stringMatching(/local runtime was stopped/),
    });
  });
});

describe("the API", () => {
  it("lets only so many runs of a job run at once", async () => {
    const waiting = world.logged("waiting");
    const id = await start(WAIT);
    await waiting;
    await expect(start(WAIT)).rejects.toMatchObject({
      name: "ConcurrentRunsExceededException",
      message: "Concurrent runs exceeded for extract: 1 of 1 (executionProperty.maxConcurrentRuns) are running.",
    });
    await client.send(new BatchStopJobRunCommand({ JobName: "extract", JobRunIds: [id] }));
    await world.settled();
  });

  it.each([
    ["another job", { JobName: "none" }, "EntityNotFoundException", /Job with name: none not found\. Jobs: extract/],
    ["a member that is not supported", { Timeout: 5 }, "InvalidInputException", /StartJobRun: Timeout is not supported/],
    [
      "a parameter without effect",
      { Arguments: { "--additional-python-modules": "pandas" } },
      "InvalidInputException",
      /--additional-python-modules has no effect/,
    ],
    [
      "a bookmark",
      { Arguments: { "--job-bookmark-option": "job-bookmark-enable" } },
      "InvalidInputException",
      /must be job-bookmark-disable/,
    ],
    ["Scala", { Arguments: { "--job-language": "scala" } }, "InvalidInputException", /--job-language must be python/],
    ["an argument without hyphens", { Arguments: { date: "x" } }, "InvalidInputException", /begin with two hyphens, got date/],
  ])("refuses %s", async (_, input, name, message) => {
    await expect(start("", input)).rejects.toMatchObject({ name, message: expect.stringMatching(message) });
  });

  it("needs glue:StartJobRun on the job, and nothing about its role", async () => {
    const allowed = new GlueClient(
      world.roleClient("starter", [{ Effect: "Allow", Action: "glue:StartJobRun", Resource: world.glue.jobArn("extract") }]),
    );
    await world.put(SCRIPT, "");
    await allowed.send(new StartJobRunCommand({ JobName: "extract" }));
    await world.settled();
    putJob();
    await expect(allowed.send(new GetJobRunCommand({ JobName: "extract", RunId: "jr_1" }))).rejects.toThrow(
      /not authorized to perform: glue:GetJobRun on resource: arn:aws:glue:us-east-1:000000000000:job\/extract/,
    );
    allowed.destroy();
  });
});

describe("resources", () => {
  const body = (type: string) => glueBodies(world.glue).find((candidate) => candidate.type === type);
  const outputs = (type: string, inputs: object) =>
    body(type)?.outputs({ name: "extract", inputs: { ...inputs }, region: "us-east-1", accountId: "000000000000" });

  it("have the provider's outputs", () => {
    expect(outputs("aws:glue/job:Job", { name: "j" })).toMatchObject({
      id: "j",
      state: { name: "j", arn: "arn:aws:glue:us-east-1:000000000000:job/j" },
    });
    expect(outputs("aws:glue/securityConfiguration:SecurityConfiguration", {})?.state.name).toMatch(/^extract-[0-9a-f]{7}$/);
    expect(outputs("aws:glue/connection:Connection", { name: "snow" })).toMatchObject({
      id: "000000000000:snow",
      state: { name: "snow" },
    });
  });

  it.each([
    [{ glueVersion: "4.0" }, /glueVersion '4\.0' is not Spark 3\.5/],
    [
      { command: { name: "gluestreaming", scriptLocation: "s3://b/k" } },
      /command\.name 'gluestreaming' does not run on one machine/,
    ],
    [{ command: { name: "pythonshell", scriptLocation: "s3://b/k" } }, /command\.name 'pythonshell' does not run/],
    [{ maxRetries: 1 }, /maxRetries must be 0 on one machine/],
    [{ command: { name: "glueetl" } }, /scriptLocation: expected a text/],
    [{ defaultArguments: { "--rows": 3 } }, /defaultArguments: --rows must be a text, got 3/],
  ])("refuse a job with %j", (inputs, message) => {
    expect(() => putJob(inputs)).toThrow(message);
  });
});

it("fails a run with what is missing when there is no Python or Java", async () => {
  const bare = await jobsWorld(() => Promise.reject(new Error("The Glue jobs run on Spark, which needs Java 17.")));
  bare.role("glue", "glue.amazonaws.com", READ_WRITE);
  putJob({}, bare.glue);
  const id = bare.glue.start("extract", {});
  await bare.settled();
  expect(bare.glue.findRun("extract", id)).toMatchObject({
    state: "FAILED",
    errorMessage: "The Glue jobs run on Spark, which needs Java 17.",
  });
  expect(existsSync(join(bare.context.dataDir, "glue", id))).toBe(false);
  await bare.end();
});
