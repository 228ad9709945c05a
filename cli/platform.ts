/** The platform of this project on this machine: its stack on the local services, with the shipped models behind endpoints. */
import { type Platform, type PlatformOptions, startPlatform as startStack } from "@risk/local-aws";
import { serveShippedModel } from "./shipped-models";

/** @throws Error with every problem of the config or the program, with the resource that failed, or with the port that is taken */
export const startPlatform = (options: Omit<PlatformOptions, "onCreated">): Promise<Platform> =>
  startStack({ ...options, onCreated: (resource, { sagemaker }) => serveShippedModel(resource, sagemaker) });
