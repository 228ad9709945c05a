/** What must be there before a script begins. Each side makes it in its own way: here by the program's resources, in moto by its API. */

export interface KeyedTable {
  readonly name: string;
  readonly key: string;
  readonly sort?: string;
}

export interface SumAlarm {
  readonly name: string;
  readonly description: string;
  readonly namespace: string;
  readonly metricName: string;
  readonly threshold: number;
}

export interface Given {
  /** A queue to which rules may deliver, with messages in it. */
  queue(name: string, messages?: readonly string[]): Promise<{ readonly url: string; readonly arn: string }>;
  stream(name: string): Promise<void>;
  table(table: KeyedTable): Promise<void>;
  bucket(name: string): Promise<void>;
  bus(name: string): Promise<void>;
  /** A rule of the bus that takes events to a target. */
  rule(bus: string, pattern: string, targetArn: string): Promise<void>;
  logGroup(name: string): Promise<void>;
  /** Writes events of the last minute, a second apart. */
  logEvents(group: string, stream: string, messages: readonly string[]): Promise<void>;
  /** Values of one minute, as metric data without dimensions. */
  metric(namespace: string, name: string, values: readonly number[]): Promise<void>;
  /** An alarm on a sum of one minute. */
  alarm(alarm: SumAlarm): Promise<void>;
  secret(name: string, value: string): Promise<void>;
  /** A role that may do everything. @returns its ARN */
  role(name: string, service: string): Promise<string>;
  /** @returns its ARN */
  machine(name: string, definition: string): Promise<string>;
  job(name: string): Promise<void>;
  /** An Avro schema with compatibility BACKWARD. */
  schema(registry: string, name: string, definition: string): Promise<void>;
  modelPackageGroup(name: string): Promise<void>;
}

export const ASSUMED_BY = (service: string) =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { Service: `${service}.amazonaws.com` }, Action: "sts:AssumeRole" }],
  });
export const ANYTHING = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }],
});
/** What lets rules deliver to a queue. */
export const DELIVERABLE = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service: "events.amazonaws.com" }, Action: "sqs:SendMessage", Resource: "*" }],
});
