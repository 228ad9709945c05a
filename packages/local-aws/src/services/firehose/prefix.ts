/** Keys of the objects that a delivery stream writes. Firehose Developer Guide, "Understand custom prefixes for Amazon S3 objects". */
import { randomBytes, randomUUID } from "node:crypto";

/** What an object holds: lines for the destination, or records that the transformation could not process. */
export type OutputType = "data" | "processing-failed";

const EXPRESSION = /!\{([^:}]*):([^}]*)\}/g;
const DEFAULT_DATE = "!{timestamp:yyyy/MM/dd/HH}/";
/** Of Java's DateTimeFormatter, those parts that dates in keys are made of; text between apostrophes stands for itself. */
const DATE_PART = /'([^']*)'|yyyy|MM|dd|HH|mm|ss|[A-Za-z]+|[^A-Za-z']+/g;

/** @throws Error that says which rule of Firehose the prefixes break */
export function checkPrefixes(prefix: string | undefined, errorPrefix: string | undefined): void {
  const used = expressionsOf(prefix ?? "");
  const ofErrors = expressionsOf(errorPrefix ?? "");
  for (const [namespace, value] of [...used, ...ofErrors]) {
    if (namespace === "timestamp") formatDate(value, 0);
    else if (namespace !== "firehose" || !["error-output-type", "random-string"].includes(value))
      throw new Error(
        `!{${namespace}:${value}} has no local body; use timestamp, firehose:random-string or firehose:error-output-type.`,
      );
  }
  if (used.some(([, value]) => value === "error-output-type"))
    throw new Error("prefix can't contain !{firehose:error-output-type}.");
  if (used.length > 0 && errorPrefix === undefined) throw new Error("a prefix with expressions needs errorOutputPrefix.");
  if (ofErrors.length > 0 && !ofErrors.some(([, value]) => value === "error-output-type"))
    throw new Error("errorOutputPrefix with expressions must contain !{firehose:error-output-type}.");
}

const expressionsOf = (prefix: string): [namespace: string, value: string][] =>
  [...prefix.matchAll(EXPRESSION)].map(([, namespace = "", value = ""]) => [namespace, value]);

export interface Keyed {
  readonly name: string;
  readonly version: number;
  readonly prefix: string | undefined;
  readonly errorPrefix: string | undefined;
  readonly extension: string;
}

/** @param oldestMs arrival of the oldest record in the object, which all dates of the key are taken from */
export function objectKey(stream: Keyed, output: OutputType, oldestMs: number): string {
  const given = output === "data" ? stream.prefix : (stream.errorPrefix ?? "processing-failed/");
  const evaluated = evaluate(withDate(given ?? ""), output, oldestMs);
  const time = formatDate("yyyy-MM-dd-HH-mm-ss", oldestMs);
  const extension = output === "data" ? stream.extension : "";
  return `${evaluated}${stream.name}-${stream.version}-${time}-${randomUUID()}${extension}`;
}

/** Without a timestamp of its own a prefix gets the default one. */
const withDate = (prefix: string): string =>
  expressionsOf(prefix).some(([namespace]) => namespace === "timestamp") ? prefix : `${prefix}${DEFAULT_DATE}`;

const evaluate = (prefix: string, output: OutputType, timeMs: number): string =>
  prefix.replace(EXPRESSION, (_, namespace: string, value: string) => {
    if (namespace === "timestamp") return formatDate(value, timeMs);
    return value === "random-string" ? randomString() : output;
  });

/** 11 characters. */
const randomString = (): string => randomBytes(9).toString("base64url").replaceAll(/[-_]/g, "0").slice(0, 11);

function formatDate(format: string, timeMs: number): string {
  const [date = "", time = ""] = new Date(timeMs).toISOString().split("T");
  const [year = "", month = "", day = ""] = date.split("-");
  const [hour = "", minute = "", second = ""] = time.slice(0, 8).split(":");
  const parts: Readonly<Record<string, string>> = { yyyy: year, MM: month, dd: day, HH: hour, mm: minute, ss: second };
  return format.replace(DATE_PART, (part: string, literal: string | undefined) => {
    if (literal !== undefined) return literal === "" ? "'" : literal;
    if (!/^[A-Za-z]/.test(part)) return part;
    const value = parts[part];
    if (value === undefined)
      throw new Error(`!{timestamp:${format}}: ${part} has no local body; use yyyy, MM, dd, HH, mm and ss.`);
    return value;
  });
}
