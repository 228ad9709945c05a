import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openApi } from "../../build/openapi";
import { DECISION_PROBLEMS, EVENTS_PROBLEMS, FEEDBACK_PROBLEMS, PROBLEMS, SCORE_PROBLEMS } from "../../functions/rest/problems";
import { ROOT } from "../helpers/recorder";

interface Operation {
  readonly responses: Readonly<Record<string, { readonly description: string }>>;
}
// The document is plain data of this shape.
const pathsOf = () => (openApi() as { paths: Record<string, { readonly post?: Operation; readonly get?: Operation }> }).paths;

describe("docs/openapi.json", () => {
  it("matches the schemas (npm run docs writes it)", () => {
    expect(JSON.parse(readFileSync(join(ROOT, "docs/openapi.json"), "utf8"))).toEqual(JSON.parse(JSON.stringify(openApi())));
  });

  it("names a response for every problem that a route declares, and for the gateway's own", () => {
    const documented = (path: string) => {
      const { post, get } = pathsOf()[path] ?? {};
      return (post ?? get)?.responses ?? {};
    };
    const routes = Object.entries({
      "/score": SCORE_PROBLEMS,
      "/predict": SCORE_PROBLEMS,
      "/feedback": FEEDBACK_PROBLEMS,
      "/events": EVENTS_PROBLEMS,
      "/decisions/{id}": DECISION_PROBLEMS,
    });
    for (const [path, kinds] of routes) {
      for (const kind of kinds) expect(documented(path)[PROBLEMS[kind].status]?.description).toContain(`\`${kind}\``);
      for (const status of ["401", "403", "404", "429", "504"]) expect(documented(path)).toHaveProperty(status);
    }
    expect(Object.keys(documented("/feedback"))).not.toContain("409");
  });
});

describe("docs/rest-api.md", () => {
  it("says when each status is returned", () => {
    const table = [...readFileSync(join(ROOT, "docs/rest-api.md"), "utf8").matchAll(/^\| ([\d, ]+) \|/gm)];
    const statuses = table.flatMap(([, cell = ""]) => cell.split(", "));
    const documented = Object.values(pathsOf()).flatMap(({ post, get }) => Object.keys((post ?? get)?.responses ?? {}));
    expect(statuses.sort()).toEqual([...new Set(documented)].filter((status) => !status.startsWith("2")).sort());
  });
});
