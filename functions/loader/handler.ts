/**
 * Drains the queue of new objects into the warehouse: at-least-once in, exactly one row per key in the table.
 * A message is removed only once every object that it names is committed, now or earlier according to the ledger. A failing load is
 * halved until the object at fault stands alone; that one stays in the queue, the others are loaded.
 */
import { type Chunk, halves, planChunks } from "./chunks";
import { type CreatedObject, readNotification } from "./notification";
import type { LoaderPorts, LoaderSettings, LoaderSummary, QueueMessage } from "./ports";
import { type Row, StatementFailed, StatementTimeout } from "./sql-client";
import { FIRST_STATEMENT_OF_OBJECTS, ledgerQueries, loadStatements, manifestOf } from "./statements";
import { TARGETS, targetOf } from "./targets";

/** Time kept for removing messages and returning the result after the last load. */
const CLOSING_MILLISECONDS = 5_000;
const SETTLE_POLL_MILLISECONDS = 500;
/** Messages per round: bounds the memory, and the time between two acknowledgements. */
const MAX_ROUND_MESSAGES = 5_000;
const RELEASE_SECONDS = 30;
const PREFIXES = TARGETS.map(({ prefix }) => prefix).join(" or ");
const MAX_RELEASE_SECONDS = 900;

interface Held {
  readonly message: QueueMessage;
  readonly objects: readonly CreatedObject[];
}

type Outcome = "loaded" | "failed" | "pending";

/**
 * @param deadline epoch milliseconds at which Lambda stops the function
 * @throws when the warehouse itself can't be used (no permission, no table, no answer); all messages stay in the queue
 */
export type Loader = (deadline: number) => Promise<LoaderSummary>;

export function createLoader(ports: LoaderPorts, settings: LoaderSettings): Loader {
  return (deadline) => new LoaderRun(ports, settings, deadline - CLOSING_MILLISECONDS).run();
}

class LoaderRun {
  private readonly outcomes = new Map<string, Outcome>();
  private readonly failedMessages = new Set<string>();
  private readonly totals = {
    loads: 0,
    objects: 0,
    rows: 0,
    inserted: 0,
    updated: 0,
    duplicates: 0,
    alreadyLoaded: 0,
    failed: 0,
  };
  private failedLoads = 0;
  private newestAt: number | undefined;

  constructor(
    private readonly ports: LoaderPorts,
    private readonly settings: LoaderSettings,
    private readonly deadline: number,
  ) {}

  async run(): Promise<LoaderSummary> {
    const { clock, metrics } = this.ports;
    const startedAt = clock.now();
    let pending = 0;
    for (let quietSince = startedAt; ; ) {
      const held = await this.receiveRound();
      if (held.length > 0) {
        await this.loadRound(held);
        quietSince = clock.now();
      }
      if (held.length === 0) {
        pending = Math.max(0, (await this.ports.queue.size()) - this.failedMessages.size);
        if (pending === 0 || clock.now() - quietSince >= this.settings.settleMilliseconds) break;
        await clock.sleep(SETTLE_POLL_MILLISECONDS);
      }
      if (clock.now() >= this.deadline) {
        pending = Math.max(0, (await this.ports.queue.size()) - this.failedMessages.size);
        break;
      }
    }
    const summary = { ...this.totals, pending };
    metrics.run({
      ...summary,
      freshnessLagSeconds: this.newestAt === undefined ? undefined : Math.max(0, (clock.now() - this.newestAt) / 1000),
      durationMilliseconds: clock.now() - startedAt,
    });
    return summary;
  }

  /** All messages that are visible now. Messages with nothing to load are dealt with here. */
  private async receiveRound(): Promise<Held[]> {
    const held = new Map<string, Held>();
    while (held.size < MAX_ROUND_MESSAGES && this.ports.clock.now() < this.deadline) {
      const messages = await this.ports.queue.receive();
      if (messages.length === 0) break;
      const done: QueueMessage[] = [];
      for (const message of messages) {
        const notification = readNotification(message.body);
        if (notification.kind === "test") {
          done.push(message);
        } else if (notification.kind === "unreadable") {
          await this.reject(message, notification.problem);
        } else {
          const stray = notification.objects.find((object) => targetOf(object.key) === undefined);
          if (stray === undefined) held.set(message.messageId, { message, objects: notification.objects });
          else await this.reject(message, `expected a key under ${PREFIXES}, got ${stray.key}`);
        }
      }
      if (done.length > 0) await this.ports.queue.remove(done);
    }
    return [...held.values()];
  }

  private async loadRound(held: readonly Held[]): Promise<void> {
    const objects = new Map<string, CreatedObject>();
    for (const { objects: named } of held) for (const object of named) objects.set(identity(object), object);
    const unknown = [...objects.values()].filter((object) => !this.isSettled(object));
    const fresh = await this.withoutLedger(unknown);
    let open = await this.acknowledge(held);
    for (const chunk of planChunks(fresh, this.settings)) {
      await this.load(chunk);
      open = await this.acknowledge(open);
    }
    await this.releaseFailed(open);
  }

  private isSettled(object: CreatedObject): boolean {
    const outcome = this.outcomes.get(identity(object));
    return outcome === "loaded" || outcome === "failed";
  }

