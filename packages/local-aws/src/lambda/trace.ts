import { randomBytes } from "node:crypto";

/** `Root=1-<time>-<id>;Parent=…;Sampled=…`, the X-Ray trace header. `now` in milliseconds. */
export function newTraceId(now: number, sampled: boolean): string {
  const seconds = Math.floor(now / 1000)
    .toString(16)
    .padStart(8, "0");
  return `Root=1-${seconds}-${randomBytes(12).toString("hex")};Parent=${randomBytes(8).toString("hex")};Sampled=${sampled ? 1 : 0}`;
}
