import { readdirSync, readFileSync } from "node:fs";
import { isRecord } from "@risk/program-graph";
import { beforeAll, describe, expect, it } from "vitest";
import type * as Catalog from "../../components/data-catalog";
import { commentOf, inputColumns, lineColumns, MAX_COMMENT } from "../../components/data-catalog/columns";
import { savedQueries } from "../../components/data-catalog/queries";
import type * as Stream from "../../components/stream-processor";
import { ARCHIVE_COLUMNS } from "../../functions/scoring/core/archive-record";
import { BATCH_SCORE_COLUMNS } from "../../functions/scoring/core/batch-record";
import { PROFILES } from "../../functions/scoring/profiles";
import { datasets } from "../../stacks/datasets";
import { type Evaluation, evaluate, evaluateStack, load, type Recorded } from "../helpers/recorder";

let graph: Evaluation;
let without: Evaluation;
beforeAll(async () => {
  without = await evaluateStack("dev", { "risk:catalog.enabled": "false", "aws:region": "us-east-1" });
  graph = await evaluateStack("prod", { "aws:region": "us-east-1" });
}, 120_000);

interface Column {
  readonly name: string;
  readonly type: string;
  readonly comment: string;
  readonly parameters?: Readonly<Record<string, string>>;
}
const table = (name: string): Recorded => graph.find("aws:glue/catalogTable:CatalogTable", `catalog-${name}`);
const columnsOf = ({ inputs }: Recorded): Column[] => Object(inputs.storageDescriptor).columns;
const column = (name: string, of: string): Column | undefined => columnsOf(table(of)).find((one) => one.name === name);
const workgroup = () => graph.find("aws:athena/workgroup:Workgroup", "catalog-workgroup").inputs;

describe("a table of the archive", () => {
  it("projects the days that the bucket keeps, in the keys that the functions write", () => {
    expect(table("archive-fraud").inputs).toMatchObject({
      name: "archive_fraud",
      databaseName: expect.any(String),
      parameters: {
        "projection.enabled": "true",
        "projection.dt.type": "date",
        "projection.dt.format": "yyyy-MM-dd",
        "projection.dt.range": "NOW-730DAYS,NOW",
        "storage.location.template": expect.stringMatching(
          /^s3:\/\/company-fraud-data-prod-us-east-1-a1\/archive\/fraud\/dt=\$\{dt\}\/$/,
        ),
      },
      partitionKeys: [{ name: "dt", type: "string", comment: "Day of arrival, UTC." }],
      storageDescriptor: { serDeInfo: { serializationLibrary: "org.openx.data.jsonserde.JsonSerDe" } },
    });
  });

  it("has every field of a line, with its description as comment", () => {
    expect(columnsOf(table("archive-lead")).map(({ name }) => name)).toEqual(Object.keys(ARCHIVE_COLUMNS));
    expect(column("band", "archive-lead")).toEqual({ name: "band", type: "string", comment: ARCHIVE_COLUMNS.band.description });
    expect(column("reasons", "archive-lead")?.type).toBe("array<struct<code:string,text:string,contribution:double>>");
  });

  it.each(Object.values(PROFILES))("has the features of %o as members with descriptions", ({ id, features }) => {
    const found = column("features", `archive-${id}`);
    const names = features.definitions.map(({ name }) => name);
    expect(found?.type).toBe(`struct<${names.map((name) => `${name}:double`).join(",")}>`);
    expect(Object.keys(found?.parameters ?? {}).sort()).toEqual([...names].sort());
    // Hive knows names in lower case only.
    for (const name of names) expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
  });

  it("says which columns and which members of the input come from personal data or places", () => {
    expect(column("user_id", "archive-fraud")?.parameters).toEqual({ "x-classification": "personal" });
    expect(column("latitude", "archive-fraud")?.parameters).toEqual({ "x-classification": "location" });
    expect(column("input", "archive-fraud")).toMatchObject({
      type: "string",
      parameters: { email: "personal", latitude: "location" },
    });
  });
});

