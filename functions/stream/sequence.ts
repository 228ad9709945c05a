/**
 * Kinesis sequence numbers are decimal strings of up to 129 digits: too long for a number, and out of lexicographic order unless padded.
 * Padded ones compare correctly both in JavaScript and in DynamoDB conditions. Records that came in one Kinesis record have a sub-sequence
 * number behind a point, of fixed length, so that they compare as well.
 */
const DIGITS = 129;
const SUB_DIGITS = 5;

/** Of the record with this place in an aggregate. */
export const subSequence = (sequence: string, index: number): string => `${sequence}.${String(index).padStart(SUB_DIGITS, "0")}`;

/** The sequence number of the Kinesis record. */
export const wholeSequence = (sequence: string): string => sequence.slice(0, wholeLength(sequence));

export const paddedSequence = (sequence: string): string =>
  sequence.padStart(DIGITS + sequence.length - wholeLength(sequence), "0");
export const plainSequence = (padded: string): string => padded.replace(/^0+(?=\d)/, "");

/** Whether `a` comes after `b`; both unpadded. */
export function isAfter(a: string, b: string): boolean {
  const [lengthA, lengthB] = [wholeLength(a), wholeLength(b)];
  return lengthA === lengthB ? a > b : lengthA > lengthB;
}

function wholeLength(sequence: string): number {
  const point = sequence.indexOf(".");
  return point < 0 ? sequence.length : point;
}
