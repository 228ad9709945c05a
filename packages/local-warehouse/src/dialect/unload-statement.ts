/** Reads an UNLOAD statement. Options that are not carried out are refused by name. https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html */
import { closing, DialectError, lex, stringValue, type Token } from "./lexer";

export interface UnloadStatement {
  /** Redshift SQL of the rows, out of its quotes. */
  readonly query: string;
  readonly bucket: string;
  /** What every key begins with. */
  readonly prefix: string;
  readonly roleArn: string;
  readonly kmsKeyId: string | undefined;
}

export function readUnload(tokens: readonly Token[]): UnloadStatement {
  const expected = "UNLOAD expects: UNLOAD ('select …') TO 's3://bucket/prefix' IAM_ROLE '…' FORMAT AS JSON.";
  if (tokens[1]?.text !== "(" || closing(tokens, 1) !== 3 || tokens[4]?.upper !== "TO") throw new DialectError(expected);
  const query = stringValue(tokens[2], "UNLOAD: the query");
  const [, bucket, prefix] = /^s3:\/\/([^/]+)\/(.+)$/s.exec(stringValue(tokens[5], "UNLOAD: TO")) ?? [];
  if (bucket === undefined || prefix === undefined)
    throw new DialectError(`UNLOAD writes to 's3://bucket/prefix' alone, got ${tokens[5]?.text ?? "nothing"}.`);
  refuseQuery(lex(query));
  return { query, bucket, prefix, ...readOptions(tokens, 6) };
}

function refuseQuery(tokens: readonly Token[]): void {
  const first = tokens[0]?.upper ?? "";
  if (first !== "SELECT" && first !== "WITH")
    throw new DialectError(`UNLOAD takes a SELECT, got ${tokens[0]?.text ?? "nothing"}.`);
  let depth = 0;
  for (const token of tokens) {
    if (token.text === "(") depth += 1;
    if (token.text === ")") depth -= 1;
    if (depth === 0 && token.kind === "word" && token.upper === "LIMIT") {
      throw new DialectError(
        "UNLOAD: Limit clause is not supported in the outermost select. Nest it: SELECT … WHERE id IN (SELECT … LIMIT …).",
      );
    }
    if (token.kind === "parameter") {
      throw new DialectError(
        `UNLOAD: the query is a string, so ${token.text} is no parameter of the statement. Write its value.`,
      );
    }
  }
}

type Options = Omit<UnloadStatement, "query" | "bucket" | "prefix">;

function readOptions(tokens: readonly Token[], start: number): Options {
  let at = start;
  let roleArn: string | undefined;
  let isJson = false;
  let isEncrypted = false;
  let kmsKeyId: string | undefined;
  const value = (name: string): string => {
    at += 1;
    return stringValue(tokens[at - 1], `UNLOAD: ${name}`);
  };
  while (at < tokens.length) {
    const option = tokens[at]?.upper ?? "";
    at += 1;
    if (option === "IAM_ROLE") {
      roleArn = value(option);
    } else if (option === "FORMAT") {
      if (tokens[at]?.upper === "AS") at += 1;
      if (tokens[at]?.upper !== "JSON") throw unsupported(`FORMAT ${tokens[at]?.text ?? ""}`, "use FORMAT AS JSON");
      isJson = true;
      at += 1;
    } else if (option === "KMS_KEY_ID") {
      kmsKeyId = value(option);
    } else if (option === "ENCRYPTED") {
      isEncrypted = true;
    } else {
      throw unsupported(option, "leave it out, or try the statement on AWS");
    }
  }
  if (roleArn === undefined) throw new DialectError("UNLOAD names no credentials. Add IAM_ROLE 'arn:aws:iam::…:role/…'.");
  if (!isJson) throw unsupported("UNLOAD to delimited text", "use FORMAT AS JSON");
  if (kmsKeyId !== undefined && !isEncrypted) throw new DialectError("UNLOAD: KMS_KEY_ID needs ENCRYPTED as well. Add it.");
  return { roleArn, kmsKeyId };
}

function unsupported(what: string, fix: string): DialectError {
  return new DialectError(`${what} is not supported by the local warehouse's UNLOAD: ${fix}.`);
}
