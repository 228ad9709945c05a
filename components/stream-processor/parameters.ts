/** The parameters of a stream processor: policy, models and exchange rates, which its function follows, and two secrets for other systems. */
import { Parameter } from "@pulumi/aws/ssm";
import * as pulumi from "@pulumi/pulumi";
import { modelsParameter } from "../shared/models-parameter";
import { policyParameter } from "../shared/policy-parameter";
import { randomValue } from "../shared/secret";
import { ratesParameter } from "./rates";
import type { StreamSettings } from "./settings";

export interface StreamParameters {
  readonly policy: Parameter;
  readonly models: Parameter;
  readonly rates: Parameter;
  readonly secure: readonly Parameter[];
}

export function createParameters(instance: string, settings: StreamSettings, parent: pulumi.Resource): StreamParameters {
  const { context, names, policy, models, profile } = settings;
  return {
    policy: policyParameter(`${instance}-policy`, { parameterName: `${names.parameterPath}/policy`, policy }, { parent }),
    models: modelsParameter(
      `${instance}-models`,
      { parameterName: `${names.parameterPath}/models`, profile: profile.id, initial: models.initial },
      { parent, protect: context.deletionProtection },
    ),
    rates: ratesParameter(instance, settings, parent),
    secure: createSecureParameters(instance, settings, parent),
  };
}

function createSecureParameters(
  instance: string,
  { context, names, connectionString }: StreamSettings,
  parent: pulumi.Resource,
): Parameter[] {
  const secure = (name: string, description: string, value: pulumi.Input<string>, keepsValue: boolean) =>
    new Parameter(
      `${instance}-${name}`,
      {
        name: `${names.parameterPath}/${name}`,
        type: "SecureString",
        keyId: context.key.arn,
        description,
        value: pulumi.secret(value),
      },
      keepsValue ? { parent, ignoreChanges: ["value"], protect: context.deletionProtection } : { parent },
    );
  return [
    // Drawn once; a value that somebody sets in the console is kept.
    secure("api-key", "Key of an external scoring service", randomValue(parent), true),
    secure("connection-string", "Where the scores can be queried", connectionString, false),
  ];
}
