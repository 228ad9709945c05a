/** Counts what is where, by asking each store itself. */
import { DescribeAlarmsCommand } from "@aws-sdk/client-cloudwatch";
import { ScanCommand } from "@aws-sdk/client-dynamodb";
import { InvokeCommand } from "@aws-sdk/client-lambda";
import { GetObjectCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import { unpackLines } from "../../functions/shared/ndjson";
import type { Outputs } from "../outputs";
import type { Clients } from "./clients";

/** Number of items in a table. */
export async function countItems(clients: Clients, table: string): Promise<number> {
  let count = 0;
  let from: Record<string, never> | undefined;
  do {
    const page = await clients.dynamodb.send(
      new ScanCommand({ TableName: table, Select: "COUNT", ...(from ? { ExclusiveStartKey: from } : {}) }),
    );
    count += page.Count ?? 0;
    from = page.LastEvaluatedKey as Record<string, never> | undefined;
  } while (from !== undefined);
  return count;
}

/** Lines of every object under a prefix of the data bucket, parsed. Each object is read once. */
export class ArchiveReader {
  readonly lines: Record<string, unknown>[] = [];
  private readonly seen = new Set<string>();

  constructor(
    private readonly clients: Pick<Clients, "s3">,
    private readonly bucket: string,
    private readonly prefix: string,
    /** Objects up to this key are left out. */
    private readonly after?: string,
  ) {}

  async refresh(): Promise<this> {
    let token: string | undefined;
    do {
      const page = await this.clients.s3.send(
        new ListObjectsV2Command({
          Bucket: this.bucket,
          Prefix: this.prefix,
          ...(this.after === undefined ? {} : { StartAfter: this.after }),
          ...(token ? { ContinuationToken: token } : {}),
        }),
      );
      for (const { Key } of page.Contents ?? []) if (Key !== undefined && !this.seen.has(Key)) await this.read(Key);
      token = page.NextContinuationToken;
    } while (token !== undefined);
    return this;
  }

  get objects(): number {
    return this.seen.size;
  }

  private async read(key: string): Promise<void> {
    const object = await this.clients.s3.send(new GetObjectCommand({ Bucket: this.bucket, Key: key }));
    const bytes = await object.Body?.transformToByteArray();
    for (const line of unpackLines(key, bytes ?? Buffer.alloc(0))) this.lines.push(JSON.parse(line));
    this.seen.add(key);
  }
}

/** Runs the loader once. @returns its summary. @throws Error with its error */
export async function runLoader(clients: Clients, outputs: Outputs): Promise<Record<string, unknown>> {
  const answer = await clients.lambda.send(
    new InvokeCommand({ FunctionName: outputs.loaderFunction, Payload: Buffer.from("{}") }),
  );
  const payload = Buffer.from(answer.Payload ?? []).toString("utf8");
  if (answer.FunctionError) throw new Error(`The loader failed: ${payload}`);
  return JSON.parse(payload);
}

/** The same, but does nothing if the loader's schedule has just started it: only one runs at a time. */
export async function runLoaderUnlessBusy(clients: Clients, outputs: Outputs): Promise<void> {
  await runLoader(clients, outputs).catch((error: unknown) => {
    if (!(error instanceof Error) || error.name !== "TooManyRequestsException") throw error;
  });
}

export async function query<Row extends object>(clients: Clients, sql: string): Promise<Row[]> {
  return (await clients.warehouse.query<Row & Record<string, unknown>>(sql)).rows;
}

export async function countRows(clients: Clients, table: string, where = "true"): Promise<number> {
  const [row] = await query<{ n: string }>(clients, `select count(*) as n from ${table} where ${where}`);
  return Number(row?.n ?? 0);
}

/** Alarms by name with their state. */
export async function alarms(clients: Clients): Promise<{ name: string; state: string; reason: string }[]> {
  const { MetricAlarms = [] } = await clients.cloudwatch.send(new DescribeAlarmsCommand({}));
  return MetricAlarms.map((alarm) => ({
    name: alarm.AlarmName ?? "",
    state: alarm.StateValue ?? "",
    reason: alarm.StateReason ?? "",
  }));
}
