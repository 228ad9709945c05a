/** An event source mapping over a stream: one shard poller for each shard, parents before children. */
import type { LocalContext } from "../contracts";
import type { InvokeBatch, MappingConfig, Poller } from "./mapping";
import type { LambdaPorts, Timers } from "./ports";
import { ShardPoller } from "./shard-poller";

export interface StreamPollerOptions {
  readonly context: LocalContext;
  readonly ports: LambdaPorts;
  readonly timers: Timers;
  readonly mapping: MappingConfig;
  readonly roleArn: string;
  readonly functionArn: string;
  readonly invoke: InvokeBatch;
  readonly retryMs: number;
}

export class StreamPoller implements Poller {
  private readonly shards = new Map<string, ShardPoller>();
  private readonly finished = new Set<string>();
  private stopListening: (() => void) | undefined;

  constructor(private readonly options: StreamPollerOptions) {
    options.context.db.exec(
      "CREATE TABLE IF NOT EXISTS lambda_checkpoints (mapping TEXT NOT NULL, shard TEXT NOT NULL, sequence TEXT NOT NULL, PRIMARY KEY (mapping, shard))",
    );
  }

  start(): void {
    const { ports, mapping } = this.options;
    this.stopListening = ports.streams.onRecords(mapping.sourceArn, () => this.wake());
    this.wake();
  }

  private wake(): void {
    const { ports, mapping } = this.options;
    for (const { id, parents } of ports.streams.shards(mapping.sourceArn)) {
      const known = ports.streams.shards(mapping.sourceArn).map((shard) => shard.id);
      const waits = parents.some((parent) => known.includes(parent) && !this.finished.has(parent));
      if (!waits && !this.shards.has(id)) this.shards.set(id, this.shardPoller(id));
    }
    for (const poller of this.shards.values()) poller.wake();
  }

  private shardPoller(shardId: string): ShardPoller {
    const { context, mapping, roleArn } = this.options;
    const { db } = context;
    return new ShardPoller({
      ...this.options,
      shard: { shardId, region: context.region, roleArn, sourceArn: mapping.sourceArn },
      checkpoint: {
        load: () => {
          const row = db
            .prepare("SELECT sequence FROM lambda_checkpoints WHERE mapping = ? AND shard = ?")
            .get(mapping.uuid, shardId);
          return row === undefined ? "" : String(row.sequence);
        },
        save: (sequence) => this.save(shardId, sequence),
      },
      onEnded: () => {
        if (this.finished.has(shardId)) return;
        this.finished.add(shardId);
        queueMicrotask(() => this.stopListening !== undefined && this.wake());
      },
    });
  }

  private save(shardId: string, sequence: string): void {
    this.options.context.db
      .prepare(
        "INSERT INTO lambda_checkpoints (mapping, shard, sequence) VALUES (?, ?, ?) ON CONFLICT (mapping, shard) DO UPDATE SET sequence = excluded.sequence",
      )
      .run(this.options.mapping.uuid, shardId, sequence);
  }

  flush(): void {
    for (const shard of this.shards.values()) shard.flush();
  }

  idle(): boolean {
    return [...this.shards.values()].every((shard) => shard.idle());
  }

  async end(): Promise<void> {
    this.stopListening?.();
    this.stopListening = undefined;
    await Promise.all([...this.shards.values()].map((shard) => shard.end()));
  }
}
