/** What the real XGBoost predicts: of models trained on the spot, and of fixtures that older versions wrote. */
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { pythonEnvironment, runPython } from "@risk/local-aws/python-environment";

/** What XGBoost said of one generated model. Arrays hold rows one after the other. */
export interface Expected {
  readonly version: string;
  readonly count: number;
  readonly rows: Float32Array;
  readonly margins: Float32Array;
  readonly predictions: Float32Array;
  readonly contributions: Float32Array;
  readonly path: Float32Array;
}

/** Trains the models of generate_models.py. @returns the folder they are in; remove it afterwards */
export async function generateModels(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "xgboost-"));
  runPython(
    await pythonEnvironment(),
    [join(process.cwd(), "tests/jobs/generate_models.py"), folder],
    "training the models to compare with",
  );
  return folder;
}

/** A file of a case, from the generated ones or the compressed fixtures. */
export function readCase(folder: string, file: string): Uint8Array {
  const path = join(folder, file);
  return existsSync(path) ? readFileSync(path) : gunzipSync(readFileSync(`${path}.gz`));
}

export function readExpected(folder: string, name: string): Expected {
  const { version, count, ...arrays }: { version: string; count: number } & Record<string, string> = JSON.parse(
    new TextDecoder().decode(readCase(folder, `${name}.expected.json`)),
  );
  const decode = (name: string): Float32Array => {
    const bytes = Uint8Array.from(Buffer.from(arrays[name]!, "base64"));
    return new Float32Array(bytes.buffer);
  };
  return {
    version,
    count,
    rows: decode("rows"),
    margins: decode("margins"),
    predictions: decode("predictions"),
    contributions: decode("contributions"),
    path: decode("path"),
  };
}
