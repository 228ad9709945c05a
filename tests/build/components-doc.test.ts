import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { componentsDoc, readComponents } from "../../build/components-doc";

const { components, context } = readComponents(process.cwd());
const all = components.flatMap(({ name, arguments: args }) => args.map((argument) => ({ ...argument, of: name })));

describe("docs/components.md", () => {
  it("matches the doc comments (npm run docs writes it)", () => {
    expect(readFileSync("docs/components.md", "utf8")).toBe(componentsDoc(process.cwd()));
  });
});

describe("arguments of components", () => {
  it("are required only where there is no default", () => {
    const required = components.map(({ name, arguments: args }) => [
      name,
      args.filter((argument) => argument.required).map((argument) => argument.name),
    ]);
    expect(Object.fromEntries(required)).toEqual({
      ScoringApi: ["profiles"],
      StreamProcessor: ["profile"],
      RiskWarehouse: [],
      TrainingPipeline: ["datasets", "served"],
      InferencePipeline: ["datasets", "served", "store"],
      DataCatalog: ["bucket", "profiles"],
    });
  });

  it("each have a meaning, and a default unless they are required", () => {
    const silent = all.filter(({ meaning, fallback, required }) => meaning === "" || (!required && fallback === undefined));
    expect(silent.map(({ of, name }) => `${of}: ${name}`)).toEqual([]);
    expect(context.filter(({ meaning, fallback }) => meaning === "" || fallback === undefined)).toEqual([]);
  });

  it("have the same defaults in comments and code", () => {
    const written = all.filter(({ literal, fallback = "" }) => literal !== undefined && /^(`|-?\d|true|false)/.test(fallback));
    expect(written.length).toBeGreaterThan(30);
    const plain = (text = "") => text.replaceAll(/(?<=\d)[,_](?=\d)|[`"]/g, "").split(", ")[0];
    for (const { of, name, literal, fallback } of written) expect(plain(fallback), `${of}: ${name}`).toBe(plain(literal));
  });

  it("have an example, unless they are members of an argument that has one", () => {
    const bare = all.filter(({ name, example }) => !name.includes(".") && !example);
    expect(bare.map(({ of, name }) => `${of}: ${name}`)).toEqual([]);
  });

  it("in the minimal use include all required ones", () => {
    for (const { name, minimalUse, arguments: args } of components) {
      expect(minimalUse, name).toMatch(new RegExp(`^new ${name}\\("[a-z]+", \\{`));
      for (const { name: argument } of args.filter(({ required }) => required)) expect(minimalUse, name).toContain(argument);
    }
  });
});
