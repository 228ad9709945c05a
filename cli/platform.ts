/** Starts a stack of this project on the local services, with an endpoint for each shipped model. */
import { type Platform, type PlatformOptions, startPlatform as startStack } from "@risk/local-aws";
import { serveShippedModel } from "./shipped-models";

/** @throws StackConfigError, EvaluationError, DeployError; Error when a port is taken. */
export const startPlatform = (options: Omit<PlatformOptions, "onCreated">): Promise<Platform> =>
  startStack({ ...options, onCreated: (resource, { sagemaker }) => serveShippedModel(resource, sagemaker) });
