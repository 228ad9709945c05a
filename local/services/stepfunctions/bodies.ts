import type { GraphResource, NameRule, ResourceBody } from "../../contracts";
import { Fields } from "../../engine/fields";
import { physicalName } from "../../engine/names";
import { tagInputs } from "../messaging/naming";
import type { LogLevel } from "./history";
import type { StepFunctionsService } from "./index";
import { type Logging, revisionId } from "./machines";

const levels: readonly LogLevel[] = ["OFF", "FATAL", "ERROR", "ALL"];
/** Outputs must not change with the clock; the API tells when the machine really was made. */
const creationDate = "1970-01-01T00:00:00Z";

/** Step Functions API reference, CreateStateMachine; other characters switch logging off. */
const machineName: NameRule = {
  field: "name",
  maxLength: 80,
  characters: { pattern: /^[A-Za-z0-9_-]+$/, words: "letters, digits, hyphens and underscores" },
};

export function stepFunctionsBodies(service: StepFunctionsService): ResourceBody[] {
  const deploy = ({ name, inputs, state }: GraphResource) => {
    const fields = new Fields({ ...inputs, ...state }, `state machine ${name}`);
    const type = fields.text("type") ?? "STANDARD";
    if (type !== "STANDARD") throw new Error(`type: only STANDARD machines have a local body, got ${type}.`);
    service.deploy({
      name: fields.need("name"),
      roleArn: fields.need("roleArn"),
      definition: fields.need("definition"),
      keyId: new Fields(fields.record("encryptionConfiguration"), "encryptionConfiguration").text("kmsKeyId"),
      logging: loggingOf(new Fields(fields.record("loggingConfiguration"), "loggingConfiguration")),
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
        const revision = revisionId({ definition: String(inputs.definition), roleArn: String(inputs.roleArn) });
        return {
          id: arn,
          state: {
            ...inputs,
            name: physical,
            arn,
            creationDate,
            revisionId: revision,
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

function loggingOf(fields: Fields): Logging | undefined {
  const level = fields.text("level") ?? "OFF";
  const known = levels.find((one) => one === level);
  if (known === undefined) throw new Error(`loggingConfiguration.level: expected one of ${levels.join(", ")}, got ${level}.`);
  if (known === "OFF") return undefined;
  return {
    level: known,
    includeExecutionData: fields.flag("includeExecutionData") ?? false,
    groupArn: fields.need("logDestination"),
  };
}
