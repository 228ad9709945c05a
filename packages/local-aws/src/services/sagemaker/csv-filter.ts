/** Batch transform's data processing of CSV: the JSONPath forms that choose columns, on lines whose quoting is kept. */

/** The text of each field as it stands in the line, quotes included. */
export function fieldsOf(line: string): string[] {
  const fields: string[] = [];
  let start = 0;
  let quoted = false;
  for (let index = 0; index < line.length; index++) {
    const character = line[index];
    if (character === '"') quoted = !quoted;
    else if (character === "," && !quoted) {
      fields.push(line.slice(start, index));
      start = index + 1;
    }
  }
  if (quoted)
    throw new Error(
      "a quoted field does not end on its line; batch transform reads a record a line, so that a field cannot hold a line break",
    );
  fields.push(line.slice(start));
  return fields;
}

export type ColumnFilter = (fields: readonly string[]) => string[];

const INDEX = "-?\\d+";
const LIST = new RegExp(`^\\$\\[(${INDEX}(?:,${INDEX})*)\\]$`);
const SLICE = new RegExp(`^\\$\\[(${INDEX})?:(${INDEX})?\\]$`);

/**
 * `$[1:]`, `$[:-1]`, `$[2:5]`, `$[0,-1]`: indexes from 0, negative ones from the end.
 * @throws Error naming a form that is not one of these
 */
export function columnFilter(path: string): ColumnFilter {
  const text = path.replaceAll(" ", "");
  const list = LIST.exec(text)?.[1];
  if (list !== undefined) {
    const indexes = list.split(",").map(Number);
    return (fields) => indexes.map((index) => fieldAt(fields, index, path));
  }
  const slice = SLICE.exec(text);
  if (slice === null)
    throw new Error(`'${path}' does not choose columns of CSV on one machine; use $[1:], $[:-1], $[2:5] or $[0,-1]`);
  const [from, to] = [slice[1], slice[2]].map((part) => (part === undefined ? undefined : Number(part)));
  return (fields) => fields.slice(from, to);
}

function fieldAt(fields: readonly string[], index: number, path: string): string {
  const field = fields.at(index);
  if (field === undefined) throw new Error(`${path} asks for column ${index}, but the record has ${fields.length} columns`);
  return field;
}
