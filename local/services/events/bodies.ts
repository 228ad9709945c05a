import type { GraphResource, NameRule, ResourceBody } from "../../contracts";
import { physicalName } from "../../engine/names";
import { tagInputs } from "../messaging/naming";
import type { EventsService } from "./index";
import { parsePath } from "./input-transformer";
import { checkRule, checkTargetRole } from "./operations";
import type { Target } from "./store";

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
  const busOf = (inputs: Inputs) => service.busName(text(inputs.eventBusName));
  const applyRule = ({ inputs, state }: GraphResource) => {
    const rule = {
      bus: busOf(inputs),
      name: String(state.name),
      description: text(inputs.description),
      pattern: text(inputs.eventPattern),
      schedule: text(inputs.scheduleExpression),
      enabled: inputs.state !== "DISABLED",
    };
    checkRule(rule);
    service.store.saveRule(rule);
  };
  const applyTarget = ({ inputs, state }: GraphResource) =>
    service.store.saveTarget(busOf(inputs), String(inputs.rule), targetOf(inputs, String(state.targetId)));
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
        "inputPath",
        "inputTransformer",
        "deadLetterConfig",
        "retryPolicy",
        "sqsTarget",
        "kinesisTarget",
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

function text(value: unknown): string | undefined {
  return value === undefined || value === null ? undefined : typeof value === "string" ? value : JSON.stringify(value);
}

function object(value: unknown): Inputs {
  return typeof value === "object" && value !== null ? (value as Inputs) : {};
}

function targetOf(inputs: Inputs, id: string): Target {
  const transformer = object(inputs.inputTransformer);
  const paths = object(transformer.inputPaths) as Record<string, string>;
  const retry = object(inputs.retryPolicy);
  for (const path of [...Object.values(paths), text(inputs.inputPath) ?? "$"]) parsePath(path);
  checkTargetRole(String(inputs.arn), text(inputs.roleArn));
  return {
    Id: id,
    Arn: String(inputs.arn),
    RoleArn: text(inputs.roleArn),
    Input: text(inputs.input),
    InputPath: text(inputs.inputPath),
    InputTransformer:
      inputs.inputTransformer === undefined
        ? undefined
        : { InputPathsMap: paths, InputTemplate: String(transformer.inputTemplate) },
    DeadLetterArn: text(object(inputs.deadLetterConfig).arn),
    MaximumRetryAttempts: Number(retry.maximumRetryAttempts ?? 185),
    MaximumEventAgeInSeconds: Number(retry.maximumEventAgeInSeconds ?? 86_400),
    MessageGroupId: text(object(inputs.sqsTarget).messageGroupId),
    PartitionKeyPath: text(object(inputs.kinesisTarget).partitionKeyPath),
  };
}
