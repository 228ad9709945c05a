/** Starts the platform for a command: options every command shares, outputs file, clean stop. */
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Platform, PlatformOptions } from "@risk/local-aws";
import { type Outputs, outputsFile } from "./outputs";
import { startPlatform } from "./platform";

/** Pulumi stack outputs that become `.local/outputs.json`, by their name there. */
const outputNames: readonly (keyof Outputs & string)[] = [
  "apiUrl",
  "resultsTable",
  "scoresTable",
  "dataBucket",
  "eventBusName",
  "loaderFunction",
  "warehouseWorkgroup",
  "warehouseDatabase",
  "leadPolicyParameter",
  "churnPolicyParameter",
  "fraudPolicyParameter",
  "devicePolicyParameter",
  "modelBucket",
];

/** Outputs that only a stack with these triggers, or with pipelines, has. */
const optionalOutputs = [
  "streamName",
  "incomingBus",
  "pipelineBucket",
  "trainingMachineArn",
  "promotionMachineArn",
  "inferenceMachineArn",
  "modelGroups",
] as const satisfies readonly (keyof Outputs)[];

export interface Running {
  readonly platform: Platform;
  readonly outputs: Outputs;
  readonly outputsPath: string;
}

/** Starts the platform and writes `outputs.json` into `outputsFolder` (default `.local`). */
export async function start(options: PlatformOptions, outputsFolder?: string): Promise<Running> {
  const platform = await startPlatform(options);
  const outputs = outputsOf(platform, options.stack);
  return { platform, outputs, outputsPath: writeOutputs(outputs, outputsFolder) };
}

/** @returns the file; `folder` defaults to `.local` */
export function writeOutputs(outputs: Outputs, folder?: string): string {
  const path = outputsFile(folder);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  // Made by other commands before, or by an earlier release.
  if (folder === undefined) chmodSync(dirname(path), 0o700);
  // Readers never see half a file.
  writeFileSync(`${path}.${process.pid}`, `${JSON.stringify(outputs, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.${process.pid}`, path);
  return path;
}

/** Stops everything and removes the outputs file, unless another platform has written it since. */
export async function stop(running: Running): Promise<void> {
  removeOutputs(running.outputsPath);
  await running.platform.stop();
}

/** Removes the outputs file, unless another platform has written it since. */
export function removeOutputs(path: string): void {
  if (writtenByThisProcess(path)) rmSync(path, { force: true });
}

export function nextSignal(): Promise<string> {
  return new Promise((heard) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => heard(signal));
  });
}

function writtenByThisProcess(path: string): boolean {
  try {
    const outputs: Outputs = JSON.parse(readFileSync(path, "utf8"));
    return outputs.pid === process.pid;
  } catch {
    return false;
  }
}

/** The outputs file's content, from the stack outputs of a running platform. */
export function outputsOf(
  platform: Pick<Platform, "outputs" | "endpointUrl" | "region" | "credentials" | "warehouseUrl">,
  stack: string,
): Outputs {
  const text = (name: string) => {
    const value = platform.outputs[name];
    if (typeof value !== "string") throw new Error(`The program's stack output "${name}" is missing; index.ts has to export it.`);
    return value;
  };
  const named = Object.fromEntries(outputNames.map((name) => [name, text(name)])) as Record<(typeof outputNames)[number], string>;
  const apiKey = platform.outputs.apiKey;
  const optional = optionalOutputs.filter((name) => platform.outputs[name] !== undefined);
  return {
    ...named,
    modelsParameters: platform.outputs.modelsParameters,
    redrive: platform.outputs.redrive,
    ...(platform.outputs.catalog === undefined ? {} : { catalog: platform.outputs.catalog }),
    ...(Object.fromEntries(optional.map((name) => [name, platform.outputs[name]])) as Partial<Outputs>),
    stack,
    awsEndpointUrl: platform.endpointUrl,
    region: platform.region,
    accessKeyId: platform.credentials.accessKeyId,
    secretAccessKey: platform.credentials.secretAccessKey,
    ...(typeof apiKey === "string" && apiKey !== "" ? { apiKey } : {}),
    warehouseUrl: platform.warehouseUrl,
    pid: process.pid,
  } as Outputs;
}
