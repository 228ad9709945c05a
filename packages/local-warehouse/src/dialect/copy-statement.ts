/** Reads a COPY statement. Options that are not carried out are refused by name. https://docs.aws.amazon.com/redshift/latest/dg/r_COPY.html */
import { closing, commaSeparated, DialectError, nameOf, stringValue, type Token, textOf } from "./lexer";

export interface CopyStatement {
  /** As written, ready for PostgreSQL. */
  readonly table: string;
  /** Columns to fill; undefined for all. */
  readonly columns: readonly string[] | undefined;
  readonly bucket: string;
  /** Key of the manifest, or prefix of the objects. */
  readonly key: string;
  readonly roleArn: string;
  readonly manifest: boolean;
  /** Of the objects; undefined when they are plain text. */
  readonly compression: "GZIP" | "ZSTD" | undefined;
  readonly acceptInvalidCharacters: boolean;
}

export function readCopy(tokens: readonly Token[]): CopyStatement {
  let at = 1;
  while (tokens[at] !== undefined && tokens[at]?.text !== "(" && tokens[at]?.upper !== "FROM") at += 1;
  const table = textOf(tokens.slice(1, at)).trim();
  let columns: string[] | undefined;
  if (tokens[at]?.text === "(") {
    const close = closing(tokens, at);
    columns = commaSeparated(tokens.slice(at + 1, close)).map(([token]) => nameOf(token as Token));
    at = close + 1;
  }
  if (table === "" || tokens[at]?.upper !== "FROM")
    throw new DialectError("COPY expects: COPY table [(columns)] FROM 's3://…' IAM_ROLE '…'.");
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.*)$/s.exec(stringValue(tokens[at + 1], "COPY: FROM")) ?? [];
  if (bucket === undefined || key === undefined || key === "") {
    throw new DialectError(`COPY reads from 's3://bucket/key' alone, got ${tokens[at + 1]?.text ?? "nothing"}.`);
  }
  return { table, columns, bucket, key, ...readOptions(tokens, at + 2) };
}

type Options = Omit<CopyStatement, "table" | "columns" | "bucket" | "key">;

function readOptions(tokens: readonly Token[], start: number): Options {
  let roleArn: string | undefined;
  let isJson = false;
  const flags = { manifest: false, acceptInvalidCharacters: false };
  let compression: CopyStatement["compression"];
  let at = start;
  const skip = (word: string) => {
    if (tokens[at]?.upper === word) at += 1;
  };
  const value = (name: string) => {
    at += 1;
    return stringValue(tokens[at - 1], `COPY: ${name}`);
  };
  while (at < tokens.length) {
    const option = tokens[at]?.upper ?? "";
    at += 1;
    if (option === "IAM_ROLE") {
      roleArn = value(option);
    } else if (option === "MANIFEST") {
      flags.manifest = true;
    } else if (option === "GZIP" || option === "ZSTD") {
      compression = option;
    } else if (option === "ACCEPTINVCHARS") {
      flags.acceptInvalidCharacters = true;
    } else if (option === "FORMAT" || option === "JSON") {
      if (option === "FORMAT") {
        skip("AS");
        if (tokens[at]?.upper !== "JSON") throw unsupported(`FORMAT ${tokens[at]?.text ?? ""}`, "use FORMAT AS JSON 'auto'");
        at += 1;
      }
      isJson = true;
      skip("AS");
      const how = value("JSON");
      if (how !== "auto") throw unsupported(`JSON '${how}'`, "use JSON 'auto'");
    } else if (option === "TIMEFORMAT") {
      skip("AS");
      if (value(option) !== "auto") throw unsupported(`${option} other than 'auto'`, "write ISO 8601");
    } else if (option === "COMPUPDATE" || option === "STATUPDATE") {
      skip("OFF");
    } else {
      throw unsupported(option, "leave it out, or try the statement on AWS");
    }
  }
  if (roleArn === undefined) throw new DialectError("COPY names no credentials. Add IAM_ROLE 'arn:aws:iam::…:role/…'.");
  if (!isJson) throw unsupported("COPY of delimited text", "use FORMAT AS JSON 'auto'");
  return { roleArn, compression, ...flags };
}

function unsupported(what: string, fix: string): DialectError {
  return new DialectError(`${what} is not supported by the local warehouse's COPY: ${fix}.`);
}
