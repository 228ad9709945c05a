/**
 * `pulumi-language-nodejs` for a CLI that came without it (one that was built as a Go module): it starts the SDK's own runner, so the
 * program's loader, its monitor and its dry runs are the real ones. Started by the engine as `pulumi-language-nodejs … ENGINE_ADDRESS`;
 * prints its port. The program runs under the `node` of the PATH, as with the published host.
 */
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { type handleUnaryCall, Server, ServerCredentials } from "@grpc/grpc-js";
import services from "@pulumi/pulumi/proto/language_grpc_pb.js";
import language from "@pulumi/pulumi/proto/language_pb.js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb.js";

const engineAddress = process.argv.at(-1) ?? "";
/** The runner's exit code after it has printed the error itself (`nodeJSProcessExitedAfterLoggingUserActionableMessage`). */
const TOLD = 32;

const run: handleUnaryCall<language.RunRequest, language.RunResponse> = ({ request }, callback) => {
  const info = request.getInfo();
  const root = info?.getRootDirectory() ?? process.cwd();
  const runner = createRequire(join(root, "package.json")).resolve("@pulumi/pulumi/cmd/run/index.js");
  const options = {
    monitor: request.getMonitorAddress(),
    engine: engineAddress,
    "root-directory": root,
    organization: request.getOrganization(),
    project: request.getProject(),
    stack: request.getStack(),
    pwd: request.getPwd(),
    parallel: String(request.getParallel()),
  };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  const dryRun = request.getDryrun() ? ["--dry-run"] : [];
  const program = [info?.getEntryPoint() || ".", ...request.getArgsList()];
  const child = spawn("node", [runner, ...args, ...dryRun, ...program], {
    cwd: request.getPwd(),
    env: {
      ...process.env,
      PULUMI_CONFIG: JSON.stringify(Object.fromEntries(request.getConfigMap().entries())),
      PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
      PULUMI_NODEJS_TYPESCRIPT: "true",
    },
    // The engine shows what the program prints.
    stdio: ["ignore", "inherit", "inherit"],
  });
  const answer = (bail: boolean, problem: string) => callback(null, new language.RunResponse().setBail(bail).setError(problem));
  child.once("error", (error) => answer(false, `node could not be started: ${error.message}`));
  child.once("exit", (code, signal) =>
    answer(code === TOLD, code === 0 || code === TOLD ? "" : `The program ended with ${code ?? signal}.`),
  );
};

/** A call that is answered the same whatever it asks. */
const always =
  <Request, Response>(make: () => Response): handleUnaryCall<Request, Response> =>
  (_, callback) =>
    callback(null, make());

const { version } = require("@pulumi/pulumi/package.json") as { readonly version: string };
const server = new Server({ "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 });
server.addService(services.LanguageRuntimeService, {
  run,
  getRequiredPackages: always(() => new language.GetRequiredPackagesResponse()),
  getRequiredPlugins: always(() => new language.GetRequiredPluginsResponse()),
  getPluginInfo: always(() => new plugin.PluginInfo().setVersion(version)),
  cancel: always(() => new Empty()),
});
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  process.stdout.write(`${port}\n`);
});
