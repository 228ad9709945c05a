import { NDJSON } from "./ndjson";

/** Names of the objects in the data bucket. The date is the source's, so a redelivery gives the same name. */
export type Area = "archive" | "high-risk" | "quarantine" | `generations/${number}`;

/** `2026-11-21` (UTC). */
export const dateOf = (milliseconds: number): string => new Date(milliseconds).toISOString().slice(0, 10);

/** `archive/fraud/dt=2026-11-21/shardId-000000000000_4959…_4960….ndjson.zst` */
export const objectKey = (area: Area, profile: string, date: string, name: string): string =>
  `${area}/${profile}/dt=${date}/${name.replaceAll(/[^A-Za-z0-9._-]/g, "_")}${NDJSON}`;

/** Another object beside this one. */
export const suffixedKey = (key: string, suffix: string | number): string => `${key.slice(0, -NDJSON.length)}_${suffix}${NDJSON}`;

/** The same object in another area. */
export const inArea = (key: string, area: Area): string => `${area}${key.slice(key.indexOf("/"))}`;

/** Where a delivery stream puts records, as they were sent, that its transformation couldn't finish. */
export const FAILED_DELIVERIES = "failed/";
