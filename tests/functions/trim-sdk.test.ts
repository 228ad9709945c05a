import { describe, expect, it } from "vitest";
import { trimSdk } from "../../tools/trim-sdk";

const SCHEMAS = "// node_modules/@aws-sdk/client-s3/dist-es/schemas/schemas_0.js";
const module = (head: string, ...lines: string[]) => `${[head, ...lines].join("\n")}\n`;

describe("trimSdk", () => {
  it("writes computed keys of schemas as what they are", () => {
    const text = module(SCHEMAS, 'var _xF = "xml\\"Flattened";', "var A$ = [0, { [_xF]: 1, [_other]: 2 }];");
    expect(trimSdk(text)).toContain('{ "xml\\"Flattened": 1, [_other]: 2 }');
  });

  it("leaves a computed __proto__ alone, which as a literal would set the prototype", () => {
    const text = module(SCHEMAS, 'var _p = "__proto__";', "var A$ = [{ [_p]: 1 }];");
    expect(trimSdk(text)).toBe(text);
  });

  it("registers the base error, errors that the code names, and those with a retry hint", () => {
    const text = [
      module("// functions/a.ts", "if (error instanceof Named2) throw error;"),
      module(
        "// node_modules/@aws-sdk/client-s3/dist-es/models/errors.js",
        "var Busy = class _Busy extends S3ServiceException {",
        "  $retryable = {};",
        "};",
        "var Unused = class _Unused extends S3ServiceException {",
        "};",
      ),
      module(
        SCHEMAS,
        "_s_registry3.registerError(S3ServiceException$, S3ServiceException);",
        "n0_registry3.registerError(Named$2, Named2);",
        "n0_registry3.registerError(Unused$, Unused);",
        "n0_registry3.registerError(Busy$, Busy);",
      ),
    ].join("");
    const registered = [...trimSdk(text).matchAll(/registerError\(\S+ (\w+)\)/g)].map(([, name]) => name);
    expect(registered).toEqual(["S3ServiceException", "Named2", "Busy"]);
  });

  it("keeps of a client's manifest its version", () => {
    const text = module(
      "// node_modules/@aws-sdk/client-s3/package.json",
      "var package_default4 = {",
      '  name: "@aws-sdk/client-s3",',
      '  version: "3.1.0",',
      "  exports: {},",
      "};",
    );
    expect(trimSdk(text)).toContain('var package_default4 = { version: "3.1.0" };');
  });

  it("takes the paths of wrapped modules away", () => {
    const text = module(
      "// ../elsewhere/a.js",
      "var require_a = __commonJS({",
      '  "../elsewhere/a.js"(exports) {',
      '    exports.a = "a";',
    );
    expect(trimSdk(text)).toContain('= __commonJS({\n  "module"(exports) {\n    exports.a = "a";');
  });

  it("touches no other module", () => {
    const text = [
      module("// functions/a.ts", 'var _k = "key";', "const a = { [_k]: 1 };", "n0_registry.registerError(A$, A);"),
      module("// node_modules/@aws-sdk/client-s3/dist-es/S3Client.js", 'var _xF = "f";', "var A$ = [{ [_xF]: 1 }];"),
    ].join("");
    expect(trimSdk(text)).toBe(text);
  });
});
