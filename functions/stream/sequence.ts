/**
 * Kinesis sequence numbers are decimal strings of up to 129 digits: too long for a number, and out of lexicographic order unless padded.
 * Padded ones compare correctly both in JavaScript and in DynamoDB conditions.
 */
const DIGITS = 129;

export const paddedSequence = (sequence: string): string => sequence.padStart(DIGITS, "0");
export const plainSequence = (padded: string): string => padded.replace(/^0+(?=\d)/, "");

/** Whether `a` comes after `b`; both unpadded. */
export function isAfter(a: string, b: string): boolean {
  return a.length === b.length ? a > b : a.length > b.length;
}
