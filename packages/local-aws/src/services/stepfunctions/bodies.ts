import { createHash } from "node:crypto";
import type { GraphResource, NameRule, ResourceBody } from "../../contracts";
import { Fields } from "../../engine/fields";
import { physicalName } from "../../engine/names";
import { tagInputs } from "../messaging/naming";
import type { StepFunctionsService } from "./service";

/** Outputs must not change with the clock; the API tells when the machine really was made. */
const creationDate = "1970-01-01T00:00:00Z";

/** Step Functions API reference, CreateStateMachine; other characters switch logging off. */
const machineName: NameRule = {
  field: "name",
  maxLength: 80,
  characters: { pattern: /^[A-Za-z0-9_-]+$/, words: "letters, digits, hyphens and underscores" },
};

export function stepFunctionsBodies(service: Pick<StepFunctionsService, "arnOf" | "deploy" | "deleteMachine">): ResourceBody[] {
  const deploy = ({ name, inputs, state }: GraphResource) => {
    const fields = new Fields({ ...inputs, ...state }, `state machine ${name}`);
    const type = fields.text("type") ?? "STANDARD";
    if (type !== "STANDARD") throw new Error(`type: only STANDARD machines have a local body, got ${type}.`);
    service.deploy({
      name: fields.need("name"),
      roleArn: fields.need("roleArn"),
      definition: fields.need("definition"),
      keyId: new Fields(fields.record("encryptionConfiguration"), "encryptionConfiguration").text("kmsKeyId"),
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
        publish: "versions only matter to aliases",
        versionDescription: "only shown in the console",
      },
      replaceOn: ["name", "type"],
      autoName: machineName,
      outputs: ({ name, inputs }) => {
        const physical = physicalName(machineName, name, inputs);
        const arn = service.arnOf(physical);
        return {
          id: arn,
          state: {
            ...inputs,
            name: physical,
            arn,
            creationDate,
            revisionId: revisionId(inputs),
            stateMachineVersionArn: `${arn}:1`,
            status: "ACTIVE",
            type: inputs.type ?? "STANDARD",
            description: "",
            versionDescription: inputs.versionDescription ?? "",
          },
        };
      },
      create: deploy,
      update: deploy,
      delete: ({ state }) => service.deleteMachine(String(state.arn)),
    },
  ];
}

/** An id that changes with what the machine does. */
function revisionId({ definition, roleArn }: Readonly<Record<string, unknown>>): string {
  const hex = createHash("sha256").update(`${roleArn}\n${definition}`).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function logGroupOf(configuration: Readonly<Record<string, unknown>>): string {
  const fields = new Fields(configuration, "loggingConfiguration");
  if (configuration.level !== "ALL" || configuration.includeExecutionData !== true)
    throw new Error(
      "loggingConfiguration: only level ALL with includeExecutionData has a local body; leave it out or use these.",
    );
  return fields.need("logDestination");
}
