/** Which models score a profile: the parameter that running functions follow, and the permissions that they need for it. */
import { Parameter } from "@pulumi/aws/ssm";
import * as pulumi from "@pulumi/pulumi";
import type { AnyProfile } from "../../functions/scoring/core/profile";
import { MAX_MODELS_BYTES, type ModelRef, type ModelsDocument } from "../../functions/scoring/models/document";
import { currentAccount } from "./account";
import type { Statement } from "./iam";
import type { ModelStore } from "./model-store";
import { readParameter } from "./policy-parameter";

/** The models of a profile, as passed to its component. */
export interface ProfileModels {
  readonly store: ModelStore;
  /** The models of a new stack. */
  readonly initial: ModelsDocument;
}

/** The models of a profile for which nobody chose any: the one that its policy names. */
export const builtInModels = (store: ModelStore, profile: AnyProfile): ProfileModels => ({
  store,
  initial: { chain: [profile.defaultPolicy.model] },
});

/** A profile that is scored in real time, as the batch pipelines see it: they use its champion and promote new ones. */
export interface ServedProfile {
  readonly profile: string;
  /** Name of the parameter with its champion. */
  readonly modelsParameter: pulumi.Output<string>;
  /** Where its functions find models, and where a promotion puts new ones. */
  readonly modelStore: ModelStore;
  /** Namespace of its CloudWatch metrics, by which a canary is judged. */
  readonly metricNamespace: string;
}

/**
 * Champion, fallbacks and challengers of a profile. The stack only writes the first value: from then on promotions and rollbacks
 * (`npm run model`) write new versions, and a deployment must not undo a promotion.
 * @throws Error when the document is larger than a standard parameter.
 */
export function modelsParameter(
  name: string,
  args: { readonly parameterName: string; readonly profile: string; readonly initial: ModelsDocument },
  opts: pulumi.CustomResourceOptions,
): Parameter {
  const value = JSON.stringify(args.initial);
  const bytes = Buffer.byteLength(value);
  if (bytes > MAX_MODELS_BYTES) {
    throw new Error(
      `Models of profile "${args.profile}" take ${bytes} bytes; a standard SSM parameter holds ${MAX_MODELS_BYTES}. ` +
        "Configure fewer fallbacks or challengers.",
    );
  }
  return new Parameter(
    name,
    {
      name: args.parameterName,
      type: "String",
      description: `Champion, fallbacks and challengers of profile ${args.profile}; changed by npm run model, read by running functions`,
      value,
    },
    { ...opts, ignoreChanges: ["value"] },
  );
}

/** Reads the parameter and the profile's artifacts, and calls only the endpoints that the stack's config names. */
export function modelStatements(
  parameter: Parameter,
  { store, initial }: ProfileModels,
  profile: string,
  parent: pulumi.Resource,
): Statement[] {
  const endpoints = endpointNames(initial);
  if (endpoints.length === 0) return [readParameter(parameter, "ReadModels"), ...store.readStatements(profile)];
  const { partition, region, accountId } = currentAccount(parent);
  const resources = endpoints.map(
    (name) => pulumi.interpolate`arn:${partition}:sagemaker:${region}:${accountId}:endpoint/${name}`,
  );
  return [
    readParameter(parameter, "ReadModels"),
    ...store.readStatements(profile),
    { sid: "CallEndpoints", actions: ["sagemaker:InvokeEndpoint"], resources },
  ];
}

function endpointNames({ chain, challengers = [] }: ModelsDocument): string[] {
  const models: readonly ModelRef[] = [...chain, ...challengers.map(({ model }) => model)];
  return [...new Set(models.flatMap((model) => (model.kind === "endpoint" ? [model.endpointName] : [])))];
}
