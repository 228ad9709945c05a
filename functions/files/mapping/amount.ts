/** Amounts as people and exports write them. */

/** Signs and codes of currencies, blanks and apostrophes between groups of digits. */
const AROUND = /^[\p{Sc}\s]+|^[A-Z]{3}\s*(?=[-+(\d])|(?<=[\d)-])\s*[A-Z]{3}$|[\p{Sc}\s]+$/gu;
const GROUPING = /[\s'’]/g;
const POINT = /^\d{1,3}(?:,\d{3})+(?:\.\d+)?$|^\d*\.?\d+$|^\d+\.$/;
const COMMA = /^\d{1,3}(?:\.\d{3})+(?:,\d+)?$|^\d*,?\d+$|^\d+,$/;

/**
 * `$-25.00`, `-$25`, `(25.00)` and `25-` are negative; `1.234,56` needs `decimalComma`. Null for text that isn't one amount: no part of
 * it is guessed.
 */
export function parseAmount(text: string, decimalComma: boolean): number | null {
  let rest = text.trim();
  let sign = 1;
  if (rest.startsWith("(") && rest.endsWith(")")) {
    sign = -1;
    rest = rest.slice(1, -1);
  }
  const signed = /^(.*?)([-−+])(.*)$/su.exec(rest.replace(/^([+−-])/, "$1"));
  if (signed !== null) {
    const [, before = "", mark, after = ""] = signed;
    // One sign, before or after all digits.
    if (sign === -1 || (/\d/.test(before) && /\d/.test(after))) return scientific(text, decimalComma);
    sign = mark === "+" ? 1 : -1;
    rest = before + after;
  }
  const digits = rest.replace(AROUND, "").replace(AROUND, "").replace(GROUPING, "");
  if (!(decimalComma ? COMMA : POINT).test(digits)) return scientific(text, decimalComma);
  const plain = decimalComma ? digits.replaceAll(".", "").replace(",", ".") : digits.replaceAll(",", "");
  const amount = sign * Number(plain);
  return Object.is(amount, -0) ? 0 : amount;
}

/** `1.5E+3`, which spreadsheets write. */
function scientific(text: string, decimalComma: boolean): number | null {
  const plain = (decimalComma ? text.replace(",", ".") : text).trim();
  return /^[+-]?(\d+\.?\d*|\.\d+)[eE][+-]?\d+$/.test(plain) ? Number(plain) : null;
}

const DIGIT_GROUPS = /^\D*?(\d[\d.,]*)\D*$/;

/**
 * Whether a column has decimal commas: its cells settle it that have both marks, two of the same, or other than three digits behind the
 * only one. A column without any such cell has decimal points.
 */
export function hasDecimalComma(cells: readonly string[]): boolean {
  let commas = 0;
  let points = 0;
  for (const cell of cells) {
    const mark = decimalMark(cell);
    if (mark === ",") commas++;
    else if (mark === ".") points++;
  }
  return commas > points;
}

function decimalMark(cell: string): "," | "." | null {
  const digits = DIGIT_GROUPS.exec(cell.trim())?.[1];
  if (digits === undefined) return null;
  const comma = digits.lastIndexOf(",");
  const point = digits.lastIndexOf(".");
  if (comma === -1 && point === -1) return null;
  if (comma !== -1 && point !== -1) return comma > point ? "," : ".";
  const [mark, other, at] = comma !== -1 ? ([",", ".", comma] as const) : ([".", ",", point] as const);
  if (digits.indexOf(mark) !== at) return other;
  return digits.length - at - 1 === 3 && at <= 3 ? null : mark;
}
