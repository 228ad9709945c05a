/** The platform of this project on this machine: its stack on the local services, with the shipped models behind endpoints. */
import { type Platform, type PlatformOptions, startPlatform as startStack } from "@risk/local-aws";
import { serveShippedModel } from "./shipped-models";

/** @throws StackConfigError, EvaluationError, DeployError; Error when a port is taken. */
export const startPlatform = (options: Omit<PlatformOptions, "onCreated">): Promise<Platform> =>
  startStack({ ...options, onCreated: (resource, { sagemaker }) => serveShippedModel(resource, sagemaker) });
