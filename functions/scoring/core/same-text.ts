/** One form of texts that look the same to people. */

const ASCII = /^[\x20-\x7e]*$/;
/** Zero-width characters, soft hyphens, byte order marks, variation selectors: Unicode's "default ignorable" ones. */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu;

/**
 * The text without invisible characters and composed (NFC): "José" is one name, whether its é is one character or two. Letters of
 * other scripts that look alike stay apart, and so do upper and lower case. Idempotent.
 */
export const visibleText = (text: string): string => (ASCII.test(text) ? text : text.replace(INVISIBLE, "").normalize("NFC"));

/** The same without case and blanks around it: for categories and addresses. Idempotent. */
export function foldedText(text: string): string {
  if (ASCII.test(text)) return text.trim().toLowerCase();
  // Lower-casing can take a composed character apart: İ becomes i and a dot.
  return visibleText(visibleText(text).trim().toLowerCase());
}
