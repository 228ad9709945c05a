/** Members of a JSON object as they were written: what parsing would lose (a name given twice, the digits of a number) is still there. */
import { isEscaped } from "./json-input";

const QUOTE = 0x22;
const OPENING = new Set([..."{["].map((character) => character.charCodeAt(0)));
const CLOSING = new Set([..."}]"].map((character) => character.charCodeAt(0)));
const ENDS_SCALAR = /[\s,\]}]/g;
const BLANK = 0x20;
const COMMA = 0x2c;
const CLOSING_BRACE = 0x7d;

/** Text of each member's value by name; null when the text is no JSON object, or names a member twice. */
export function memberTexts(text: string): ReadonlyMap<string, string> | null {
  if (!isJsonObject(text)) return null;
  const members = new Map<string, string>();
  for (let position = skipBlanks(text, text.indexOf("{") + 1); text.charCodeAt(position) !== CLOSING_BRACE; ) {
    const nameEnd = endOfString(text, position);
    const name: unknown = JSON.parse(text.slice(position, nameEnd));
    const start = skipBlanks(text, text.indexOf(":", nameEnd) + 1);
    const end = endOfValue(text, start);
    if (members.has(String(name))) return null;
    members.set(String(name), text.slice(start, end));
    position = skipBlanks(text, end);
    if (text.charCodeAt(position) === COMMA) position = skipBlanks(text, position + 1);
  }
  return members;
}

/** From here on the text is known to be JSON, so that finding where values end is enough. */
function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

/** Outside of strings, everything up to U+0020 is white space. */
function skipBlanks(text: string, from: number): number {
  let position = from;
  while (text.charCodeAt(position) <= BLANK) position++;
  return position;
}

/** @param open position of the opening quote @returns the position after the closing one */
function endOfString(text: string, open: number): number {
  let close = text.indexOf('"', open + 1);
  while (isEscaped(text, close)) close = text.indexOf('"', close + 1);
  return close + 1;
}

function endOfValue(text: string, start: number): number {
  const first = text.charCodeAt(start);
  if (first === QUOTE) return endOfString(text, start);
  if (!OPENING.has(first)) {
    ENDS_SCALAR.lastIndex = start;
    return ENDS_SCALAR.exec(text)?.index ?? text.length;
  }
  let depth = 0;
  for (let position = start; ; position++) {
    const code = text.charCodeAt(position);
    if (code === QUOTE) position = endOfString(text, position) - 1;
    else if (OPENING.has(code)) depth++;
    else if (CLOSING.has(code) && --depth === 0) return position + 1;
  }
}
