import { isRecord } from "@risk/program-graph";
import { AwsError } from "../../contracts";
import type { Input } from "../messaging/input";
import type { Operation } from "../messaging/operations";
import type { EventsStore } from "./store";

const eventLimitBytes = 262_144;
const entryFields = ["Time", "Source", "Resources", "DetailType", "Detail", "EventBusName", "TraceHeader"];

export interface EventEnvelope {
  readonly version: "0";
  readonly id: string;
  readonly "detail-type": string;
  readonly source: string;
  readonly account: string;
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: unknown;
}

export interface EventParts {
  readonly source: string;
  readonly detailType: string;
  readonly detail: unknown;
  readonly resources: readonly string[];
  readonly timeMs: number;
}

/** What the operation needs of the service. */
interface EventPort {
  readonly now: () => number;
  readonly store: Pick<EventsStore, "bus">;
  busArn(name: string): string;
  /** Name of a bus given by name, ARN or not at all. */
  busName(nameOrArn: string | undefined): string;
  envelope(event: EventParts): EventEnvelope;
  publish(bus: string, event: EventEnvelope): void;
}

export function putEventsOperation(events: EventPort): Operation {
  return {
    fields: ["Entries"],
    resource: (input) => events.busArn(events.busName(input.children("Entries", entryFields)?.[0]?.text("EventBusName"))),
    run: (input) => putEvents(events, input),
  };
}

function putEvents(events: EventPort, input: Input): object {
  const entries = input.needChildren("Entries", entryFields);
  if (entries.length < 1 || entries.length > 10) throw input.error(`Entries must hold 1 to 10 entries, got ${entries.length}`);
  const bytes = entries.reduce((sum, entry) => sum + entrySize(entry), 0);
  if (bytes > eventLimitBytes) throw input.error(`Entries hold ${bytes} bytes, more than ${eventLimitBytes}`);
  const results = entries.map((entry) => {
    try {
      return { EventId: putEvent(events, entry) };
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      return { ErrorCode: error.code, ErrorMessage: error.message };
    }
  });
  return { FailedEntryCount: results.filter((result) => "ErrorCode" in result).length, Entries: results };
}

/** As AWS measures it: 14 bytes for a time, plus the UTF-8 bytes of the texts. */
function entrySize(entry: Input): number {
  const texts = ["Source", "DetailType", "Detail"].map((field) => entry.text(field) ?? "");
  return (
    (entry.has("Time") ? 14 : 0) +
    [...texts, ...(entry.texts("Resources") ?? [])].reduce((sum, text) => sum + Buffer.byteLength(text), 0)
  );
}

function putEvent(events: EventPort, entry: Input): string {
  const needed = (field: string) => {
    const value = entry.text(field);
    if (value === undefined || value === "")
      throw new AwsError("InvalidArgument", `Parameter ${field} is not valid. Reason: ${field} is a required argument.`);
    return value;
  };
  const source = needed("Source");
  const detailType = needed("DetailType");
  const detail = detailOf(needed("Detail"));
  if (source.startsWith("aws."))
    throw new AwsError("NotAuthorizedForSourceException", `Source ${source}: sources that begin with aws. are reserved.`);
  const bus = events.busName(entry.text("EventBusName"));
  const timeMs = entry.time("Time") ?? events.now();
  const event = events.envelope({ source, detailType, detail, resources: entry.texts("Resources") ?? [], timeMs });
  // AWS accepts an event for a bus that does not exist and drops it; here that would hide a typo.
  events.store.bus(bus);
  events.publish(bus, event);
  return event.id;
}

function detailOf(text: string): unknown {
  const malformed = new AwsError("MalformedDetail", "Detail is malformed: it must be a JSON object.");
  let detail: unknown;
  try {
    detail = JSON.parse(text);
  } catch {
    throw malformed;
  }
  if (!isRecord(detail)) throw malformed;
  return detail;
}
