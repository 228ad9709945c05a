/** What the redrive role may do besides reading raw records, and what `npm run redrive` has to know of the stack. */
import * as pulumi from "@pulumi/pulumi";
import type { ScoringApi } from "../components/scoring-api";
import { grant, mergeStatements, type Statement } from "../components/shared/iam";
import type { DeadLetters } from "../components/shared/queue";
import type { RawRecords } from "../components/shared/raw-records";
import type { StreamProcessor } from "../components/stream-processor";

export interface RedriveParts {
  readonly raw: RawRecords;
  readonly stream: StreamProcessor;
  readonly api: ScoringApi;
  /** Of the components beside these two. */
  readonly deadLetters: readonly DeadLetters[];
}

/** The stack output that the command reads. */
export interface RedriveOutput {
  readonly roleArn: string;
  readonly rawBucket: string;
  /** Undefined without the trigger kinesis. */
  readonly streamName?: string | undefined;
  /** Undefined without the trigger firehose. */
  readonly deliveryStreamName?: string | undefined;
  /** Where a delivery stream keeps what it gave up; undefined without the trigger firehose. */
  readonly failedDeliveriesBucket?: string | undefined;
  /** Takes back the records of EventBridge and POST /events; undefined without either. */
  readonly eventQueueUrl?: string | undefined;
  readonly resultsTable: string;
  /** Takes back what the archiver quarantined. */
  readonly archiveQueueUrl: string;
  readonly queues: readonly { readonly name: string; readonly url: string; readonly back: DeadLettersOutput }[];
}

export type DeadLettersOutput = pulumi.Unwrap<DeadLetters["back"]>;

export function allowRedrive({ raw, stream, api, deadLetters }: RedriveParts): pulumi.Output<RedriveOutput> {
  const all = [...stream.deadLetters, ...api.deadLetters, ...deadLetters];
  const permissions = [
    ...all.flatMap(({ queue }) => queue.consumeStatements()),
    ...all.flatMap((one) => one.permissions),
    ...stream.redriveStatements(),
  ];
  grant("raw-redrive-permissions", raw.redriveRole, merged(permissions), { parent: raw });
  return pulumi.output({
    roleArn: raw.redriveRole.arn,
    rawBucket: raw.bucketName,
    streamName: stream.streamName,
    deliveryStreamName: stream.deliveryStreamName,
    failedDeliveriesBucket: stream.deliveryStreamName && stream.dataBucket.bucketName,
    eventQueueUrl: stream.eventQueueUrl,
    resultsTable: stream.resultsTable,
    archiveQueueUrl: api.archiveQueueUrl,
    queues: all.map(({ queue, back }) => ({ name: queue.queueName, url: queue.url, back })),
  });
}

/** One statement for the same actions on many resources: an inline policy has 10,240 characters. */
function merged(statements: readonly Statement[]): Statement[] {
  const bySid = new Map<string, Statement>();
  for (const statement of statements) {
    const key = `${statement.sid} ${statement.actions.join()}`;
    const known = bySid.get(key);
    bySid.set(key, known ? { ...known, resources: [...known.resources, ...statement.resources] } : statement);
  }
  return mergeStatements([...bySid.values()].map(withDistinctResources));
}

const withDistinctResources = (statement: Statement): Statement => ({
  ...statement,
  resources: [...new Set(statement.resources)],
});
