import type { GraphResource, NameRule, ResourceBody } from "../../contracts";
import { Fields } from "../../engine/fields";
import { hyphenated, named, put, stableUuid, tagInputs } from "../resource-parts";
import type { StepFunctionsService } from "./service";

/** Outputs must not depend on the clock. */
const creationDate = "1970-01-01T00:00:00Z";

/** Step Functions API reference, CreateStateMachine; other characters switch logging off. */
const machineName: NameRule = { field: "name", maxLength: 80, characters: hyphenated };

export function stepFunctionsBodies(service: Pick<StepFunctionsService, "arnOf" | "deploy" | "deleteMachine">): ResourceBody[] {
  const deploy = ({ name, inputs, state }: GraphResource) => {
    const fields = new Fields({ ...inputs, ...state }, `state machine ${name}`);
    const type = fields.text("type") ?? "STANDARD";
    if (type !== "STANDARD") throw new Error(`type: only STANDARD machines have a local body, got ${type}.`);
    service.deploy({
      name: fields.need("name"),
      roleArn: fields.need("roleArn"),
      definition: fields.need("definition"),
      keyId: fields.in("encryptionConfiguration").text("kmsKeyId"),
      logGroupArn: inputs.loggingConfiguration === undefined ? undefined : logGroupOf(fields.record("loggingConfiguration")),
    });
  };
  return [
    {
      type: "aws:sfn/stateMachine:StateMachine",
      honoured: ["name", "definition", "roleArn", "type", "loggingConfiguration", "encryptionConfiguration"],
      cloudOnly: {
        ...tagInputs,
        tracingConfiguration: "there is no X-Ray here; histories show the same",
      },
      replaceOn: ["name", "type"],
      ...named(machineName, (name, { inputs }) => {
        const arn = service.arnOf(name);
        return {
          id: arn,
          state: {
            ...inputs,
            name,
            arn,
            creationDate,
            // Changes with what the machine does.
            revisionId: stableUuid(`${inputs.roleArn}\n${inputs.definition}`),
            stateMachineVersionArn: `${arn}:1`,
            status: "ACTIVE",
            type: inputs.type ?? "STANDARD",
            description: "",
            versionDescription: "",
          },
        };
      }),
      ...put(deploy),
      delete: ({ state }) => service.deleteMachine(String(state.arn)),
    },
  ];
}

function logGroupOf(configuration: Readonly<Record<string, unknown>>): string {
  const fields = new Fields(configuration, "loggingConfiguration");
  if (configuration.level !== "ALL" || configuration.includeExecutionData !== true)
    throw new Error(
      "loggingConfiguration: only level ALL with includeExecutionData has a local body; leave it out or use these.",
    );
  return fields.need("logDestination");
}
