/**
 * Loads index.ts the way `pulumi up` does: the CLI's own choice of ts-node and TypeScript, registered with the options of
 * @pulumi/pulumi/cmd/run/run.js. Types are not checked again here (the linter's job), which saves most of the time.
 * Usage: node run-as-pulumi.cjs ROOT CONFIG_JSON; prints the number of resources, and of modules of packages/ that it loaded.
 */
const { join } = require("node:path");

const [root, config] = process.argv.slice(2);
process.chdir(root);
const fromRoot = (name) => require(require.resolve(name, { paths: [root] }));
const tsutils = fromRoot("@pulumi/pulumi/tsutils.js");
const runtime = fromRoot("@pulumi/pulumi/runtime/index.js");
const { withLocalStorage } = fromRoot("@pulumi/pulumi/runtime/state.js");
const { typescriptRequire, tsnodeRequire } = tsutils.typeScriptRequireStrings();
require(tsnodeRequire).register({
  compiler: typescriptRequire,
  transpileOnly: true,
  project: "tsconfig.json",
  skipProject: false,
  compilerOptions: {
    target: "ES2020",
    module: "nodenext",
    moduleResolution: "nodenext",
    sourceMap: "true",
    ...tsutils.loadTypeScriptCompilerOptions("tsconfig.json"),
  },
});

withLocalStorage(async () => {
  let resources = 0;
  runtime.setAllConfig(JSON.parse(config), []);
  await runtime.setMocks(
    {
      newResource({ name, inputs }) {
        resources++;
        const state = { ...inputs, arn: `arn:aws:x:::${name}`, invokeUrl: "https://x/v1", routeTables: [] };
        return { id: `${name}-id`, state };
      },
      call: () => ({ accountId: "123456789012", partition: "aws", region: "us-east-1", randomPassword: "x" }),
    },
    "risk",
    "dev",
    false,
  );
  await runtime.runInPulumiStack(async () => require(join(root, "index.ts")));
  // A clone that was only installed has no compiled packages, so the program must not load any.
  const packages = Object.keys(require.cache).filter((file) => file.startsWith(join(root, "packages")));
  console.log(`resources=${resources} packages=${packages.length}`);
});
