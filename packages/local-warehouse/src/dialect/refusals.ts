/**
 * SQL that must not run: Redshift's own statements that aren't translated here, and PostgreSQL's that Redshift doesn't know. The
 * latter matter as much: SQL that works on a laptop and fails in the cloud is worse than SQL that fails at once.
 */
import { DialectError, isSequence, type Token } from "./lexer";

type Rule = readonly [words: readonly string[], fix: string];

const ONLY_REDSHIFT: readonly Rule[] = [
  [["QUALIFY"], "put the window function into a subquery and filter it with WHERE"],
  [["PIVOT"], "use SUM(CASE WHEN … THEN … END)"],
  [["UNPIVOT"], "name the attributes, or try the statement on AWS"],
  [["CONNECT", "BY"], "use WITH RECURSIVE"],
  [["RATIO_TO_REPORT"], "divide by SUM(…) OVER (…)"],
  [["WITH", "NO", "SCHEMA", "BINDING"], "create a regular view"],
  [["CREATE", "EXTERNAL"], "external schemas and tables need AWS"],
  [["CREATE", "LIBRARY"], "libraries need AWS"],
  [["CREATE", "MODEL"], "Redshift ML needs AWS"],
  [["CREATE", "DATASHARE"], "data sharing needs AWS"],
  [["CREATE", "MASKING", "POLICY"], "use column privileges and views"],
  [["CREATE", "RLS", "POLICY"], "use views"],
  [["CREATE", "MATERIALIZED"], "create a regular view"],
  [["CREATE", "PROCEDURE"], "stored procedures differ; run the statements one by one"],
  [["ANALYZE", "COMPRESSION"], "it measures Redshift's own storage"],
  [["ALTER", "DISTKEY"], "distribution exists only on AWS"],
  [["ALTER", "DISTSTYLE"], "distribution exists only on AWS"],
  [["ALTER", "SORTKEY"], "sort keys exist only on AWS"],
  [["ALTER", "COMPOUND"], "sort keys exist only on AWS"],
  [["EXCLUDE"], "name the columns"],
  [["REMOVE", "DUPLICATES"], "use WHEN MATCHED and WHEN NOT MATCHED"],
  [["IDENTITY"], "number the rows before they are loaded"],
  [["ASSUMEROLE"], "COPY checks the role's own policies"],
  [["PASSWORD", "DISABLE"], "users are made for IAM roles at their first session"],
  [["SYSDATE"], "use GETDATE()"],
  [["APPROXIMATE"], "use COUNT(DISTINCT …)"],
  [["DECODE", "("], "use CASE"],
  [["ISNULL", "("], "use NVL"],
  [["NVL2", "("], "use CASE"],
  [["CONVERT", "("], "use CAST"],
  [["MEDIAN", "("], "use PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY …)"],
];

const ONLY_POSTGRESQL: readonly Rule[] = [
  [["ON", "CONFLICT"], "use MERGE"],
  [["RETURNING"], "query the rows afterwards"],
  [["CREATE", "INDEX"], "choose DISTKEY and SORTKEY"],
  [["CREATE", "UNIQUE", "INDEX"], "Redshift enforces no uniqueness; MERGE by the key"],
  [["CREATE", "EXTENSION"], "Redshift has none"],
  [["CREATE", "TRIGGER"], "Redshift has none"],
  [["CREATE", "DOMAIN"], "use the type itself"],
  [["CREATE", "TYPE"], "use VARCHAR or SUPER"],
  [["FILTER", "("], "use SUM(CASE WHEN … THEN 1 ELSE 0 END)"],
  [["DISTINCT", "ON"], "use ROW_NUMBER() in a subquery"],
  [["LATERAL"], "use a join, or FROM t, t.array AS element for SUPER"],
  [["JSONB"], "use SUPER"],
  [["SERIAL"], "number the rows before they are loaded"],
  [["BIGSERIAL"], "number the rows before they are loaded"],
  [["BYTEA"], "use VARBYTE"],
  [["ARRAY", "["], "use SUPER"],
  [["->"], "navigate SUPER with dots and brackets"],
  [["->>"], "navigate SUPER with dots and brackets"],
  [["#>"], "navigate SUPER with dots and brackets"],
  [["#>>"], "navigate SUPER with dots and brackets"],
  [["@>"], "unnest the array: FROM t, t.array AS element"],
  [["JSONB_ARRAY_ELEMENTS"], "unnest the array: FROM t, t.array AS element"],
  [["STRING_AGG"], "use LISTAGG(…) WITHIN GROUP (ORDER BY …)"],
  [["FOR", "UPDATE"], "use LOCK"],
];

/** First words of statements that are refused whole. */
const REFUSED_STATEMENTS: Readonly<Record<string, string>> = {
  VACUUM: "VACUUM sorts Redshift's own blocks and cannot run in a transaction. Redshift does it by itself",
  TRUNCATE: "TRUNCATE commits the open transaction on Redshift. Use DELETE",
  DO: "DO is PostgreSQL's and Redshift does not know it. Run the statements one by one",
  LISTEN: "LISTEN is PostgreSQL's and Redshift does not know it",
  NOTIFY: "NOTIFY is PostgreSQL's and Redshift does not know it",
};

/** @throws DialectError that names the first thing that cannot run as it would on Redshift */
export function refuseUnsupported(tokens: readonly Token[]): void {
  const refused = REFUSED_STATEMENTS[tokens[0]?.upper ?? ""];
  if (refused !== undefined) throw new DialectError(`${refused}.`);
  for (let at = 0; at < tokens.length; at++) {
    // A qualified name isn't a keyword: `r.exclude`.
    if (tokens[at - 1]?.text === "." || tokens[at]?.kind === "quoted") continue;
    const redshift = ONLY_REDSHIFT.find(([words]) => isSequence(tokens, at, words));
    if (redshift !== undefined)
      throw new DialectError(`${redshift[0].join(" ")} is not supported by the local warehouse: ${redshift[1]}.`);
    const postgresql = ONLY_POSTGRESQL.find(([words]) => isSequence(tokens, at, words));
    if (postgresql !== undefined) {
      throw new DialectError(`${postgresql[0].join(" ")} is PostgreSQL's and fails on Redshift: ${postgresql[1]}.`);
    }
    if (tokens[at]?.upper === "SELECT" && tokens[at + 1]?.upper === "TOP" && tokens[at + 2]?.kind === "number") {
      throw new DialectError("TOP is not supported by the local warehouse: use LIMIT, which Redshift knows too.");
    }
  }
}
