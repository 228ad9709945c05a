/** Shared by tests of the pipelines: executions of the deployed state machines, their notices, models and scores. */
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { GetExecutionHistoryCommand, ListExecutionsCommand, StartExecutionCommand } from "@aws-sdk/client-sfn";
import { GetParameterCommand, PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { expect } from "vitest";
import { query } from "../../cli/demo/tally";
import { follow, type Outcome } from "../../cli/pipelines/follow";
import { decide, type RegisteredModel } from "../../cli/pipelines/registry";
import { connectPipelines, type PipelineName, type PipelineTarget } from "../../cli/pipelines/target";
import type { ModelsDocument } from "../../functions/scoring/models/document";
import { connection, startWorld, until, type World } from "./support";

export interface Models {
  readonly document: ModelsDocument;
  readonly version: number;
}

export interface Score {
  readonly event_id: string;
  readonly day: string;
  readonly score: number;
  readonly model_version: string;
}

/** What the notice of a failure must contain. */
export interface Failure {
  /** State that failed. */
  readonly step: string;
  readonly error: string;
  /** Parts of the cause. */
  readonly says: readonly (string | RegExp)[];
  /** Part of the advice. */
  readonly remedy: string | RegExp;
}

/** A running platform and its pipelines. */
export class PipelineWorld {
  private constructor(
    readonly world: World,
    readonly target: PipelineTarget,
    private readonly ssm: SSMClient,
  ) {}

  static async start(): Promise<PipelineWorld> {
    const world = await startWorld();
    const { endpoint, credentials, region } = connection(world);
    const target = connectPipelines({ ...world.platform.outputs, region }, "outputs", { endpoint, credentials });
    return new PipelineWorld(world, target, new SSMClient({ endpoint, credentials, region }));
  }

  async stop(): Promise<void> {
    this.target.close();
    this.ssm.destroy();
    await this.world.stop();
  }

  /** @returns the execution's ARN */
  async begin(pipeline: PipelineName, input: Readonly<Record<string, unknown>>): Promise<string> {
    const { executionArn = "" } = await this.target.sfn.send(
      new StartExecutionCommand({ stateMachineArn: this.target.machines[pipeline], input: JSON.stringify(input) }),
    );
    return executionArn;
  }

  ended(executionArn: string): Promise<Outcome> {
    return follow(this.target.sfn, executionArn, { print: () => undefined, pollMs: 100, pause });
  }

  async run(pipeline: PipelineName, input: Readonly<Record<string, unknown>>): Promise<Outcome> {
    return this.ended(await this.begin(pipeline, input));
  }

  /** Approves a version the given number of times at once. @returns the promotions that this started */
  async approve(model: RegisteredModel, times = 1): Promise<string[]> {
    const promotions = async () => {
      const command = new ListExecutionsCommand({ stateMachineArn: this.target.machines.promotion, maxResults: 100 });
      return ((await this.target.sfn.send(command)).executions ?? []).flatMap(({ executionArn }) => executionArn ?? []);
    };
    const before = await promotions();
    await Promise.all(Array.from({ length: times }, () => decide(this.target, model, "Approved", "a test")));
    return until("its promotions", async () => {
      const started = (await promotions()).filter((arn) => !before.includes(arn));
      return started.length === times && started;
    });
  }

  /** Whether a state of the execution has ended. */
  async hasLeft(executionArn: string, state: string): Promise<boolean> {
    const { events = [] } = await this.target.sfn.send(new GetExecutionHistoryCommand({ executionArn, maxResults: 1000 }));
    return events.some(({ stateExitedEventDetails }) => stateExitedEventDetails?.name === state);
  }

  async models(profile: string): Promise<Models> {
    const { Parameter } = await this.ssm.send(new GetParameterCommand({ Name: this.parameterOf(profile) }));
    return { document: JSON.parse(Parameter?.Value ?? "{}") as ModelsDocument, version: Parameter?.Version ?? 0 };
  }

  /** @returns the new version */
  async putModels(profile: string, document: ModelsDocument): Promise<number> {
    const value = { Name: this.parameterOf(profile), Value: JSON.stringify(document), Overwrite: true };
    return (await this.ssm.send(new PutParameterCommand(value))).Version ?? 0;
  }

  private parameterOf(profile: string): string {
    return (this.world.platform.outputs.modelsParameters as Readonly<Record<string, string>>)[profile] ?? "";
  }

  async object(key: string): Promise<Buffer> {
    const { Body } = await this.target.s3.send(new GetObjectCommand({ Bucket: this.target.bucket, Key: key }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  }

  async put(key: string, content: Buffer | string): Promise<void> {
    await this.target.s3.send(new PutObjectCommand({ Bucket: this.target.bucket, Key: key, Body: content }));
  }

  scores(dataset: string): Promise<Score[]> {
    return query<Score>(
      this.world.clients,
      `select event_id, score_date::text as day, score, model_version from risk.batch_scores where dataset = '${dataset}' order by score_date, event_id`,
    );
  }

  /** Checks that the execution failed as expected, and that there is one notice that says so. */
  async expectFailure(outcome: Outcome, { step, error, says, remedy }: Failure): Promise<void> {
    expect(`${outcome.status} ${outcome.error}: ${outcome.cause}`).toMatch(new RegExp(`^FAILED ${error}: `));
    const notice = await until(`a notice about ${outcome.executionArn}`, () => this.notice(outcome.executionArn));
    expect(notice).toContain(`failed at ${step} with ${error}.`);
    for (const part of says) {
      expect(outcome.cause).toMatch(part);
      expect(notice).toMatch(part);
    }
    expect(notice.slice(notice.indexOf("What to do: "))).toMatch(remedy);
    expect(notice).toContain(`/states/home?region=${this.world.names.region}#/v2/executions/details/${outcome.executionArn}\n`);
  }

  /** The e-mail of a failed execution; undefined before it is sent. */
  private notice(executionArn: string): string | undefined {
    const folder = join(this.world.platform.dataDir, "mail");
    const texts = readdirSync(folder).map((file) => {
      const [, body = ""] = readFileSync(join(folder, file), "utf8").split("\r\n\r\n");
      return Buffer.from(body, "base64").toString();
    });
    const found = texts.filter((text) => text.includes(executionArn) && text.includes("What to do: "));
    expect(found.length).toBeLessThanOrEqual(1);
    return found[0];
  }
}

export const succeeded = (outcome: Outcome): Outcome => {
  expect(`${outcome.status} ${outcome.error ?? ""} ${outcome.cause ?? ""}`).toBe("SUCCEEDED  ");
  return outcome;
};

/** Process id of the JVM of a Glue run of this process, once it has begun to read. */
export async function sparkOf(world: World, job: string): Promise<number> {
  return until(
    `Spark of ${job} at work`,
    async () => {
      const { stdout } = await promisify(execFile)("ps", ["-axo", "pid=,ppid=,args="], { maxBuffer: 2 ** 24 });
      const processes = stdout.split("\n").flatMap((line) => {
        const [, pid, parent, command = ""] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
        return pid === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), command }];
      });
      const script = processes.find(({ parent, command }) => parent === process.pid && command.includes(job));
      const spark = processes.find(({ parent, command }) => parent === script?.pid && command.includes("SparkSubmit"));
      const [, run] = /\/glue\/(jr_[0-9a-f]+)\//.exec(script?.command ?? "") ?? [];
      if (spark === undefined || run === undefined) return undefined;
      const staged = readdirSync(join(world.platform.dataDir, "glue", run, "staging"), { recursive: true });
      return staged.some((file) => String(file).endsWith(".csv")) && spark.pid;
    },
    60_000,
  );
}
