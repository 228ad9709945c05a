/**
 * Which folder may import which; `npm run check` enforces it. The picture is in docs/architecture.md:
 *
 *   index.ts → stacks → components → functions        the program and what it deploys
 *   cli, build, controls, bench → the program and packages
 *   cli → simulation → functions                      the data path in virtual time
 *   packages/*                                         don't know the program
 */
const PROGRAM = "^(index\\.ts|stacks|components|functions)";
const SHELL = "^(cli|build|controls|bench|simulation|tests)/";

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  forbidden: [
    {
      name: "no-cycles",
      comment: "Including type-only imports: code that two files need from each other belongs in a third file.",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "resolvable",
      comment: "An import that can't be found, or a package that package.json doesn't list.",
      severity: "error",
      from: {},
      // The validators are built before anything runs: build/validators.ts.
      to: { couldNotResolve: true, pathNot: "^#validators$" },
    },
    {
      name: "index-only-re-exports",
      comment: "No file imports the index.ts of its own folder: that would be a cycle.",
      severity: "error",
      from: { path: "^(.+)/[^/]+\\.ts$", pathNot: "^bench/|^index\\.ts$" },
      to: { path: "^$1/index\\.ts$" },
    },
    {
      name: "core-stands-alone",
      comment:
        "The scoring core computes on plain values: no clock, no environment, no SDK, nothing else of the project. Hashes are Node's.",
      severity: "error",
      from: { path: "^functions/scoring/core/" },
      to: { pathNot: "^functions/scoring/core/|^crypto$" },
    },
    {
      name: "scoring-knows-no-service",
      comment: "Policies, models and profiles decide; only the functions around them talk to AWS.",
      severity: "error",
      from: { path: "^functions/scoring/" },
      to: { path: "^functions/(?!scoring/)|node_modules/@aws-sdk" },
    },
    {
      name: "functions-know-no-pulumi",
      comment: "A function runs without the program that deploys it.",
      severity: "error",
      from: { path: "^functions/" },
      to: { path: `^(index\\.ts|stacks|components)|${SHELL}|^packages/(?!tree-kernel/)|node_modules/@pulumi` },
    },
    {
      name: "components-know-no-stack",
      comment: "Components take arguments; only stacks read config.",
      severity: "error",
      from: { path: "^components/" },
      to: { path: `^(index\\.ts|stacks)|${SHELL}|^packages/` },
    },
    {
      name: "stacks-know-no-commands",
      comment: "Commands, docs and the local runtime import the program, not the other way round.",
      severity: "error",
      from: { path: "^stacks/" },
      to: { path: `^index\\.ts|${SHELL}|^packages/` },
    },
    {
      name: "packages-know-no-program",
      comment: "A package could move out of this repository tomorrow.",
      severity: "error",
      from: { path: "^packages/([^/]+)/" },
      to: { path: `${PROGRAM}|${SHELL}|^(sql|models|schemas)/` },
    },
    {
      name: "packages-build-on-each-other-one-way",
      comment: "tree-kernel, program-graph and local-warehouse import no other package; local-aws may.",
      severity: "error",
      from: { path: "^packages/(tree-kernel|program-graph|local-warehouse)/" },
      to: { path: "^packages/", pathNot: "^packages/$1/" },
    },
    {
      name: "packages-by-their-names",
      comment: "Only what a package exports in its package.json is public. Tests may use the helpers of a package's own tests.",
      severity: "error",
      from: { pathNot: "^packages/([^/]+)/" },
      to: { path: "^packages/", pathNot: "^packages/[^/]+/tests/", dependencyTypes: ["local"] },
    },
    {
      name: "builders-and-controls-need-no-commands",
      comment: "Builders and controls don't need commands.",
      severity: "error",
      from: { path: "^(build|controls)/" },
      to: { path: "^(cli|bench|tests)/" },
    },
    {
      name: "commands-and-benchmarks-stay-apart",
      comment: "A benchmark times the program itself; a command needs no benchmark. Both print with the same helpers.",
      severity: "error",
      from: { path: "^(cli|bench)/" },
      to: { path: "^(cli|bench)/", pathNot: "^$1/|^cli/(terminal|options)\\.ts$" },
    },
    {
      name: "simulation-knows-functions",
      comment: "It runs the functions as they are, and the redrive, without the program that deploys them.",
      severity: "error",
      from: { path: "^simulation/" },
      to: { path: "^(index\\.ts|stacks|components|cli|build|controls|bench|tests)", pathNot: "^cli/redrive/" },
    },
    {
      name: "simulation-is-run-by-commands",
      comment: "The product has no part for its simulation.",
      severity: "error",
      from: { pathNot: "^(simulation|cli|tests)/" },
      to: { path: "^simulation/" },
    },
    {
      name: "nothing-imports-the-entry",
      comment: "index.ts deploys when it is loaded.",
      severity: "error",
      from: {},
      to: { path: "^index\\.ts$" },
    },
    {
      name: "nothing-imports-tests",
      comment: "What only tests need isn't part of the product.",
      severity: "error",
      from: { pathNot: "(^|/)tests/" },
      to: { path: "(^|/)tests/" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "(^|/)(dist|bundles|node_modules/.bin)/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["source", "types", "require", "node", "default"] },
    cache: { folder: "node_modules/.cache/dependency-cruiser", strategy: "content" },
  },
};
