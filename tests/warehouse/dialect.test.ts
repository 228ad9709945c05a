import { describe, expect, it } from "vitest";
import { translate } from "../../local/warehouse/dialect/index";
import { DialectError } from "../../local/warehouse/dialect/lexer";

const sql = (text: string) => {
  const translation = translate(text);
  if (translation.kind !== "sql") throw new Error("expected SQL");
  return translation.sql.replace(/\s+/g, " ");
};

describe("translate", () => {
  it.each([
    ["SELECT 'NVL(a, b); -- #x', \"SUPER\" -- SYSDATE\nFROM t", "SELECT 'NVL(a, b); -- #x', \"SUPER\" -- SYSDATE FROM t"],
    ["SELECT 'it''s', 'a\\'b;c'", "SELECT 'it''s', 'a\\'b;c'"],
    ["SELECT NVL(a, NVL2(b, c, d))", "SELECT COALESCE(a, CASE WHEN b IS NOT NULL THEN c ELSE d END)"],
    [
      "SELECT DECODE(a, 1, 'x', NULL, 'y', 'z')",
      "SELECT CASE WHEN a IS NOT DISTINCT FROM 1 THEN 'x' WHEN a IS NOT DISTINCT FROM NULL THEN 'y' ELSE 'z' END",
    ],
    [
      "SELECT DATEDIFF(day, a, GETDATE()), dateadd('month', -1, SYSDATE)",
      "SELECT DATEDIFF('day', a, GETDATE()), dateadd('month', -1, redshift.getdate())",
    ],
    ["SELECT APPROXIMATE COUNT(DISTINCT a) FROM t", "SELECT COUNT(DISTINCT a) FROM t"],
    [
      "SELECT LISTAGG(DISTINCT a, ',') WITHIN GROUP (ORDER BY a) FROM t",
      "SELECT string_agg(DISTINCT (a)::text, ',' ORDER BY a) FROM t",
    ],
    ["SELECT LISTAGG(a) FROM t", "SELECT string_agg((a)::text, '') FROM t"],
    ["SELECT MEDIAN(a) FROM t", "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY a) FROM t"],
    ["SELECT CONVERT(INT, a)", "SELECT CAST(a AS INT)"],
    ["SELECT a::SUPER, CAST(b AS VARCHAR(MAX))", "SELECT a::jsonb, CAST(b AS varchar(65535))"],
    [
      "CREATE TABLE t (a VARCHAR(8) NOT NULL ENCODE ZSTD DISTKEY, b BIGINT IDENTITY(1, 2), c SUPER, d INT PRIMARY KEY, PRIMARY KEY (a)) DISTSTYLE KEY COMPOUND SORTKEY (a, b) BACKUP NO",
      "CREATE TABLE t (a VARCHAR(8) NOT NULL, b BIGINT GENERATED ALWAYS AS IDENTITY (START WITH 1 INCREMENT BY 2), c jsonb, d INT NOT NULL)",
    ],
    ["CREATE TEMP TABLE s (LIKE risk.t)", "CREATE TEMP TABLE s (LIKE risk.t)"],
    ["CREATE TABLE #s DISTKEY (a) SORTKEY AUTO AS SELECT a FROM #other", 'CREATE TEMP TABLE "s" AS SELECT a FROM "other"'],
    ["ALTER TABLE t ADD COLUMN x SUPER ENCODE ZSTD", "ALTER TABLE t ADD COLUMN x jsonb"],
    ["GRANT SELECT (a, b) ON t TO ROLE x", "GRANT SELECT (a, b) ON t TO x"],
    ["GRANT ROLE a TO ROLE b", "GRANT a TO b"],
    ["CREATE USER x PASSWORD DISABLE", "CREATE USER x"],
    ["LOCK TABLE risk.t", "LOCK TABLE risk.t"],
    [
      "MERGE INTO t USING s REMOVE DUPLICATES".replace("s REMOVE", "s ON t.a = s.a REMOVE"),
      "WITH gone AS (DELETE FROM t USING s WHERE t.a = s.a) INSERT INTO t SELECT DISTINCT * FROM s",
    ],
    [
      "SELECT f::VARCHAR FROM risk.t e, e.flags f",
      'SELECT redshift.super_text("f"."f")::VARCHAR FROM risk.t e, LATERAL redshift.super_elements("e"."flags") AS "f" ("f")',
    ],
    ["SELECT reasons[0].code FROM t", "SELECT jsonb_extract_path(\"reasons\", '0', 'code') FROM t"],
    ['SELECT e.input.a."B" FROM t e', "SELECT jsonb_extract_path(\"e\".\"input\", 'a', 'B') FROM t e"],
    ["SELECT EXTRACT(year FROM e.at) FROM t e", "SELECT EXTRACT(year FROM e.at) FROM t e"],
  ])("rewrites %s", (redshift, postgresql) => {
    expect(sql(redshift)).toBe(postgresql);
  });

  it("numbers parameters by name and leaves casts and strings alone", () => {
    expect(translate("SELECT :a::int, ':b', :c, :a")).toEqual({
      kind: "sql",
      sql: "SELECT $1::int, ':b', $2, $1",
      parameters: ["a", "c"],
    });
  });

  it("reads COPY with every option that it carries out", () => {
    const text =
      "COPY risk.t (a, \"B\") FROM 's3://bucket/a''b' IAM_ROLE 'arn:role' MANIFEST FORMAT AS JSON 'auto' GZIP TIMEFORMAT AS 'auto' ACCEPTINVCHARS COMPUPDATE OFF STATUPDATE OFF";
    expect(translate(text)).toEqual({
      kind: "copy",
      copy: {
        table: "risk.t",
        columns: ["a", "B"],
        bucket: "bucket",
        key: "a'b",
        roleArn: "arn:role",
        manifest: true,
        gzip: true,
        acceptInvalidCharacters: true,
        truncateColumns: false,
        ignoreCase: false,
        format: "json",
        headerLines: 0,
      },
    });
  });

  it("reads UNLOAD with every option that it carries out, and its query out of its quotes", () => {
    const text =
      "UNLOAD ('SELECT a FROM t WHERE b = ''it''''s'' AND c IN (SELECT c FROM t LIMIT 5)') TO 's3://bucket/x/y_' IAM_ROLE 'arn:role' FORMAT AS JSON ALLOWOVERWRITE MAXFILESIZE AS 0.5 GB PARALLEL OFF MANIFEST EXTENSION 'json' KMS_KEY_ID 'key' ENCRYPTED";
    expect(translate(text)).toEqual({
      kind: "unload",
      unload: {
        query: "SELECT a FROM t WHERE b = 'it''s' AND c IN (SELECT c FROM t LIMIT 5)",
        bucket: "bucket",
        prefix: "x/y_",
        roleArn: "arn:role",
        allowOverwrite: true,
        parallel: false,
        maxFileBytes: 512 * 1024 * 1024,
        manifest: true,
        extension: "json",
        kmsKeyId: "key",
      },
    });
    expect(translate("UNLOAD ($$SELECT 'a'$$) TO 's3://b/p' IAM_ROLE 'r' JSON")).toMatchObject({
      unload: { query: "SELECT 'a'", parallel: true, allowOverwrite: false, extension: undefined },
    });
  });

  it.each([
    ["UNLOAD ('SELECT 1') TO 's3://x'", /writes to 's3:\/\/bucket\/prefix'/],
    ["UNLOAD 'SELECT 1' TO 's3://b/p'", /UNLOAD expects/],
    ["UNLOAD ('DELETE FROM t') TO 's3://b/p' IAM_ROLE 'r' JSON", /takes a SELECT, got DELETE/],
    ["UNLOAD ('SELECT a FROM t LIMIT 5') TO 's3://b/p' IAM_ROLE 'r' JSON", /Limit clause is not supported/],
    ["UNLOAD ('SELECT :a') TO 's3://b/p' IAM_ROLE 'r' JSON", /:a is no parameter/],
    ["UNLOAD ('SELECT 1') TO 's3://b/p' JSON", /names no credentials/],
    ["UNLOAD ('SELECT 1') TO 's3://b/p' IAM_ROLE 'r'", /delimited text/],
    ["UNLOAD ('SELECT 1') TO 's3://b/p' IAM_ROLE 'r' FORMAT AS PARQUET", /FORMAT PARQUET/],
    ["UNLOAD ('SELECT 1') TO 's3://b/p' IAM_ROLE 'r' JSON GZIP", /GZIP is not supported/],
    ["UNLOAD ('SELECT 1') TO 's3://b/p' IAM_ROLE 'r' JSON CLEANPATH", /CLEANPATH is not supported/],
    ["UNLOAD ('SELECT 1') TO 's3://b/p' IAM_ROLE 'r' JSON PARTITION BY (a)", /PARTITION is not supported/],
    ["UNLOAD ('SELECT 1') TO 's3://b/p' IAM_ROLE 'r' JSON MANIFEST VERBOSE", /VERBOSE/],
    ["UNLOAD ('SELECT 1') TO 's3://b/p' IAM_ROLE 'r' JSON MAXFILESIZE 4 MB", /5 MB to 6.2 GB/],
    ["UNLOAD ('SELECT 1') TO 's3://b/p' IAM_ROLE 'r' JSON KMS_KEY_ID 'k'", /needs ENCRYPTED/],
    ["SELECT TOP 5 a FROM t", /TOP/],
    ["SELECT a FROM t QUALIFY ROW_NUMBER() OVER () = 1", /QUALIFY/],
    ["CREATE EXTERNAL SCHEMA s FROM DATA CATALOG", /CREATE EXTERNAL/],
    ["INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING", /ON CONFLICT is PostgreSQL's/],
    ["SELECT a ->> 'b' FROM t", /->> is PostgreSQL's/],
    ["CREATE INDEX i ON t (a)", /CREATE INDEX/],
    ["CREATE TABLE t (a JSONB)", /JSONB/],
    ["CREATE TABLE t (a INT) PARTITION BY RANGE (a)", /PARTITION/],
    ["TRUNCATE t", /TRUNCATE commits/],
    ["MERGE INTO t USING (SELECT 1) s ON t.a = s.a WHEN MATCHED THEN DELETE", /no subquery/],
    ["MERGE INTO t AS x USING s ON x.a = s.a WHEN MATCHED THEN DELETE", /no alias/],
    ["MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE", /each once/],
    [
      "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED AND s.b THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (1)",
      /no condition/,
    ],
    ["COPY t FROM 's3://b/k' FORMAT AS JSON 'auto'", /no credentials/],
    ["COPY t FROM 's3://b/k' IAM_ROLE 'r'", /delimited text/],
    ["COPY t FROM 's3://b/k' IAM_ROLE 'r' CSV IGNOREHEADER x", /IGNOREHEADER expects/],
    ["COPY t FROM 's3://b/k' IAM_ROLE 'r' FORMAT AS PARQUET", /FORMAT PARQUET/],
    ["COPY t FROM 's3://b/k' IAM_ROLE 'r' JSON 'auto' MAXERROR 5", /MAXERROR/],
    ["SELECT 1; SELECT 2", /One statement was expected/],
    ["SELECT 'open", /never ends/],
    ["", /empty/],
  ])("refuses %s", (text, message) => {
    expect(() => translate(text)).toThrow(DialectError);
    expect(() => translate(text)).toThrow(message);
  });
});
