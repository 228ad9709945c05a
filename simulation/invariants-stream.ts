/** Every record of a trigger is a row and an archive line, a repetition of one, or in quarantine. */
import { type Archive, linesOf } from "./archive";
import { type ArrivedRecord, arrivedRecords } from "./arrived-records";
import type { Row } from "./services/warehouse-values";
import type { Violation } from "./violation";
import type { World } from "./world";

interface ReadableRecord {
  readonly id: string;
  readonly hash: string;
}

export function unaccounted(world: World, archive: Archive): readonly Violation[] {
  const rows = new Map(world.warehouse.rows("risk_events").map((row) => [String(row.event_id), row]));
  const quarantined = new Map(world.warehouse.rows("quarantined_events").map((row) => [String(row.source_position), row]));
  const records = arrivedRecords(world);
  const found = new Map<string, Violation>();
  const report = (violation: Violation) => found.set(`${violation.kind} ${violation.about}`, violation);
  /** The same bytes may have been put several times; it is enough that one of them is in quarantine. */
  const rejected = new Set(
    records.filter(({ position }) => quarantined.has(position)).map(({ data }) => data.toString("latin1")),
  );
  for (const record of records) {
    const readable = readRecord(record, world);
    const row = readable === undefined ? undefined : rows.get(readable.id);
    if (readable !== undefined && row?.input_hash === readable.hash) {
      for (const violation of rowProblems(readable, row, archive)) report(violation);
    } else if (!rejected.has(record.data.toString("latin1"))) {
      report({
        kind: "lost",
        about: readable?.id ?? record.position,
        detail: `${record.position} is neither a row nor in quarantine.`,
      });
    }
  }
  for (const violation of incomplete(world, records, quarantined)) report(violation);
  return [...found.values()];
}

/** The event as the product reads it; undefined for what it refuses. */
function readRecord(record: ArrivedRecord, { prepared: { product } }: World): ReadableRecord | undefined {
  const decoded = product.parseJsonBytes(record.data, product.RECORD_LIMITS);
  if (!decoded.ok) return undefined;
  const arrival = { arrivedAtMs: record.arrivedAtMs, maxAgeMs: Number.POSITIVE_INFINITY, maxFutureMs: Number.POSITIVE_INFINITY };
  const accepted = product.accept(product.PROFILES.fraud, product.fraud, decoded.value, arrival);
  if (!accepted.ok) return undefined;
  const id = product.PROFILES.fraud.eventId(accepted.input);
  return id === null ? undefined : { id, hash: product.hashJson(product.PROFILES.fraud.stored(accepted.input)) };
}

function* rowProblems({ id }: ReadableRecord, row: Row, archive: Archive): Iterable<Violation> {
  const lines = archive.events.get(id) ?? [];
  if (lines.length === 0) yield { kind: "not archived", about: id, detail: "A row without an archive line." };
  if (lines.length > 1) yield { kind: "archived twice", about: id, detail: lines.map(({ object }) => object).join(" and ") };
  if (lines.some(({ line }) => line.score !== row.score || line.source_position !== row.source_position))
    yield { kind: "row differs", about: id, detail: "The row isn't that of the archive line." };
}

/** Quarantine keeps the whole record: the row points to its line in the raw bucket, and the bytes are there. */
function* incomplete({ raw }: World, records: readonly ArrivedRecord[], rows: ReadonlyMap<string, Row>): Iterable<Violation> {
  for (const record of records) {
    const { position } = record;
    const row = rows.get(position);
    if (row === undefined) continue;
    const line = linesOf(raw, String(row.raw_key))[Number(row.raw_line) - 1];
    if (line?.position !== position || line.data !== record.data.toString("base64"))
      yield { kind: "quarantined, not whole", about: position, detail: "The row doesn't lead to the record." };
  }
}
