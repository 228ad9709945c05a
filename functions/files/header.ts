/** Names of columns. */
import { FileError } from "./types";

/** Names that would reach an object's prototype; the stream refuses them in records too. */
const RESERVED = new Set(["__proto__", "constructor", "prototype"]);

/**
 * Columns under different names. The files of IBM AML call the sender's and the receiver's account the same; each is named by the bank before
 * it. Any number of columns may be without a name: nothing can be taken from them.
 * @throws FileError that names the columns that occur twice
 */
export function uniqueColumns(columns: readonly string[]): readonly string[] {
  const named = columns.map((name, i) => {
    const side = /^(From|To) Bank$/.exec(columns[i - 1] ?? "")?.[1];
    return side !== undefined && /^Account(\.1)?$/.test(name) ? `${side} Account` : name;
  });
  const twice = [...new Set(named.filter((name, i) => name !== "" && named.indexOf(name) !== i))];
  if (twice.length > 0) {
    const names = twice.map((name) => `"${name}" (columns ${placesOf(name, named).join(", ")})`).join("; ");
    throw new FileError(
      `The header has a name more than once: ${names}. Name the columns yourself: --columns NAME,NAME,… (${named.length} of them).`,
    );
  }
  const reserved = named.find((name) => RESERVED.has(name));
  if (reserved !== undefined) throw new FileError(`The header has a column "${reserved}", a name that is not allowed.`);
  return named;
}

function placesOf(name: string, columns: readonly string[]): number[] {
  return columns.flatMap((column, i) => (column === name ? [i + 1] : []));
}

/** For comparing names: without case, accents and punctuation, so that `Währung`, `WAEHRUNG` and `trans_num` meet their aliases. */
export function plainName(name: string): string {
  return name
    .toLowerCase()
    .normalize("NFKD")
    .replace(/[^\p{Letter}\p{Number}]/gu, "");
}
