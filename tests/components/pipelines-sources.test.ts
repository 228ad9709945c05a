import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { parseTar } from "nanotar";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { xgboostImage } from "../../components/shared/pipeline-image";
import { documentSource, glueSources, sagemakerSources } from "../../components/shared/pipeline-sources";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "pipeline-sources-"));
  for (const folder of ["glue", "sagemaker"]) mkdirSync(join(root, "jobs", folder), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true }));

const write = (path: string, text: string) => writeFileSync(join(root, path), text);

describe("the archive of jobs/sagemaker/", () => {
  it("holds its Python files, sorted, and nothing else", () => {
    write("jobs/sagemaker/train.py", "print(1)\n");
    write("jobs/sagemaker/inference.py", "print(2)\n");
    write("jobs/sagemaker/notes.md", "no");
    const { id, key, file } = sagemakerSources(root);
    expect({ id, key }).toEqual({
      id: "sagemaker-sources",
      key: expect.stringMatching(/^code\/sagemaker\/sourcedir-[0-9a-f]{16}\.tar\.gz$/),
    });
    const files = parseTar(new Uint8Array(gunzipSync(readFileSync(join(root, file)))));
    expect(files.map(({ name, text }) => [name, text])).toEqual([
      ["inference.py", "print(2)\n"],
      ["train.py", "print(1)\n"],
    ]);
  });

  it("is the same for the same files, whenever they were written, and different when one changes", () => {
    write("jobs/sagemaker/train.py", "print(1)\n");
    const first = sagemakerSources(root);
    const bytes = readFileSync(join(root, first.file));
    rmSync(join(root, first.file));
    utimesSync(join(root, "jobs/sagemaker/train.py"), 1, 1);
    expect(sagemakerSources(root)).toEqual(first);
    expect(readFileSync(join(root, first.file)).equals(bytes)).toBe(true);
    write("jobs/sagemaker/train.py", "print(2)\n");
    expect(sagemakerSources(root).key).not.toBe(first.key);
  });

  it("says which folder has no files", () => {
    expect(() => sagemakerSources(root)).toThrow(
      /^jobs\/sagemaker\/: expected Python files, found none in .*Restore the folder\.$/,
    );
    expect(() => glueSources(root)).toThrow(/^jobs\/glue\/: expected Python files/);
  });
});

describe("sources", () => {
  it("of Glue are uploaded one by one", () => {
    write("jobs/glue/load_scores.py", "");
    write("jobs/glue/sources.py", "");
    expect(glueSources(root)).toEqual([
      { id: "glue-load-scores", key: "code/glue/load_scores.py", file: "jobs/glue/load_scores.py" },
      { id: "glue-sources", key: "code/glue/sources.py", file: "jobs/glue/sources.py" },
    ]);
  });

  it("of a document are stored under the hash of their content", () => {
    const one = documentSource(root, "config/datasets/", "fraud", { a: 1 });
    expect(one).toMatchObject({ id: "dataset-fraud", key: "config/datasets/fraud.json" });
    expect(JSON.parse(readFileSync(join(root, one.file), "utf8"))).toEqual({ a: 1 });
    expect(documentSource(root, "config/datasets/", "fraud", { a: 2 }).file).not.toBe(one.file);
  });
});

describe("the container", () => {
  it("is pinned, in the account that AWS has for the region", () => {
    expect(xgboostImage("eu-central-1")).toEqual({
      uri: "492215442770.dkr.ecr.eu-central-1.amazonaws.com/sagemaker-xgboost:3.0-5",
      repositoryArn: "arn:aws:ecr:eu-central-1:492215442770:repository/sagemaker-xgboost",
    });
  });

  it("is refused in a region without one, with the regions that have it", () => {
    expect(() => xgboostImage("mars-north-1")).toThrow(
      /^Region "mars-north-1": expected one with .*us-east-1.*turn the pipelines off/,
    );
  });
});
