/** AWS's write limits of one shard, counted per clock second: 1 MiB and 1,000 records. */
const bytesPerSecond = 1024 * 1024;
const recordsPerSecond = 1000;

export class ShardThroughput {
  private readonly used = new Map<string, { second: number; bytes: number; records: number }>();

  constructor(private readonly now: () => number) {}

  /** Counts a record; returns AWS's message when the shard is over its limit, and then counts nothing. */
  refuses(shard: string, bytes: number): string | undefined {
    const second = Math.floor(this.now() / 1000);
    const present = this.used.get(shard);
    const use = present?.second === second ? present : { second, bytes: 0, records: 0 };
    this.used.set(shard, use);
    if (use.bytes + bytes > bytesPerSecond || use.records + 1 > recordsPerSecond) return `Rate exceeded for shard ${shard}.`;
    use.bytes += bytes;
    use.records++;
    return undefined;
  }
}
