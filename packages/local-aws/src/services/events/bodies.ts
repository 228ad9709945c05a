import { isRecord } from "@risk/program-graph";
import type { GraphResource, NameRule, ResourceBody } from "../../contracts";
import { physicalName } from "../../engine/names";
import { resourceInput } from "../messaging/input";
import { tagInputs } from "../messaging/naming";
import { ruleOf, targetOf } from "./rules";
import type { EventsService } from "./service";

type Inputs = Readonly<Record<string, unknown>>;

// EventBridge API reference: CreateEventBus, PutRule, Target.
const busName: NameRule = {
  field: "name",
  maxLength: 256,
  characters: { pattern: /^[/A-Za-z0-9_.-]+$/, words: "letters, digits, hyphens, underscores, dots and slashes" },
};
const characters = { pattern: /^[A-Za-z0-9_.-]+$/, words: "letters, digits, hyphens, underscores and dots" };
const ruleName: NameRule = { field: "name", maxLength: 64, characters };
const targetName: NameRule = { field: "targetId", maxLength: 64, characters };

export function eventsBodies(service: EventsService): ResourceBody[] {
  const busOf = (inputs: Inputs) => service.busName(inputs.eventBusName === undefined ? undefined : String(inputs.eventBusName));
  const applyRule = ({ inputs, state }: GraphResource) => {
    const input = resourceInput("EventRule", "ValidationException", {
      Name: state.name,
      Description: inputs.description,
      EventPattern: inputs.eventPattern,
      ScheduleExpression: inputs.scheduleExpression,
      State: inputs.state,
    });
    service.store.saveRule(ruleOf(input, busOf(inputs)));
  };
  const applyTarget = ({ inputs, state }: GraphResource) => {
    const { inputTransformer: transformer, retryPolicy: retry, deadLetterConfig: deadLetters } = inputs;
    const input = resourceInput("EventTarget", "ValidationException", {
      Id: state.targetId,
      Arn: inputs.arn,
      RoleArn: inputs.roleArn,
      Input: inputs.input,
      InputTransformer: isRecord(transformer)
        ? { InputPathsMap: transformer.inputPaths, InputTemplate: transformer.inputTemplate }
        : undefined,
      DeadLetterConfig: isRecord(deadLetters) ? { Arn: deadLetters.arn } : undefined,
      RetryPolicy: isRecord(retry)
        ? { MaximumRetryAttempts: retry.maximumRetryAttempts, MaximumEventAgeInSeconds: retry.maximumEventAgeInSeconds }
        : undefined,
    });
    service.store.saveTarget(busOf(inputs), String(inputs.rule), targetOf(input));
  };
  const applyPolicy = ({ inputs }: GraphResource) => service.store.setPolicy(busOf(inputs), String(inputs.policy));
  const putBus = ({ state, inputs }: GraphResource): void => {
    const targetArn = service.busArn(String(state.name));
    // EventBridge tries the key before it takes it.
    if (inputs.kmsKeyIdentifier !== undefined)
      service.gate.require({
        service: "events.amazonaws.com",
        target: "event bus",
        targetArn,
        sourceArn: targetArn,
        keyId: String(inputs.kmsKeyIdentifier),
      });
    service.store.saveBus(String(state.name));
  };
  return [
    {
      type: "aws:cloudwatch/eventBus:EventBus",
      honoured: ["name", "kmsKeyIdentifier"],
      cloudOnly: { ...tagInputs, description: "only shown in the console" },
      replaceOn: ["name"],
      autoName: busName,
      outputs: ({ name, inputs }) => {
        const physical = physicalName(busName, name, inputs);
        return { id: physical, state: { ...inputs, name: physical, arn: service.busArn(physical) } };
      },
      create: putBus,
      update: putBus,
      delete: ({ state }) => service.deleteBus(String(state.name)),
    },
    {
      type: "aws:cloudwatch/eventBusPolicy:EventBusPolicy",
      honoured: ["eventBusName", "policy"],
      cloudOnly: { region: tagInputs.region },
      replaceOn: ["eventBusName"],
      outputs: ({ inputs }) => ({ id: busOf(inputs), state: inputs }),
      create: applyPolicy,
      update: applyPolicy,
      delete: ({ inputs }) => {
        const bus = busOf(inputs);
        if (service.store.buses().some(({ name }) => name === bus)) service.store.setPolicy(bus, undefined);
      },
    },
    {
      type: "aws:cloudwatch/eventRule:EventRule",
      honoured: ["name", "eventBusName", "description", "eventPattern", "scheduleExpression", "state"],
      cloudOnly: {
        ...tagInputs,
        forceDestroy: "only matters to rules that AWS services manage",
        roleArn: "local deliveries are checked by resource policies",
      },
      replaceOn: ["name", "eventBusName"],
      autoName: ruleName,
      outputs: ({ name, inputs }) => {
        const physical = physicalName(ruleName, name, inputs);
        const bus = busOf(inputs);
        const id = bus === "default" ? physical : `${bus}/${physical}`;
        return { id, state: { ...inputs, name: physical, eventBusName: bus, arn: service.ruleArn({ bus, name: physical }) } };
      },
      create: applyRule,
      update: applyRule,
      delete: ({ inputs, state }) => service.deleteRule(busOf(inputs), String(state.name)),
    },
    {
      type: "aws:cloudwatch/eventTarget:EventTarget",
      honoured: [
        "rule",
        "eventBusName",
        "arn",
        "targetId",
        "roleArn",
        "input",
        "inputTransformer",
        "deadLetterConfig",
        "retryPolicy",
      ],
      cloudOnly: {
        region: tagInputs.region,
        forceDestroy: "only matters to rules that AWS services manage",
      },
      replaceOn: ["rule", "eventBusName", "targetId"],
      autoName: targetName,
      outputs: ({ name, inputs }) => {
        const targetId = physicalName(targetName, name, inputs);
        return { id: `${String(inputs.rule)}-${targetId}`, state: { ...inputs, targetId } };
      },
      create: applyTarget,
      update: applyTarget,
      delete: ({ inputs, state }) => service.store.deleteTarget(busOf(inputs), String(inputs.rule), String(state.targetId)),
    },
  ];
}
