import type { GraphResource, NameRule, ResourceBody } from "../../contracts";
import { dotted, named, optionalString, put, regionInput, tagInputs } from "../resource-parts";
import { ruleOf, targetOf } from "./rules";
import type { EventsService } from "./service";

type Inputs = Readonly<Record<string, unknown>>;

// EventBridge API reference: CreateEventBus, PutRule, Target.
const busName: NameRule = {
  field: "name",
  maxLength: 256,
  characters: { pattern: /^[/A-Za-z0-9_.-]+$/, words: "letters, digits, hyphens, underscores, dots and slashes" },
};
const ruleName: NameRule = { field: "name", maxLength: 64, characters: dotted };
const targetName: NameRule = { field: "targetId", maxLength: 64, characters: dotted };

export function eventsBodies(service: EventsService): ResourceBody[] {
  const busOf = (inputs: Inputs) => service.busName(optionalString(inputs.eventBusName));
  const applyRule = (rule: GraphResource) => service.store.saveRule(ruleOf(rule, busOf(rule.inputs)));
  const applyTarget = (target: GraphResource) =>
    service.store.saveTarget(busOf(target.inputs), String(target.inputs.rule), targetOf(target));
  const putBus = ({ state, inputs }: GraphResource): void => {
    const targetArn = service.busArn(String(state.name));
    // EventBridge first checks that it may use the key.
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
      ...named(busName, (name, { inputs }) => ({ id: name, state: { ...inputs, name, arn: service.busArn(name) } })),
      ...put(putBus),
      delete: ({ state }) => service.deleteBus(String(state.name)),
    },
    {
      type: "aws:cloudwatch/eventBusPolicy:EventBusPolicy",
      honoured: ["eventBusName"],
      cloudOnly: { ...regionInput, policy: "callers of the one account are decided by their own policies" },
      replaceOn: ["eventBusName"],
      outputs: ({ inputs }) => ({ id: busOf(inputs), state: inputs }),
    },
    {
      type: "aws:cloudwatch/eventRule:EventRule",
      honoured: ["name", "eventBusName", "eventPattern", "scheduleExpression", "state"],
      cloudOnly: {
        ...tagInputs,
        description: "only shown in the console",
        forceDestroy: "only matters to rules that AWS services manage",
        roleArn: "local deliveries are checked by resource policies",
      },
      replaceOn: ["name", "eventBusName"],
      ...named(ruleName, (name, { inputs }) => {
        const bus = busOf(inputs);
        const id = bus === "default" ? name : `${bus}/${name}`;
        return { id, state: { ...inputs, name, eventBusName: bus, arn: service.ruleArn({ bus, name }) } };
      }),
      ...put(applyRule),
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
        ...regionInput,
        forceDestroy: "only matters to rules that AWS services manage",
      },
      replaceOn: ["rule", "eventBusName", "targetId"],
      ...named(targetName, (targetId, { inputs }) => ({
        id: `${String(inputs.rule)}-${targetId}`,
        state: { ...inputs, targetId },
      })),
      ...put(applyTarget),
      delete: ({ inputs, state }) => service.store.deleteTarget(busOf(inputs), String(inputs.rule), String(state.targetId)),
    },
  ];
}
