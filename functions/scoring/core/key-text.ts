/**
 * Text that can be an id or a key. It has to come back unchanged from every store that holds it, or two events become one row:
 * - JSON and DynamoDB carry UTF-8, which has no unpaired surrogates; `Buffer` and the token's HMAC put U+FFFD in their place.
 * - PostgreSQL and Redshift have no U+0000.
 * - Redshift's COPY … ACCEPTINVCHARS replaces noncharacters ("Multibyte character load errors"), and Redshift compares VARCHARs without
 *   their trailing blanks ("Examples with character types").
 */

/** Characters of an id that is stored as it came: in UTF-8 they always fit into the 512 bytes of the warehouse's columns. */
export const MAX_KEY_LENGTH = 128;

/**
 * The part of the definition that a schema can express: a validator that reads UTF-16 units (API Gateway's may) would take a pair of
 * surrogates for two unpaired ones. Empty text is left to `minLength`, because a field that isn't required may be empty.
 */
export const KEY_PATTERN = "^(?:[^\\u0000\\ufdd0-\\ufdef\\ufffe\\uffff]*[^\\u0000\\u0020\\ufdd0-\\ufdef\\ufffe\\uffff])?$";

/** What {@link KEY_PATTERN} asks for, in words. */
export const KEY_RULE =
  "Expected an id without U+0000, unpaired surrogates, noncharacters and blanks at its end: no store would give it back unchanged.";

/** Nearly every key. */
const PLAIN = /^[\x20-\x7e]*[\x21-\x7e]$/;
const NONCHARACTER = /\p{Noncharacter_Code_Point}/u;

/** Why the text can't be an id or a key; null when it can. The text isn't quoted: it may be personal. */
export function keyProblem(text: string): string | null {
  if (text === "" || PLAIN.test(text)) return null;
  const survives = !text.endsWith(" ") && !text.includes("\0") && text.isWellFormed() && !NONCHARACTER.test(text);
  return survives ? null : KEY_RULE;
}
