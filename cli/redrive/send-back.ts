/** How a message of each kind of dead-letter queue goes back the way it came. */
import { type EventBridgeClient, ListTargetsByRuleCommand, PutEventsCommand, type Target } from "@aws-sdk/client-eventbridge";
import { InvokeCommand } from "@aws-sdk/client-lambda";
import { StartExecutionCommand } from "@aws-sdk/client-sfn";
import { type Message, SendMessageCommand } from "@aws-sdk/client-sqs";
import type { DeadLettersOutput, RedriveOutput } from "../../stacks/redrive";
import type { SendBack } from "./dead-letters";
import { parseUnquoted, RedriveFailure } from "./failure";
import { archiverPosition, type SentMessage } from "./outcome";
import type { RedriveTarget } from "./target";

type Follow = (message: SentMessage) => void;

/** @param follow takes each message that went to the archiver */
export function sendBackOf(back: DeadLettersOutput, target: RedriveTarget, follow: Follow): SendBack {
  switch (back.to) {
    case "queue":
      return (message) => toQueue(back.url, message, target, follow);
    case "bus":
      return (message) => toBus(back.busName, message, target, follow);
    case "executions":
      return (message) => startExecution(message, target);
    case "function":
      return runOnce(back.functionName, target);
  }
}

/** The body is everything: neither EventBridge nor S3 puts attributes on what it sends to a queue. */
async function toQueue(url: string, { MessageId, Body = "" }: Message, target: RedriveTarget, follow: Follow): Promise<void> {
  if (url === target.names.archiveQueueUrl) return toArchiver(Body, archiverPosition(MessageId ?? ""), target, follow);
  await target.sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: Body }));
}

/** @param before where it lay */
export async function toArchiver(body: string, before: string, { sqs, names }: RedriveTarget, follow: Follow): Promise<void> {
  const { MessageId } = await sqs.send(new SendMessageCommand({ QueueUrl: names.archiveQueueUrl, MessageBody: body }));
  if (MessageId !== undefined) follow({ position: archiverPosition(MessageId), before });
}

/** The event as EventBridge kept it: before the target's input was made of it. */
interface Envelope {
  readonly id: string;
  readonly source: string;
  readonly "detail-type": string;
  readonly detail: unknown;
  readonly time: string;
  readonly resources?: string[];
}

function envelopeOf({ Body }: Message): Envelope {
  const event = parseUnquoted(Body ?? "", "The message");
  if (typeof event !== "object" || event === null) throw new RedriveFailure("The message is not an event of EventBridge.");
  return event as Envelope;
}

/** To the queue that did not take it, or onto the bus again: then its other targets get it a second time as well. */
async function toBus(busName: string, message: Message, target: RedriveTarget, follow: Follow): Promise<void> {
  const queue = queueOf(message.MessageAttributes?.TARGET_ARN?.StringValue, target.names);
  if (queue !== undefined) return toQueue(queue, message, target, follow);
  const { source, "detail-type": DetailType, detail, time, resources } = envelopeOf(message);
  const Detail = JSON.stringify(detail);
  const entry = { EventBusName: busName, Source: source, DetailType, Detail, Time: new Date(time), Resources: resources };
  const { Entries = [] } = await target.events.send(new PutEventsCommand({ Entries: [entry] }));
  if (Entries[0]?.EventId === undefined) throw new RedriveFailure(`The bus refused the event: ${Entries[0]?.ErrorCode}`);
}

const queueOf = (arn: string | undefined, { queues }: RedriveOutput): string | undefined =>
  queues.flatMap(({ back }) => (back.to === "queue" && back.arn === arn ? [back.url] : []))[0];

/** A second start of the same event is refused under its name, and that is as good. */
async function startExecution(message: Message, { events, sfn }: RedriveTarget): Promise<void> {
  const [ruleArn, targetArn] = [attributeOf(message, "RULE_ARN"), attributeOf(message, "TARGET_ARN")];
  const targets = await targetsOf(ruleArn, events);
  const target = targets.find(({ Arn }) => Arn === targetArn);
  if (target === undefined) throw new RedriveFailure("The rule no longer starts this machine.");
  const name = `redrive-${envelopeOf(message).id}`;
  const input = inputOf(target, envelopeOf(message));
  try {
    await sfn.send(new StartExecutionCommand({ stateMachineArn: target.Arn, name, input }));
  } catch (error) {
    if (!(error instanceof Error && error.name === "ExecutionAlreadyExists")) throw error;
  }
}

/** EventBridge says on each message which rule and target it was for. */
function attributeOf({ MessageAttributes }: Message, name: "RULE_ARN" | "TARGET_ARN"): string {
  const value = MessageAttributes?.[name]?.StringValue;
  if (value === undefined) throw new RedriveFailure(`The message has no attribute ${name}, so EventBridge did not put it here.`);
  return value;
}

async function targetsOf(ruleArn: string, events: EventBridgeClient): Promise<readonly Target[]> {
  const Rule = ruleArn.slice(ruleArn.lastIndexOf("/") + 1);
  const { Targets = [] } = await events.send(new ListTargetsByRuleCommand({ Rule }));
  return Targets;
}

/** What the target gets of an event: its constant input, or its template with JSON values in place of `<name>`. */
export function inputOf({ Input, InputPath, InputTransformer }: Target, event: unknown): string {
  if (InputPath !== undefined) throw new RedriveFailure("This command does not know InputPath; start the execution by hand.");
  if (Input !== undefined) return Input;
  if (InputTransformer === undefined) return JSON.stringify(event);
  const { InputPathsMap = {}, InputTemplate = "" } = InputTransformer;
  return InputTemplate.replace(/<([\w-]+)>/g, (_, name: string) => JSON.stringify(at(event, InputPathsMap[name] ?? "") ?? ""));
}

/** `$.detail.ModelPackageArn`. */
function at(value: unknown, path: string): unknown {
  let found = value;
  for (const part of path.split(".").slice(1)) found = Object(found)[part];
  return found;
}

/**
 * One run does for all messages: they say that a run failed, and what it did not do is still waiting. Asynchronous like the schedule's: it
 * waits for a run that is under way, and if it fails, that is the next message.
 */
function runOnce(functionName: string, { lambda }: RedriveTarget): SendBack {
  let run: Promise<unknown> | undefined;
  return async () => {
    run ??= lambda.send(new InvokeCommand({ FunctionName: functionName, InvocationType: "Event", Payload: Buffer.from("{}") }));
    await run;
  };
}
