import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { buildFunctions, main } from "../../build/bundle";
import { validatorSchemas, validatorSource } from "../../build/validators";
import type { AnyProfile } from "../../functions/scoring/core/profile";
import { PROFILES } from "../../functions/scoring/profiles";

const bundles = buildFunctions();

const AWS = { AWS_REGION: "us-east-1", AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "secret" };
const SCORING = {
  POLICY_PARAMETER: "/policy",
  EVENT_BUS_NAME: "bus",
  EVENT_SOURCE: "test",
  EVENT_DETAIL_TYPE: "Scored",
  METRIC_NAMESPACE: "Test",
  ENVIRONMENT: "test-a1",
  TOKEN_SECRET_ARN: "arn:aws:secretsmanager:us-east-1:000000000000:secret:token",
};
const ENVIRONMENTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "rest-scoring": { ...SCORING, PROFILE: "churn", SCORES_TABLE: "scores", ARCHIVE_BUCKET: "bucket" },
  "stream-scoring": {
    ...SCORING,
    PROFILE: "fraud",
    RESULTS_TABLE: "results",
    STATE_TABLE: "state",
    DATA_BUCKET: "bucket",
    RAW_BUCKET: "raw",
    SCHEMA_ARN: "arn:aws:glue:us-east-1:000000000000:schema/schemas/Transaction",
  },
  "score-archiver": { ARCHIVE_BUCKET: "bucket", RAW_BUCKET: "raw" },
  "pipeline-plan": { PIPELINE_BUCKET: "pipelines", MODELS_PARAMETERS: '{"fraud":"/models/fraud"}' },
  "data-quality-gate": { PIPELINE_BUCKET: "pipelines" },
  "evaluation-gate": { PIPELINE_BUCKET: "pipelines", MODEL_BUCKET: "models", MODELS_PARAMETERS: '{"fraud":"/models/fraud"}' },
  "model-promotion": {
    PIPELINE_BUCKET: "pipelines",
    MODEL_BUCKET: "models",
    MODELS_PARAMETERS: '{"fraud":"/models/fraud"}',
    CANARY_PERCENT: "10",
  },
  "batch-gate": { PIPELINE_BUCKET: "pipelines" },
  feedback: { LABEL_BUCKET: "bucket", METRIC_NAMESPACE: "Test", ENVIRONMENT: "test-a1" },
};

/** Loads a bundle in a process that has nothing but these variables and answers what it prints. */
function load(entry: string, env: Readonly<Record<string, string>>): { readonly ok: boolean; readonly text: string } {
  const path = JSON.stringify(resolve(bundles[entry] ?? ""));
  const script = `try { console.log("ok", typeof require(${path}).handler) } catch (error) { console.log("error", error.message) }`;
  const [status, ...text] = execFileSync(process.execPath, ["-e", script], { env, cwd: "/", encoding: "utf8" }).trim().split(" ");
  return { ok: status === "ok", text: text.join(" ") };
}

