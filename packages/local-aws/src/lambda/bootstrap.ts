/** The program of an execution environment: plain JavaScript, written to the data folder and forked. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Loads the handler, reports that it is ready, then runs one invocation at a time. Output goes to stdout synchronously; a sentinel
 * line closes each invocation's output, so that the parent never cuts it off. Ends when the parent does (IPC disconnect).
 */
const source = String.raw`"use strict";
const util = require("node:util");
const path = require("node:path");
const fs = require("node:fs");
const { pathToFileURL } = require("node:url");
const env = process.env;
let requestId = "";
process.stderr.write = process.stdout.write.bind(process.stdout);
for (const [method, level] of [["log", "INFO"], ["info", "INFO"], ["debug", "DEBUG"], ["trace", "TRACE"], ["warn", "WARN"], ["error", "ERROR"]]) {
  console[method] = (...args) => {
    const text = util.format(...args).replace(/\n/g, "\r");
    process.stdout.write(new Date().toISOString() + "\t" + requestId + "\t" + level + "\t" + text + "\n");
  };
}
const describe = (error) =>
  error instanceof Error
    ? { errorType: error.name, errorMessage: error.message, trace: String(error.stack).split("\n") }
    : { errorType: typeof error, errorMessage: typeof error === "string" ? error : util.inspect(error), trace: [] };
const send = (message, done) => process.connected && process.send(message, done);
const fatal = (type) => (error) => {
  const described = describe(error);
  send({ type: "fatal", error: type ? { ...described, errorType: type, errorMessage: described.errorType + ": " + described.errorMessage } : described }, () => process.exit(128));
};
process.on("disconnect", () => process.exit(0));
process.on("SIGINT", () => {});
process.on("uncaughtException", fatal(""));
process.on("unhandledRejection", fatal("Runtime.UnhandledPromiseRejection"));
function userError(type, message) {
  const error = new Error(message);
  error.name = type;
  return error;
}
async function loadHandler() {
  const [, file, exported] = /^(.*?)\.([^/]*)$/.exec(path.basename(env._HANDLER)) || [];
  if (!file) throw userError("Runtime.MalformedHandlerName", "Bad handler " + env._HANDLER);
  const base = path.join(env.LAMBDA_TASK_ROOT, path.dirname(env._HANDLER), file);
  const found = [".js", ".mjs", ".cjs"].map((extension) => base + extension).find((name) => fs.existsSync(name));
  if (!found) throw userError("Runtime.ImportModuleError", "Error: Cannot find module '" + file + "'");
  const loaded = found.endsWith(".mjs") ? await import(pathToFileURL(found)) : require(found);
  const handler = exported.split(".").reduce((value, key) => value && value[key], loaded);
  if (typeof handler !== "function") throw userError("Runtime.HandlerNotFound", env._HANDLER + " is undefined or not exported");
  if (handler.length > 2) throw userError("Runtime.CallbackHandlerDeprecated", "callback handlers are not supported by nodejs24.x; return a promise");
  return handler;
}
async function main() {
  let handler;
  try {
    handler = await loadHandler();
  } catch (error) {
    send({ type: "init-error", error: describe(error) }, () => process.exit(1));
    return;
  }
  process.on("message", async (invocation) => {
    requestId = invocation.requestId;
    env._X_AMZN_TRACE_ID = invocation.traceId;
    const context = {
      awsRequestId: requestId,
      callbackWaitsForEmptyEventLoop: true,
      functionName: env.AWS_LAMBDA_FUNCTION_NAME,
      functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
      invokedFunctionArn: invocation.functionArn,
      memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
      logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
      logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
      getRemainingTimeInMillis: () => Math.max(0, invocation.deadline - Date.now()),
    };
    let answer;
    try {
      const result = await handler(JSON.parse(invocation.payload), context);
      const payload = JSON.stringify(result);
      answer = { type: "result", requestId, payload: payload === undefined ? "null" : payload };
    } catch (error) {
      const described = describe(error);
      console.error("Invoke Error ", JSON.stringify({ errorType: described.errorType, errorMessage: described.errorMessage, stack: described.trace }));
      answer = { type: "error", requestId, error: described };
    }
    process.stdout.write("\0END " + requestId + "\n");
    send({ ...answer, memoryMb: Math.ceil(process.memoryUsage.rss() / 1048576) });
  });
  process.stdout.write("\0END init\n");
  send({ type: "ready" });
}
main();
`;

/** Writes the bootstrap under `folder` once per content; returns its path. */
export function bootstrapFile(folder: string): string {
  const file = join(folder, `bootstrap-${createHash("sha256").update(source).digest("hex").slice(0, 12)}.cjs`);
  if (!existsSync(file)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, source);
  }
  return file;
}
