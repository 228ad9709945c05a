import { describe, expect, it } from "vitest";
import { translate } from "../src/dialect/index";
import { DialectError } from "../src/dialect/lexer";

const sql = (text: string) => {
  const translation = translate(text);
  if (translation.kind !== "sql") throw new Error("expected SQL");
  return translation.sql.replace(/\s+/g, " ");
};

describe("translate", () => {
  it.each([
    ["SELECT 'NVL(a, b); -- #x', \"SUPER\" -- SYSDATE\nFROM t", "SELECT 'NVL(a, b); -- #x', \"SUPER\" -- SYSDATE FROM t"],
    ["SELECT 'it''s', 'a\\'b;c'", "SELECT 'it''s', 'a\\'b;c'"],
    ["SELECT NVL(a, NVL(b, c))", "SELECT COALESCE(a, COALESCE(b, c))"],
    [
      "SELECT DATEDIFF(day, a, GETDATE()), dateadd('month', -1, GETDATE())",
      "SELECT DATEDIFF('day', a, GETDATE()), dateadd('month', -1, GETDATE())",
    ],
    [
      "SELECT LISTAGG(DISTINCT a, ',') WITHIN GROUP (ORDER BY a) FROM t",
      "SELECT string_agg(DISTINCT (a)::text, ',' ORDER BY a) FROM t",
    ],
    ["SELECT LISTAGG(a) FROM t", "SELECT string_agg((a)::text, '') FROM t"],
    ["SELECT a::SUPER, CAST(b AS SUPER)", "SELECT a::jsonb, CAST(b AS jsonb)"],
    [
      "CREATE TABLE t (a VARCHAR(8) NOT NULL ENCODE ZSTD DISTKEY, b BIGINT, c SUPER, d INT PRIMARY KEY, PRIMARY KEY (a)) DISTSTYLE KEY COMPOUND SORTKEY (a, b) BACKUP NO",
      "CREATE TABLE t (a VARCHAR(8) NOT NULL, b BIGINT, c jsonb, d INT NOT NULL)",
    ],
    ["CREATE TEMP TABLE s (LIKE risk.t)", "CREATE TEMP TABLE s (LIKE risk.t)"],
    ["CREATE TEMP TABLE s DISTKEY (a) SORTKEY AUTO AS SELECT a FROM other", "CREATE TEMP TABLE s AS SELECT a FROM other"],
    ["ALTER TABLE t ADD COLUMN x SUPER ENCODE ZSTD", "ALTER TABLE t ADD COLUMN x jsonb"],
    ["GRANT SELECT (a, b) ON t TO ROLE x", "GRANT SELECT (a, b) ON t TO x"],
    ["GRANT ROLE a TO ROLE b", "GRANT a TO b"],
    ["LOCK TABLE risk.t", "LOCK TABLE risk.t"],
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
        compression: "GZIP",
        acceptInvalidCharacters: true,
      },
    });
  });

  it("reads COPY of objects compressed with Zstandard, and of plain ones", () => {
    const compression = (option: string) => {
      const read = translate(`COPY risk.t FROM 's3://b/k' IAM_ROLE 'r' FORMAT AS JSON 'auto' ${option}`);
      return read.kind === "copy" ? read.copy.compression : read.kind;
    };
    expect([compression("ZSTD"), compression("GZIP"), compression("")]).toEqual(["ZSTD", "GZIP", undefined]);
  });

  it("reads UNLOAD with every option that it carries out, and its query out of its quotes", () => {
    const text =
      "UNLOAD ('SELECT a FROM t WHERE b = ''it''''s'' AND c IN (SELECT c FROM t LIMIT 5)') TO 's3://bucket/x/y_' IAM_ROLE 'arn:role' FORMAT AS JSON KMS_KEY_ID 'key' ENCRYPTED";
    expect(translate(text)).toEqual({
      kind: "unload",
      unload: {
        query: "SELECT a FROM t WHERE b = 'it''s' AND c IN (SELECT c FROM t LIMIT 5)",
        bucket: "bucket",
        prefix: "x/y_",
        roleArn: "arn:role",
        kmsKeyId: "key",
      },
    });
    expect(translate("UNLOAD ($$SELECT 'a'$$) TO 's3://b/p' IAM_ROLE 'r' FORMAT JSON")).toMatchObject({
      unload: { query: "SELECT 'a'", kmsKeyId: undefined },
    });
  });

  it.each([
    ["UNLOAD ('SELECT 1') TO 's3://x'", /writes to 's3:\/\/bucket\/prefix'/],
    ["UNLOAD 'SELECT 1' TO 's3://b/p'", /UNLOAD expects/],
    ["UNLOAD ('DELETE FROM t') TO 's3://b/p' IAM_ROLE 'r' FORMAT AS JSON", /takes a SELECT, got DELETE/],
    ["UNLOAD ('SELECT a FROM t LIMIT 5') TO 's3://b/p' IAM_ROLE 'r' FORMAT AS JSON", /Limit clause is not supported/],
    ["UNLOAD ('SELECT :a') TO 's3://b/p' IAM_ROLE 'r' FORMAT AS JSON", /:a is no parameter/],
    ["UNLOAD ('SELECT 1') TO 's3://b/p' FORMAT AS JSON", /names no credentials/],
    ["UNLOAD ('SELECT 1') TO 's3://b/p' IAM_ROLE 'r'", /delimited text/],
    ["UNLOAD ('SELECT 1') TO 's3://b/p' IAM_ROLE 'r' FORMAT AS PARQUET", /FORMAT PARQUET/],
    ["UNLOAD ('SELECT 1') TO 's3://b/p' IAM_ROLE 'r' FORMAT AS JSON GZIP", /GZIP is not supported/],
    ["UNLOAD ('SELECT 1') TO 's3://b/p' IAM_ROLE 'r' FORMAT AS JSON CLEANPATH", /CLEANPATH is not supported/],
    ["UNLOAD ('SELECT 1') TO 's3://b/p' IAM_ROLE 'r' FORMAT AS JSON PARTITION BY (a)", /PARTITION is not supported/],
    ["UNLOAD ('SELECT 1') TO 's3://b/p' IAM_ROLE 'r' FORMAT AS JSON KMS_KEY_ID 'k'", /needs ENCRYPTED/],
    ["SELECT TOP 5 a FROM t", /TOP/],
    ["SELECT DECODE(a, 1, 'x')", /DECODE \( is not supported .*: use CASE/],
    ["SELECT SYSDATE", /use GETDATE/],
    ["CREATE TABLE t (a BIGINT IDENTITY(1, 1))", /IDENTITY is not supported/],
    ["MERGE INTO t USING s ON t.a = s.a REMOVE DUPLICATES", /REMOVE DUPLICATES is not supported/],
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
    ["COPY t FROM 's3://b/k' IAM_ROLE 'r' CSV", /CSV is not supported/],
    ["COPY t FROM 's3://b/k' IAM_ROLE 'r' JSON 'auto' COMPUPDATE ON", /ON is not supported/],
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
