/** Starts a stack of this project on the local services, with an endpoint for each shipped model. */
import { type Platform, type PlatformOptions, startPlatform as startStack } from "@risk/local-aws";
import { serveShippedModel } from "./shipped-models";

/** @throws Error with every problem of the config or the program, with the resource that failed, or with the port that is taken */
export const startPlatform = (options: Omit<PlatformOptions, "onCreated">): Promise<Platform> =>
  startStack({ ...options, onCreated: (resource, { sagemaker }) => serveShippedModel(resource, sagemaker) });
