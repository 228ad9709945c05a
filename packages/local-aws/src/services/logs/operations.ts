import { AwsError } from "../../contracts";
import type { Input } from "../messaging/input";
import { type Operation, page } from "../messaging/operations";
import { compileFilter } from "./filter-pattern";

export interface LogEvent {
  readonly timestamp: number;
  readonly message: string;
}

export interface StoredLogEvent extends LogEvent {
  readonly id: number;
  readonly stream: string;
  readonly ingested: number;
}

export interface LogGroup {
  readonly name: string;
  readonly retentionDays?: number | undefined;
}

/** What the operations need of the service. Times are milliseconds since the epoch. */
export interface LogPort {
  arnOf(group: string): string;
  groups(): LogGroup[];
  /** Throws ResourceNotFoundException. */
  requireGroup(name: string): void;
  saveGroup(name: string, retentionDays: number | undefined, kmsKey?: string): void;
  /** Ordered by time; `fromMs` inclusive, `toMs` exclusive. */
  events(group: string, fromMs: number, toMs: number): StoredLogEvent[];
}

const retentionDays = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];
const latest = Number.MAX_SAFE_INTEGER;

/** Name of a group in its ARN, with or without the `:*` of policies. */
export function groupOfArn(arn: string): string {
  return arn.split(":").slice(6).join(":").replace(/:\*$/, "");
}

export function logsOperations(logs: LogPort): Record<string, Operation> {
  const groupOf = (input: Input) => input.needText("logGroupName");
  const resource = (input: Input) => `${logs.arnOf(groupOf(input))}:*`;
  return {
    CreateLogGroup: {
      fields: ["logGroupName", "kmsKeyId"],
      resource,
      run: (input) => {
        const name = groupOf(input);
        if (!/^[.\-_/#A-Za-z0-9]{1,512}$/.test(name))
          throw input.error(`logGroupName ${name} must be 1 to 512 of a-z A-Z 0-9 . - _ / #`);
        if (logs.groups().some((group) => group.name === name))
          throw new AwsError("ResourceAlreadyExistsException", `The specified log group already exists: ${name}.`);
        logs.saveGroup(name, undefined, input.text("kmsKeyId"));
        return undefined;
      },
    },
    PutRetentionPolicy: {
      fields: ["logGroupName", "retentionInDays"],
      resource,
      run: (input) => {
        const days = input.needInteger("retentionInDays", 1, 3653);
        if (!retentionDays.includes(days))
          throw input.error(`retentionInDays ${days} must be one of ${retentionDays.join(", ")}`);
        logs.requireGroup(groupOf(input));
        logs.saveGroup(groupOf(input), days);
        return undefined;
      },
    },
    FilterLogEvents: {
      fields: ["logGroupName", "startTime", "endTime", "filterPattern", "nextToken", "limit"],
      resource,
      run: (input) => {
        const test = compileFilter(input.text("filterPattern") ?? "");
        const events = logs
          .events(groupOf(input), input.number("startTime") ?? 0, (input.number("endTime") ?? latest - 1) + 1)
          .filter(({ message }) => test(message));
        const { items, nextToken } = page(events, input.text("nextToken"), input.integer("limit", 1, 10_000) ?? 10_000);
        const shown = items.map((event) => ({
          logStreamName: event.stream,
          timestamp: event.timestamp,
          message: event.message,
          ingestionTime: event.ingested,
          eventId: String(event.id).padStart(56, "0"),
        }));
        return { events: shown, searchedLogStreams: [], nextToken };
      },
    },
  };
}
