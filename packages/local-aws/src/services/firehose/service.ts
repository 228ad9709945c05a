/** Data Firehose on SQLite: direct puts, a transformation by a function, delivery to a bucket. */
import type { AwsService, LocalContext, Part } from "../../contracts";
import { serviceOf } from "../messaging/operations";
import { firehoseOperations } from "./operations";
import { Pump, type PumpPorts } from "./pump";
import { type DeliveryStream, FirehoseStore } from "./store";

export type FirehosePorts = Pick<PumpPorts, "after" | "invoke" | "putObject" | "report" | "metric">;

export class FirehoseService implements AwsService, Part {
  readonly name = "firehose";
  readonly title = "delivery streams";
  readonly store: FirehoseStore;
  readonly permissions: AwsService["permissions"];
  readonly handle: AwsService["handle"];
  private readonly pumps = new Map<string, Pump>();
  private active = false;

  constructor(
    private readonly context: LocalContext,
    private readonly ports: FirehosePorts,
  ) {
    this.store = new FirehoseStore(context.db, () => context.clock.now());
    const service = serviceOf({
      name: this.name,
      iamPrefix: "firehose",
      validationCode: "ValidationException",
      jsonVersion: "1.1",
      operations: firehoseOperations(this),
    });
    this.permissions = service.permissions;
    this.handle = service.handle;
  }

  arnOf(name: string): string {
    return `arn:aws:firehose:${this.context.region}:${this.context.accountId}:deliverystream/${name}`;
  }

  append(stream: DeliveryStream, records: readonly Buffer[]): readonly string[] {
    const ids = this.store.append(stream.name, records, recordId);
    const bytes = records.reduce((sum, { length }) => sum + length, 0);
    this.ports.metric(stream.name, "IncomingRecords", records.length, "Count");
    this.ports.metric(stream.name, "IncomingBytes", bytes, "Count");
    this.wake(stream.name);
    return ids;
  }

  put(stream: Omit<DeliveryStream, "version">): void {
    this.store.save(stream);
    this.wake(stream.name);
  }

  async delete(name: string): Promise<void> {
    this.store.delete(name);
    await this.pumps.get(name)?.end();
    this.pumps.delete(name);
  }

  /** Goes on with what an earlier run accepted; call it when every resource exists. */
  activate(): void {
    this.active = true;
    for (const { name } of this.store.streams()) this.wake(name);
  }

  async end(): Promise<void> {
    this.active = false;
    await Promise.all([...this.pumps.values()].map((pump) => pump.end()));
    this.pumps.clear();
  }

  private wake(name: string): void {
    if (!this.active) return;
    const pump = this.pumps.get(name) ?? new Pump(name, { ...this.ports, ...this.pumpPorts() });
    this.pumps.set(name, pump);
    pump.wake();
  }

  private pumpPorts(): Omit<PumpPorts, keyof FirehosePorts> {
    const { region, clock } = this.context;
    return { store: this.store, region, now: () => clock.now(), arnOf: (name) => this.arnOf(name) };
  }
}

/** As long as those of AWS, and in the order of arrival. */
const recordId = (sequence: number): string => `495${String(sequence).padStart(53, "0")}000000`;
