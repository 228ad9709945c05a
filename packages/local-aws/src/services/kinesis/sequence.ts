import { createHash } from "node:crypto";

/** 56 digits, as on AWS, so that text order is number order: `49`, ms since epoch (13), counter (37), shard index (4). */
export function sequenceNumber(timeMs: number, counter: number, shardIndex: number): string {
  return `49${String(timeMs).padStart(13, "0")}${String(counter).padStart(37, "0")}${String(shardIndex).padStart(4, "0")}`;
}

/** The ms part of a sequence number. */
export function sequenceTime(sequence: string): number {
  return Number(sequence.slice(2, 15));
}

const highestHash = 2n ** 128n - 1n;

export function hashKey(partitionKey: string): bigint {
  return BigInt(`0x${createHash("md5").update(partitionKey, "utf8").digest("hex")}`);
}

/** Splits the whole hash space into `count` equal ranges. */
export function evenRanges(count: number): { readonly start: bigint; readonly end: bigint }[] {
  const width = (highestHash + 1n) / BigInt(count);
  return Array.from({ length: count }, (_, index) => ({
    start: width * BigInt(index),
    end: index === count - 1 ? highestHash : width * BigInt(index + 1) - 1n,
  }));
}
