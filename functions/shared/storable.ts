/**
 * Text that the warehouse accepts. Redshift rejects a whole load for one U+0000, one unpaired surrogate, or one value that is longer than
 * its column; JSON and DynamoDB allow all of them.
 */

/** Longest VARCHAR, and longest text inside a SUPER value, in bytes of UTF-8. */
export const MAX_TEXT_BYTES = 65_535;

/** One escape sequence of JSON text. */
const ESCAPE = /\\(?:u0000|ud[89a-f][0-9a-f]{2}|.)/gs;

/**
 * JSON text, as `JSON.stringify` writes it, with U+FFFD in place of NUL and unpaired surrogates. Surrogate pairs are not touched: they
 * stand unescaped, only an unpaired one is written as an escape.
 */
export function storableText(json: string): string {
  if (!json.includes("\\u0000") && !json.includes("\\ud")) return json;
  return json.replace(ESCAPE, (sequence) => (sequence.length > 2 ? "\\ufffd" : sequence));
}

/** The text, cut between two characters so that it takes at most `bytes` bytes of UTF-8. */
export function fitBytes(text: string, bytes: number = MAX_TEXT_BYTES): string {
  if (text.length * 3 <= bytes || Buffer.byteLength(text) <= bytes) return text;
  const encoded = Buffer.from(text);
  let end = bytes;
  // 10xxxxxx continues a character that began earlier.
  while (end > 0 && ((encoded[end] as number) & 0xc0) === 0x80) end--;
  return encoded.toString("utf8", 0, end);
}