describe("a table of files with a level above the day", () => {
  it("has that level as a column, and not twice", () => {
    expect(table("quarantine").inputs).toMatchObject({
      parameters: {
        "projection.profile.type": "enum",
        "projection.profile.values": "lead,churn,fraud,device,rest",
        "projection.dt.range": "NOW-30DAYS,NOW",
        "storage.location.template": expect.stringContaining(`/quarantine/\${profile}/dt=\${dt}/`),
      },
    });
    expect(column("profile", "quarantine")).toBeUndefined();
    expect(column("dataset", "batch-scores")).toBeUndefined();
  });
});

describe("a table of batch inputs", () => {
  it("has the key, and the features of the dataset in the order of the file", () => {
    const { churn } = datasets({ fraudMaturityDays: 30, device: null });
    const columns = inputColumns(churn.features, PROFILES.churn);
    expect(columns.map(({ name }) => name)).toEqual(["key", ...churn.features.map(({ name }) => name)]);
    expect(new Set(columns.map(({ type }) => type))).toEqual(new Set(["string"]));
    expect(table("batch-inputs-fraud").inputs).toMatchObject({
      storageDescriptor: { serDeInfo: { serializationLibrary: "org.apache.hadoop.hive.serde2.OpenCSVSerde" } },
    });
  });
});

describe("comments", () => {
  it("are as long as Glue takes them, and end at a word", () => {
    for (const one of graph.ofType("aws:glue/catalogTable:CatalogTable"))
      for (const { name, comment } of columnsOf(one)) {
        expect(comment.length, `${one.name} ${name}`).toBeGreaterThan(0);
        expect(comment.length, `${one.name} ${name}`).toBeLessThanOrEqual(MAX_COMMENT);
      }
    const long = commentOf("word ".repeat(100));
    expect(long).toMatch(/word…$/);
  });

  it("aren't there for a column of a type that Hive doesn't have", () => {
    expect(() => lineColumns({ odd: { type: "GEOMETRY", required: true, description: "" } })).toThrow(
      "of type GEOMETRY, which has no Hive type",
    );
  });
});