describe("bundles", () => {
  it.each(Object.keys(ENVIRONMENTS))("%s loads in a bare process with only its environment", (entry) => {
    expect(load(entry, { ...AWS, ...ENVIRONMENTS[entry] })).toEqual({ ok: true, text: "function" });
  });

  it.each(Object.entries(ENVIRONMENTS).flatMap(([entry, env]) => Object.keys(env).map((name) => [entry, name] as const)))(
    "%s names the missing variable %s",
    (entry, name) => {
      const { [name]: _, ...rest } = ENVIRONMENTS[entry] ?? {};
      const { ok, text } = load(entry, { ...AWS, ...rest });
      expect(ok).toBe(false);
      expect(text).toContain(name);
    },
  );

  it.each(["rest-scoring", "stream-scoring"])("%s reads models from a bucket that has to be configured", (entry) => {
    const env = { ...AWS, ...ENVIRONMENTS[entry], MODELS_PARAMETER: "/models" };
    expect(load(entry, { ...env, MODEL_BUCKET: "models" })).toEqual({ ok: true, text: "function" });
    expect(load(entry, env).text).toContain("MODEL_BUCKET");
  });

  it.each(Object.values<AnyProfile>(PROFILES).map(({ id, stateful }) => [id, stateful] as const))(
    "%s is served by one of the scoring functions",
    (id, stateful) => {
      const entry = stateful ? "stream-scoring" : "rest-scoring";
      expect(load(entry, { ...AWS, ...ENVIRONMENTS[entry], PROFILE: id })).toEqual({ ok: true, text: "function" });
    },
  );

  it.each([
    ["rest-scoring", ["lead", "churn", "device", "policy", "models"]],
    ["stream-scoring", ["fraud", "policy", "models"]],
    ["pipeline-plan", ["models", "dataset", "planEvent"]],
    ["data-quality-gate", ["dataset", "statistics"]],
    ["feedback", ["feedback"]],
    ["score-archiver", []],
  ])("%s holds the validators that it uses and no other: %j", (entry, expected) => {
    const source = readFileSync(bundles[entry] ?? "", "utf8");
    // A validator names the place of each keyword in its schema.
    const placesIn = (text: string) => new Set(text.match(/"#\/[^"]+"/g) ?? []);
    const validators = Object.entries(validatorSchemas()).map(([name, schema]) => ({
      name,
      places: placesIn(validatorSource(name, schema)),
    }));
    const inBundle = placesIn(source);
    const held = validators.filter(({ name, places }) =>
      [...places].some(
        (place) => inBundle.has(place) && validators.every((other) => other.name === name || !other.places.has(place)),
      ),
    );
    expect(held.map(({ name }) => name)).toEqual(expected);
  });

  it("report a pipeline's errors under the names that its state machine catches", () => {
    const path = JSON.stringify(resolve(bundles["batch-gate"] ?? ""));
    const event = JSON.stringify({
      action: "summary",
      dataset: "fraud",
      days: [{ date: "2026-11-20", error: { Error: "X", Cause: "y" } }],
    });
    const script = `require(${path}).handler(${event}).catch((error) => console.log(JSON.stringify([error instanceof Error, error.name, error.message])))`;
    const env = { ...AWS, ...ENVIRONMENTS["batch-gate"], LOG_LEVEL: "error" };
    const [isError, name, message] = JSON.parse(
      execFileSync(process.execPath, ["-e", script], { env, cwd: "/", encoding: "utf8" }),
    );
    expect([isError, name]).toEqual([true, "DaysFailed"]);
    expect(message).toMatch(/1 of 1 days of dataset "fraud" failed.*2026-11-20: X: y/);
  });

  it("of a scoring path stay below 200 KB compressed, with a schema registry and other formats below 220 KB", () => {
    const limits = { "rest-scoring": 200, "stream-scoring": 220 };
    for (const [entry, kilobytes] of Object.entries(limits)) {
      expect(gzipSync(readFileSync(bundles[entry] ?? "")).length, entry).toBeLessThan(kilobytes * 1024);
    }
  });

  it("stay below 300 KB compressed and contain no paths of the machine", () => {
    for (const path of Object.values(bundles)) {
      const source = readFileSync(path);
      expect(gzipSync(source).length).toBeLessThan(300 * 1024);
      expect(source.includes(process.cwd())).toBe(false);
    }
  });

  it("keep their bytes when they are built again", () => {
    const hashes = () => Object.values(bundles).map((path) => createHash("sha256").update(readFileSync(path)).digest("hex"));
    const before = hashes();
    const lines: string[] = [];
    main((line) => lines.push(line));
    expect(hashes()).toEqual(before);
    expect(lines).toHaveLength(Object.keys(bundles).length);
  });

  it("have the same bytes when a copy of the project is built in another folder", () => {
    const copy = mkdtempSync(join(tmpdir(), "bundles-"));
    try {
      for (const part of ["package.json", "tsconfig.json", "functions", "schemas", "sql"])
        cpSync(part, join(copy, part), { recursive: true });
      symlinkSync(resolve("node_modules"), join(copy, "node_modules"), "dir");
      const copies = buildFunctions(copy);
      expect(copies).toEqual(bundles);
      for (const path of Object.values(copies)) {
        expect(readFileSync(join(copy, path)).equals(readFileSync(path)), path).toBe(true);
      }
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  });

  it("are refused outside the project's root, with the folder's name and the fix", () => {
    expect(() => buildFunctions("/nowhere")).toThrow(/project's root.*\/nowhere.*Change to the root/);
  });
});
