/** What a script's calls were answered, in a form in which two implementations of AWS can be compared. */
import { isDeepStrictEqual } from "node:util";

/** What one call came to. */
export interface Entry {
  /** `SQS.SendMessage`; `note` for a value that the script made of answers. */
  readonly operation: string;
  /** The answer, or `{ error, status }` of a refusal. */
  readonly answer: unknown;
}

export interface Difference {
  readonly operation: string;
  /** Members on the way to the value, list items as `[]`: `Messages[].Body`; `error`, `status` of a refusal; empty for the whole answer. */
  readonly path: string;
  readonly local: unknown;
  readonly moto: unknown;
}

/** Values that each service makes for itself: that they are there is compared, not what they are. */
const OPAQUE =
  /^(ReceiptHandle|MD5OfBody|RevisionId|CodeSha256|ShardIterator|NextShardIterator|[nN]ext\w*Token|VersionId|UploadId|MessageId|EventId|eventId|SequenceNumber|\w+SequenceNumber|RequestId|stateMachineVersionArn|SubscriptionArn|ErrorMessage|TableId)$/;
const TIMES =
  /^(creationTime|ingestionTime|lastIngestionTime|firstEventTimestamp|lastEventTimestamp|timestamp|CreatedTimestamp|LastModifiedTimestamp|SentTimestamp|ApproximateFirstReceiveTimestamp)$/;
const TEXTS: readonly (readonly [RegExp, string])[] = [
  [/http:\/\/127\.0\.0\.1:\d+/g, "<endpoint>"],
  // moto's account
  [/123456789012/g, "000000000000"],
  [/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi, "<uuid>"],
  [/(:secret:[\w/-]+)-[A-Za-z0-9]{6}$/g, "$1-<suffix>"],
  [/\bjr_[0-9a-f]{64}\b/g, "jr_<hex>"],
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, "<time>"],
];

/** The value without what differs from run to run. */
export function normalised(value: unknown, name = ""): unknown {
  if (value === undefined || value === null || typeof value === "function") return undefined;
  if (OPAQUE.test(name) && typeof value === "string") return `<${name}>`;
  if (value instanceof Date || TIMES.test(name)) return "<time>";
  if (name === "MillisBehindLatest") return "<milliseconds>";
  if (typeof value === "string" && /^[{[]/.test(value)) return spaceless(value);
  if (typeof value === "string") return TEXTS.reduce((text, [pattern, by]) => text.replace(pattern, by), value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString("utf8");
  if (Array.isArray(value)) return value.map((item) => normalised(item));
  if (typeof value !== "object") return value;
  const members = Object.entries(value).flatMap(([key, member]) => {
    // The body of an object is read by the script, which notes it.
    const kept = key === "$metadata" || key === "Body" ? undefined : normalised(member, key);
    // An empty list and an absent one are the same to a client.
    return kept === undefined || (Array.isArray(kept) && kept.length === 0) ? [] : [[key, kept] as const];
  });
  return Object.fromEntries(members);
}

/** JSON is the same however it is spaced; other texts that begin with a bracket stay. */
function spaceless(text: string): unknown {
  try {
    return { json: normalised(JSON.parse(text)) };
  } catch {
    return text;
  }
}

/** All places where two transcripts of one script differ. */
export function differences(local: readonly Entry[], moto: readonly Entry[]): Difference[] {
  const found: Difference[] = [];
  for (let index = 0; index < Math.max(local.length, moto.length); index++) {
    const [mine, theirs] = [local[index], moto[index]];
    const operation = mine?.operation ?? theirs?.operation ?? "";
    // From here on the script took different ways: the calls don't answer one another.
    if (mine?.operation !== theirs?.operation)
      return [...found, { operation, path: "order of calls", local: mine?.operation, moto: theirs?.operation }];
    found.push(...between(operation, "", mine?.answer, theirs?.answer));
  }
  return found;
}

function between(operation: string, path: string, local: unknown, moto: unknown): Difference[] {
  if (isDeepStrictEqual(local, moto)) return [];
  if (Array.isArray(local) && Array.isArray(moto) && local.length === moto.length)
    return local.flatMap((item, index) => between(operation, `${path}[]`, item, moto[index]));
  if (isMembers(local) && isMembers(moto) && isRefusal(local) === isRefusal(moto)) {
    const names = new Set([...Object.keys(local), ...Object.keys(moto)]);
    return [...names].flatMap((name) => between(operation, path === "" ? name : `${path}.${name}`, local[name], moto[name]));
  }
  return [{ operation, path, local, moto }];
}

function isMembers(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isRefusal(value: Readonly<Record<string, unknown>>): boolean {
  return "error" in value && "status" in value;
}
