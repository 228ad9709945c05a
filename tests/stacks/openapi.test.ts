import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openApi } from "../../tools/openapi";
import { ROOT } from "../helpers/recorder";

describe("docs/openapi.json", () => {
  it("is what the schemas say: run node dist/tools/openapi.js after changing one", () => {
    expect(JSON.parse(readFileSync(join(ROOT, "docs/openapi.json"), "utf8"))).toEqual(JSON.parse(JSON.stringify(openApi())));
  });

  it("names a response for every kind of refusal on both routes", () => {
    for (const path of ["/score", "/predict"]) {
      for (const status of ["200", "400", "403", "413", "415", "422", "429"]) {
        expect(openApi()).toHaveProperty(["paths", path, "post", "responses", status]);
      }
    }
    for (const status of ["202", "400", "403", "413", "415", "429", "503"]) {
      expect(openApi()).toHaveProperty(["paths", "/feedback", "post", "responses", status]);
    }
  });
});