describe("the columns of batch scores", () => {
  it("are those that the job hands over and the warehouse takes", () => {
    const [, body = ""] =
      /CREATE TABLE risk\.batch_scores_staging \(([^;]*?)\n\)/.exec(
        readFileSync("sql/migrations/0006_batch_scores.sql", "utf8"),
      ) ?? [];
    const staged = body
      .trim()
      .split("\n")
      .map((line) => line.trim().split(/\s+/).slice(0, 2).join(" ").replace(/,$/, ""));
    const declared = Object.entries(BATCH_SCORE_COLUMNS).map(([name, { type }]) => `${name} ${type.split(" ")[0]}`);
    expect(declared.map((text) => text.replace("VARCHAR(10)", "DATE"))).toEqual(staged);
    const job = readFileSync("jobs/glue/load_scores.py", "utf8");
    const [, written = ""] = /def rows_of\(([\s\S]*?)\n\n\n/.exec(job) ?? [];
    expect([...written.matchAll(/\.alias\("(\w+)"\)/g)].map(([, name]) => name)).toEqual(Object.keys(BATCH_SCORE_COLUMNS));
  });
});

describe("the workgroup", () => {
  it("keeps limit, enforcement and encryption, whatever a transform says", async () => {
    const { DataCatalog } = load("components/data-catalog") as typeof Catalog;
    const { StreamProcessor } = load("components/stream-processor") as typeof Stream;
    const program = () => {
      const stream = new StreamProcessor("fraud", { profile: PROFILES.fraud });
      const workgroup = () => ({ state: "DISABLED", configuration: { enforceWorkgroupConfiguration: false } });
      new DataCatalog("catalog", {
        bucket: stream.dataBucket,
        profiles: [PROFILES.fraud],
        scanLimitMb: 10,
        transform: { workgroup },
      });
    };
    const { inputs } = (await evaluate("test", {}, program)).find("aws:athena/workgroup:Workgroup", "catalog-workgroup");
    expect(inputs).toMatchObject({
      state: "DISABLED",
      configuration: { enforceWorkgroupConfiguration: true, bytesScannedCutoffPerQuery: 10 * 2 ** 20 },
    });
  });

  it.each([
    [{ scanLimitMb: 9 }, "args.scanLimitMb must be a whole number from 10 on, got 9"],
    [{ resultDays: 0.5 }, "args.resultDays must be a whole number from 1 on, got 0.5"],
  ])("is refused with %j", async (args, reason) => {
    const { DataCatalog } = load("components/data-catalog") as typeof Catalog;
    const { StreamProcessor } = load("components/stream-processor") as typeof Stream;
    const program = () => {
      const stream = new StreamProcessor("fraud", { profile: PROFILES.fraud });
      new DataCatalog("catalog", { bucket: stream.dataBucket, profiles: [], ...args });
    };
    expect(await evaluate("test", {}, program).then(() => "", String)).toContain(`DataCatalog "catalog": ${reason}`);
  });

  it("enforces limit, engine and encrypted results", () => {
    expect(workgroup()).toMatchObject({
      name: "risk-catalog-prod-a1",
      configuration: {
        enforceWorkgroupConfiguration: true,
        publishCloudwatchMetricsEnabled: true,
        bytesScannedCutoffPerQuery: 10_240 * 2 ** 20,
        engineVersion: { selectedEngineVersion: "Athena engine version 3" },
        resultConfiguration: { encryptionConfiguration: { encryptionOption: "SSE_KMS" } },
      },
    });
  });

  it("has the saved queries whose tables there are", () => {
    expect(graph.ofType("aws:athena/namedQuery:NamedQuery")).toHaveLength(readdirSync("sql/athena").length);
    expect(savedQueries(["quarantine"]).map(({ name }) => name)).toEqual(["quarantine-by-reason"]);
    for (const { description, sql } of savedQueries(["archive_fraud", "quarantine"])) {
      expect(description).toMatch(/\.$/);
      expect(sql).not.toContain("--");
    }
  });
});

describe("an analyst", () => {
  it("may query the tables, and read and write results, and nothing else", () => {
    const { inputs } = graph.find("aws:iam/rolePolicy:RolePolicy", "catalog-analyst");
    const { Statement } = JSON.parse(String(inputs.policy)) as {
      Statement: { Sid: string; Action: string[]; Resource: string[] }[];
    };
    const bySid = Object.fromEntries(Statement.map(({ Sid, Action, Resource }) => [Sid, { Action, Resource }]));
    expect(Object.keys(bySid)).toEqual([
      "RunQueries",
      "ReadCatalog",
      "ReadObjects",
      "ListObjects",
      "ReadKey",
      "ReadObjects2",
      "ListObjects2",
      "ReadKey2",
      "WriteObjects",
      "UseKey",
      "ReadObjects3",
      "ListObjects3",
      "ReadKey3",
      "FindResultBucket",
      "EndUploads",
    ]);
    expect(bySid.ReadObjects?.Resource.map((arn) => /(archive\/\w+|quarantine|labels)\/\*$/.exec(arn)?.[0])).toEqual([
      "archive/lead/*",
      "archive/churn/*",
      "archive/fraud/*",
      "archive/device/*",
      "quarantine/*",
      "labels/*",
    ]);
    expect(Statement.every(({ Resource }) => !Resource.includes("*"))).toBe(true);
  });
});

describe("a stack without a catalog", () => {
  it("has none of its resources, and says so in its output", () => {
    const { resources, outputs } = without;
    expect(resources.filter(({ type }) => /aws:(athena|glue\/catalog)/.test(type))).toEqual([]);
    expect(isRecord(outputs.catalog)).toBe(false);
  });
});
