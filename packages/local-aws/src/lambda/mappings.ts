/** The event source mappings of all functions: checked as Lambda does at their creation, then polled. */
import { AwsError, type LocalContext } from "../contracts";
import type { FunctionConfig } from "./function-config";
import type { MappingConfig, Poller } from "./mapping";
import type { FunctionPool } from "./pool";
import type { LambdaPorts, Timers } from "./ports";
import { QueuePoller } from "./queue-poller";
import { StreamPoller } from "./stream-poller";

const QUEUE_ACTIONS = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];
const STREAM_ACTIONS = ["kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:DescribeStream", "kinesis:ListShards"];

interface MappingsOptions {
  readonly context: LocalContext;
  readonly ports: LambdaPorts;
  readonly timers: Timers;
  readonly pool: FunctionPool;
  /** First wait of a stream mapping before a retry. */
  readonly retryMs: number;
}

interface Mapping {
  readonly config: MappingConfig;
  readonly poller: Poller;
}

const isQueue = (sourceArn: string): boolean => sourceArn.split(":")[2] === "sqs";

export class EventSourceMappings {
  private readonly mappings = new Map<string, Mapping>();
  private active = false;

  constructor(private readonly options: MappingsOptions) {}

  get(uuid: string): MappingConfig | undefined {
    return this.mappings.get(uuid)?.config;
  }

  all(): MappingConfig[] {
    return [...this.mappings.values()].map(({ config }) => config);
  }

  of(functionName: string): MappingConfig[] {
    return this.all().filter((config) => config.functionName === functionName);
  }

  /**
   * Registers a mapping, or changes one, which then goes on from its position. It starts with {@link activate}, or at once if that has happened.
   * @throws AwsError InvalidParameterValueException, ResourceConflictException.
   */
  async put(config: MappingConfig, owner: FunctionConfig): Promise<void> {
    this.checkOnlyOne(config);
    const queue = isQueue(config.sourceArn);
    this.requireOfRole(owner, queue ? QUEUE_ACTIONS : STREAM_ACTIONS, config.sourceArn);
    if (config.onFailure !== undefined)
      this.requireOfRole(owner, ["s3:PutObject"], `${config.onFailure}/aws/lambda/${config.uuid}/*`);
    this.checkVisibility(config, owner);
    const { context, ports, timers, pool, retryMs } = this.options;
    const invoke = (payload: string) => pool.invoke(config.functionName, payload);
    const common = { context, ports, timers, mapping: config, invoke };
    const poller = queue
      ? new QueuePoller(common)
      : new StreamPoller({ ...common, roleArn: owner.roleArn, functionArn: owner.arn, retryMs });
    await this.mappings.get(config.uuid)?.poller.end();
    this.mappings.set(config.uuid, { config, poller });
    if (this.active) poller.start();
  }

  /** Running batches finish; the position in the stream is forgotten. */
  async delete(uuid: string): Promise<void> {
    const mapping = this.mappings.get(uuid);
    if (mapping === undefined) return;
    this.mappings.delete(uuid);
    await mapping.poller.end();
    if (!isQueue(mapping.config.sourceArn))
      this.options.context.db.prepare("DELETE FROM lambda_checkpoints WHERE mapping = ?").run(uuid);
  }

  /** @throws AwsError InvalidParameterValueException when the queue's visibility timeout is shorter than the function's timeout. */
  checkVisibility({ sourceArn }: MappingConfig, { name, timeoutSeconds }: FunctionConfig): void {
    if (!isQueue(sourceArn)) return;
    const visibility = this.options.ports.queues.visibilityTimeoutSeconds(sourceArn);
    if (visibility < timeoutSeconds)
      throw new AwsError(
        "InvalidParameterValueException",
        `Queue visibility timeout: ${visibility} seconds is less than Function timeout: ${timeoutSeconds} seconds (${name})`,
      );
  }

  private checkOnlyOne({ uuid, sourceArn, functionName }: MappingConfig): void {
    const twin = this.of(functionName).find((config) => config.uuid !== uuid && config.sourceArn === sourceArn);
    if (twin !== undefined)
      throw new AwsError(
        "ResourceConflictException",
        `An event source mapping with event source ${sourceArn} and function ${functionName} already exists: ${twin.uuid}. Update or delete it first.`,
        409,
      );
  }

  private requireOfRole({ name, roleArn }: FunctionConfig, actions: readonly string[], resource: string): void {
    const missing = new Set(actions.flatMap((action) => this.options.ports.missingActions(roleArn, action, resource)));
    if (missing.size === 0) return;
    const key = [...missing].some((action) => action.startsWith("kms:")) ? " or its key" : "";
    throw new AwsError(
      "InvalidParameterValueException",
      `The execution role ${roleArn} of ${name} lacks ${[...missing].join(", ")} on ${resource}${key}; grant it.`,
    );
  }

  activate(): void {
    this.active = true;
    for (const { poller } of this.mappings.values()) poller.start();
  }

  /** Ends open batching windows now. */
  flush(): void {
    for (const { poller } of this.mappings.values()) poller.flush();
  }

  /** No event source has work. */
  idle(): boolean {
    return [...this.mappings.values()].every(({ poller }) => poller.idle());
  }

  async end(): Promise<void> {
    await Promise.all([...this.mappings.values()].map(({ poller }) => poller.end()));
  }
}