  private async withoutLedger(objects: readonly CreatedObject[]): Promise<CreatedObject[]> {
    const known = new Set<string>();
    for (const sql of ledgerQueries(objects)) {
      const rows = await this.ports.sql.query(sql, { name: "loader-ledger", token: this.ports.newId(), deadline: this.deadline });
      for (const row of rows) known.add(`${row.object_key} ${row.etag}`);
    }
    return objects.filter((object) => {
      if (!known.has(`${object.key} ${object.etag}`)) return true;
      this.outcomes.set(identity(object), "loaded");
      this.totals.alreadyLoaded += 1;
      return false;
    });
  }

  private async load(chunk: Chunk): Promise<void> {
    if (this.ports.clock.now() >= this.deadline) return this.mark(chunk, "pending");
    try {
      this.count(chunk, await this.transact(chunk));
      this.mark(chunk, "loaded");
    } catch (error) {
      if (error instanceof StatementTimeout) {
        this.ports.log.error("load_timed_out", { objects: chunk.objects.length, detail: error.message });
        return this.mark(chunk, "pending");
      }
      if (!(error instanceof StatementFailed)) throw error;
      this.failedLoads += 1;
      if (
        (error.index ?? FIRST_STATEMENT_OF_OBJECTS) < FIRST_STATEMENT_OF_OBJECTS ||
        this.failedLoads > this.settings.maxFailedLoads
      ) {
        throw error;
      }
      const parts = halves(chunk);
      if (parts === undefined) return this.fail(chunk, error);
      this.ports.log.warn("load_halved", { objects: chunk.objects.length, statement: error.index, reason: error.reason });
      for (const part of parts) await this.load(part);
    }
  }

  private async transact(chunk: Chunk): Promise<Row> {
    const loadId = this.ports.newId();
    const manifestUrl = await this.ports.manifests.write(`${chunk.target.table}/${loadId}.manifest`, manifestOf(chunk.objects));
    const statements = loadStatements({ loadId, ...chunk, manifestUrl, copyRoleArn: this.settings.copyRoleArn });
    const rows = await this.ports.sql.transaction(statements, {
      name: `load-${chunk.target.table}`,
      token: loadId,
      deadline: this.deadline,
    });
    const [row] = rows;
    if (row === undefined)
      throw new Error(`Load ${loadId} was committed without its row in risk.loads. Check the migrations of sql/.`);
    return row;
  }

  private count(chunk: Chunk, row: Row): void {
    this.totals.loads += 1;
    this.totals.objects += chunk.objects.length;
    this.totals.rows += Number(row.rows);
    this.totals.inserted += Number(row.inserted);
    this.totals.updated += Number(row.updated);
    this.totals.duplicates += Number(row.duplicates);
    // Redshift returns `2026-01-31 08:00:00.123+00`.
    const newest = row.newest_at ? Date.parse(row.newest_at.replace(" ", "T").replace(/([+-]\d\d)$/, "$1:00")) : Number.NaN;
    if (!Number.isNaN(newest)) this.newestAt = Math.max(this.newestAt ?? newest, newest);
  }

  private mark(chunk: Chunk, outcome: Outcome): void {
    for (const object of chunk.objects) this.outcomes.set(identity(object), outcome);
  }

  private fail(chunk: Chunk, error: StatementFailed): void {
    this.mark(chunk, "failed");
    this.totals.failed += chunk.objects.length;
    for (const { bucket, key } of chunk.objects) {
      this.ports.log.error("object_not_loaded", {
        object: `s3://${bucket}/${key}`,
        reason: error.reason,
        statement: error.sql.slice(0, 500),
        fix: "It stays in the queue and goes to its dead-letter queue after the last attempt. Correct the object or the table, then redrive.",
      });
    }
  }

  /** Removes the messages whose objects are all in the warehouse, and returns the others. */
  private async acknowledge(held: readonly Held[]): Promise<readonly Held[]> {
    const isDone = ({ objects }: Held) => objects.every((object) => this.outcomes.get(identity(object)) === "loaded");
    const done = held.filter(isDone);
    if (done.length > 0) await this.ports.queue.remove(done.map(({ message }) => message));
    return held.filter((one) => !isDone(one));
  }

  private async releaseFailed(held: readonly Held[]): Promise<void> {
    for (const { message, objects } of held) {
      if (!objects.some((object) => this.outcomes.get(identity(object)) === "failed")) continue;
      this.failedMessages.add(message.messageId);
      await this.backOff(message);
    }
  }

  private async reject(message: QueueMessage, problem: string): Promise<void> {
    if (!this.failedMessages.has(message.messageId)) {
      this.totals.failed += 1;
      this.failedMessages.add(message.messageId);
      this.ports.log.error("message_not_loadable", {
        messageId: message.messageId,
        problem,
        fix: `It goes to the dead-letter queue after the last attempt. Only S3 notifications of objects under ${PREFIXES} belong here.`,
      });
    }
    await this.backOff(message);
  }

  /** Each retry waits longer than the one before: a temporary fault gets time to pass, a permanent one costs little. */
  private backOff(message: QueueMessage): Promise<void> {
    return this.ports.queue.release([message], Math.min(MAX_RELEASE_SECONDS, RELEASE_SECONDS * message.receiveCount));
  }
}

/** An object that was overwritten counts as another object. */
function identity(object: CreatedObject): string {
  return `${object.bucket}/${object.key} ${object.etag}`;
}
