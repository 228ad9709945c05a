import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import type { Validate } from "../scoring/core/json-schema";
import type { AnyProfile } from "../scoring/core/profile";
import { circuitBreaker } from "../scoring/models/circuit-breaker";
import { endpointModel } from "../scoring/models/endpoint";
import type { Clock } from "./clock";
import { createEndpointInvoker } from "./endpoint-invoker";
import type { EnvReader } from "./env";
import type { Log } from "./log";
import type { Metrics } from "./metrics";
import { createModelSource, type ModelSource } from "./model-source";
import type { ParameterSource } from "./parameter-source";
import { createEndpointClient } from "./sagemaker-client";
import { treeLoader } from "./tree-loader";

export interface ModelEnvironment {
  /** Empty: the policy's own model scores. */
  readonly parameter: string;
  readonly bucket: string;
}

/** MODELS_PARAMETER and MODEL_BUCKET, both or neither. */
export function readModelEnvironment(env: EnvReader): ModelEnvironment {
  const parameter = env.optional("MODELS_PARAMETER", "");
  return {
    parameter,
    bucket: parameter === "" ? "" : env.text("MODEL_BUCKET"),
  };
}

export interface ModelWiringArgs {
  readonly environment: ModelEnvironment;
  /** Reads `environment.parameter`, perhaps together with others. */
  readonly parameters: ParameterSource;
  /** Called when the first model is fetched. */
  readonly s3: () => S3Client;
  readonly profile: AnyProfile;
  readonly validateModels: Validate;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** An endpoint that failed five times in a row is not called for a second, later for up to half a minute. */
const BREAKER = { failures: 5, openMs: 1_000, maxOpenMs: 30_000 };

/** The models named by a function's environment; undefined when it names none. */
export function wireModels({ environment, s3, profile, ...rest }: ModelWiringArgs): ModelSource | undefined {
  const { parameter, bucket } = environment;
  if (parameter === "") return undefined;
  const invoke = createEndpointInvoker(createEndpointClient);
  return createModelSource({
    ...rest,
    profile,
    parameter,
    fetchImage: imageFetcher(s3, bucket),
    loadTrees: treeLoader(profile),
    endpoint: (ref) =>
      endpointModel(ref, profile.features, {
        invoke,
        breaker: circuitBreaker({ ...BREAKER, now: () => rest.clock.now() }),
        random: Math.random,
        after: (milliseconds, callback) => {
          const timer = setTimeout(callback, milliseconds);
          return () => clearTimeout(timer);
        },
      }),
  });
}

/** Reads objects of one bucket. Errors are the SDK's. */
export const imageFetcher =
  (client: () => S3Client, bucket: string) =>
  async (key: string): Promise<Uint8Array> => {
    const answer = await client().send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    if (answer.Body === undefined) throw new Error(`Object ${key} of bucket ${bucket} came without a body.`);
    return answer.Body.transformToByteArray();
  };
