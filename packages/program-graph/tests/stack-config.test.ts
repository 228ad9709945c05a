import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readStackConfig } from "../src/stack-config";

const folder = mkdtempSync(join(tmpdir(), "stack-config-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("readStackConfig", () => {
  const write = (project: string, stack: string) => {
    writeFileSync(join(folder, "Pulumi.yaml"), project);
    writeFileSync(join(folder, "Pulumi.dev.yaml"), stack);
  };

  it("puts keys into the project's namespace, applies defaults and passes objects as JSON", () => {
    write(
      "name: risk\nruntime: nodejs\nconfig:\n  shards:\n    type: integer\n    default: 1\n  aws:region:\n    value: us-east-1\n  note: plain\n",
      "config:\n  aws:region: us-west-2\n  risk:policy:\n    threshold: 0.8\n    rules: [1, 2]\n  flag: true\n",
    );
    expect(readStackConfig(folder, "dev", {})).toEqual({
      project: "risk",
      stack: "dev",
      region: "us-west-2",
      secretKeys: [],
      values: {
        "risk:shards": "1",
        "aws:region": "us-west-2",
        "risk:note": "plain",
        "risk:policy": '{"threshold":0.8,"rules":[1,2]}',
        "risk:flag": "true",
      },
    });
  });

  it("refuses an encrypted value with the variable that gives it, and takes it from there", () => {
    write("name: risk\n", "config:\n  risk:apiKey:\n    secure: v1:abc\n");
    expect(() => readStackConfig(folder, "dev", {})).toThrow(/risk:apiKey: is encrypted .* set PULUMI_CONFIG_RISK_APIKEY/);
    expect(readStackConfig(folder, "dev", { PULUMI_CONFIG_RISK_APIKEY: "k" })).toMatchObject({
      values: { "risk:apiKey": "k" },
      secretKeys: ["risk:apiKey"],
    });
  });

  it("takes encrypted members of objects and lists from variables with their full names", () => {
    write("name: risk\n", "config:\n  fraud:\n    x: {secure: v1:abc}\n    l: [{secure: v1:def}, {secure: 3}]\n    y: 1\n");
    expect(() => readStackConfig(folder, "dev", {})).toThrow(
      /risk:fraud\.x: is encrypted .* set PULUMI_CONFIG_RISK_FRAUD_X [\s\S]*risk:fraud\.l\.0: .* PULUMI_CONFIG_RISK_FRAUD_L_0 /,
    );
    expect(readStackConfig(folder, "dev", { PULUMI_CONFIG_RISK_FRAUD_X: "k", PULUMI_CONFIG_RISK_FRAUD_L_0: "m" })).toMatchObject({
      values: { "risk:fraud": '{"x":"k","l":["m",{"secure":3}],"y":1}' },
      secretKeys: ["risk:fraud"],
    });
  });

  it("reads a key without a value as empty text, like the CLI, and keeps null in objects", () => {
    write(
      "name: risk\nconfig:\n  suffix: {type: string, default: a1}\n",
      'config:\n  suffix: null\n  bare:\n  text: "null"\n  fraud: {shards: null}\n',
    );
    expect(readStackConfig(folder, "dev", {}).values).toEqual({
      "risk:suffix": "",
      "risk:bare": "",
      "risk:text": "null",
      "risk:fraud": '{"shards":null}',
    });
    write("name: risk\nconfig:\n  tracing: {type: boolean, default: true}\n", "config:\n  tracing: null\n");
    expect(() => readStackConfig(folder, "dev", {})).toThrow(
      'risk:tracing: expected a value of type boolean, got "". Fix: pulumi config set risk:tracing VALUE --stack dev',
    );
  });

  it("refuses what the CLI refuses: declared keys with dots, missing values, values of another type", () => {
    write("name: risk\nconfig:\n  risk:fraud.shards:\n    type: integer\n    default: 1\n", "config: {}\n");
    expect(() => readStackConfig(folder, "dev", {})).toThrow(
      "the CLI reads risk:fraud.shards as a path into risk:fraud, got risk:fraud.shards",
    );
    write(
      "name: risk\nconfig:\n  risk:shards:\n    type: integer\n  tracing:\n    type: boolean\n",
      "config:\n  tracing: maybe\n",
    );
    expect(() => readStackConfig(folder, "dev", {})).toThrow(
      /risk:shards: is required and has no value[\s\S]*risk:tracing: expected a value of type boolean, got "maybe"/,
    );
  });

  it("names a missing stack file", () => {
    expect(() => readStackConfig(folder, "nowhere", {})).toThrow(/Pulumi\.nowhere\.yaml does not exist\. Create it/);
  });
});
