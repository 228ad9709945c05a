/** SDK clients whose calls go to simulated services. The product uses nothing of a client but `send`. */
import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import type { KinesisClient } from "@aws-sdk/client-kinesis";
import type { RedshiftDataClient } from "@aws-sdk/client-redshift-data";
import type { S3Client } from "@aws-sdk/client-s3";
import type { SQSClient } from "@aws-sdk/client-sqs";
import type { Service } from "./kernel/faults";
import type { Network } from "./kernel/network";
import type { Process } from "./kernel/process";

export interface Limits {
  readonly attempts: number;
  readonly timeoutMs: number;
}

/** As in functions/shared/clients.ts. */
export const FAST: Limits = { attempts: 3, timeoutMs: 2_000 };
export const BULK: Limits = { attempts: 4, timeoutMs: 20_000 };
export const BULK_SINGLE: Limits = { ...BULK, attempts: 1 };

/** What a simulated service does with one call. */
export interface Endpoint {
  handle(action: string, input: object): object;
}

export interface Endpoints {
  readonly dynamodb: Endpoint;
  readonly s3: Endpoint;
  readonly bus: Endpoint;
  readonly redshift: Endpoint;
  readonly kinesis: Endpoint;
}

interface Command {
  readonly input: object;
}

const READS = /^(Get|Head|List|BatchGet|Query|Describe|Receive)/;

const PARTIAL: ReadonlySet<string> = new Set(["BatchGetItem", "PutEvents"]);

export class Clients {
  constructor(
    private readonly network: Network,
    private readonly endpoints: Endpoints,
  ) {}

  dynamodb = (process: Process, limits: Limits): DynamoDBClient =>
    this.#client(process, "dynamodb", this.endpoints.dynamodb, limits);
  s3 = (process: Process, limits: Limits): S3Client => this.#client(process, "s3", this.endpoints.s3, limits);
  bus = (process: Process): EventBridgeClient => this.#client(process, "bus", this.endpoints.bus, FAST);
  redshift = (process: Process): RedshiftDataClient => this.#client(process, "redshift", this.endpoints.redshift, BULK);
  kinesis = (process: Process): KinesisClient => this.#client(process, "kinesis", this.endpoints.kinesis, BULK);
  sqs = (process: Process, queue: Endpoint): SQSClient => this.#client(process, "sqs", queue, BULK);

  #client<Client>(process: Process, service: Service, endpoint: Endpoint, limits: Limits): Client {
    const send = (command: Command): Promise<object> => {
      const action = command.constructor.name.replace(/Command$/, "");
      const { input } = command;
      return this.network.call(process, {
        service,
        action,
        detail: subjectOf(input),
        writes: !READS.test(action),
        isPartial: PARTIAL.has(action),
        ...limits,
        effect: () => endpoint.handle(action, input),
      });
    };
    return Object.create(null, { send: { value: send } });
  }
}

/** What a call is about, for the trace. */
function subjectOf(input: object): string {
  const { Key, Item, TableName, RequestItems, Id, StatementName, Entries } = input as Readonly<Record<string, unknown>>;
  if (typeof Key === "string") return Key;
  if (TableName !== undefined) return `${String(TableName)} ${idOf(Item ?? Key)}`;
  if (RequestItems !== undefined) return Object.keys(RequestItems as object).join(" ");
  if (Array.isArray(Entries)) return `${Entries.length} entries`;
  return String(StatementName ?? Id ?? "");
}

function idOf(item: unknown): string {
  const first = Object.values((item ?? {}) as Readonly<Record<string, { readonly S?: string }>>)[0];
  return first?.S ?? "";
}
