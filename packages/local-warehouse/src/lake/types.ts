/** Hive's types as PostgreSQL's: a struct is a composite type, an array an array. https://docs.aws.amazon.com/athena/latest/ug/data-types.html */
import { DialectError, quoted } from "../dialect/lexer";

const SIMPLE: Readonly<Record<string, string>> = {
  string: "text",
  boolean: "boolean",
  int: "integer",
  bigint: "bigint",
  double: "double precision",
  date: "date",
};

export interface PostgresType {
  readonly name: string;
  /** Makes the composite types that it is made of, inner ones first. */
  readonly definitions: readonly string[];
}

/**
 * @param type `array<struct<code:string,contribution:double>>`
 * @param owner names the composite types, and the column in errors: `archive_fraud.reasons`
 */
export function postgresType(type: string, owner: string): PostgresType {
  const text = type.trim().toLowerCase();
  const [, kind, inner] = /^(array|struct)<(.*)>$/s.exec(text) ?? [];
  if (kind === "array") {
    const element = postgresType(inner ?? "", `${owner}[]`);
    return { ...element, name: `${element.name}[]` };
  }
  if (kind === "struct") {
    const members = split(inner ?? "").map((member) => {
      const colon = member.indexOf(":");
      const name = member.slice(0, colon).trim();
      return { name, type: postgresType(member.slice(colon + 1), `${owner}.${name}`) };
    });
    const name = `pg_temp.${quoted(owner)}`;
    const body = members.map((member) => `${quoted(member.name)} ${member.type.name}`).join(", ");
    return { name, definitions: [...members.flatMap((member) => member.type.definitions), `CREATE TYPE ${name} AS (${body})`] };
  }
  const simple = Object.hasOwn(SIMPLE, text) ? SIMPLE[text] : undefined;
  if (simple === undefined)
    throw new DialectError(
      `The column ${owner} is of type ${type}, which the local Athena doesn't read. It reads ${Object.keys(SIMPLE).join(", ")}, array<…> and struct<…>.`,
    );
  return { name: simple, definitions: [] };
}

export const isStruct = (type: string): boolean => /^\s*struct</i.test(type);

/** Splits at commas outside angle brackets. */
function split(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let part = "";
  for (const character of text) {
    if (character === "<") depth += 1;
    if (character === ">") depth -= 1;
    if (character === "," && depth === 0) {
      parts.push(part);
      part = "";
    } else part += character;
  }
  return [...parts, part];
}
