/** An event source mapping over a stream: one shard poller for each shard, parents before children. */
import type { Poller, StreamPollerOptions } from "./mapping";
import { ShardPoller } from "./shard-poller";

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
    const { context, mapping } = this.options;
    return new ShardPoller({
      ...this.options,
      shardId,
      checkpoint: {
        load: () => {
          const row = context.db
            .prepare("SELECT sequence FROM lambda_checkpoints WHERE mapping = ? AND shard = ?")
            .get(mapping.uuid, shardId);
          return row === undefined ? "" : String(row.sequence);
        },
        save: (sequence) =>
          context.db
            .prepare("INSERT OR REPLACE INTO lambda_checkpoints (mapping, shard, sequence) VALUES (?, ?, ?)")
            .run(mapping.uuid, shardId, sequence),
      },
      onEnded: () => {
        if (this.finished.has(shardId)) return;
        this.finished.add(shardId);
        queueMicrotask(() => this.stopListening !== undefined && this.wake());
      },
    });
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
