/** What must hold once faults are over, queues are empty, and everything given up was brought back once. */
import { type Archive, archiveOf } from "./archive";
import { personalValues } from "./invariants-privacy";
import { miscounted } from "./invariants-state";
import { unaccounted } from "./invariants-stream";
import type { Accepted } from "./senders";
import type { Violation } from "./violation";
import type { World } from "./world";

export function violations(world: World, accepted: Accepted): readonly Violation[] {
  const archive = archiveOf(world.s3);
  return [
    ...unaccounted(world, archive),
    ...miscounted(world),
    ...unalerted(world, archive),
    ...missingScores(world, archive, accepted),
    ...missingLabels(world, accepted),
    ...repeatedRows(world),
    ...personalValues(world),
  ];
}

/** Every row with an alerting band was published, and is among the copies for people. */
function unalerted({ bus, warehouse, prepared }: World, archive: Archive): readonly Violation[] {
  const { policies } = prepared;
  const published = new Set(bus.accepted.map(({ Detail = "{}" }) => String(JSON.parse(Detail).eventId)));
  const risky = warehouse
    .rows("risk_events")
    .filter(({ profile, band }) => profile === "fraud" && policies.fraud.isAlert(String(band)));
  return risky.flatMap(({ event_id }): Violation[] => {
    const about = String(event_id);
    return [
      ...(published.has(about) ? [] : [{ kind: "no alert", about, detail: "It was never published." } as const]),
      ...(archive.copies.has(about)
        ? []
        : [{ kind: "no copy of an alert", about, detail: "It isn't under high-risk/." } as const]),
    ];
  });
}

function missingScores({ warehouse }: World, archive: Archive, { scores }: Accepted): readonly Violation[] {
  const rows = new Set(warehouse.rows("risk_events").map(({ event_id }) => event_id));
  return [...scores.keys()]
    .filter((id) => !rows.has(id) || !archive.events.has(id))
    .map((about) => ({ kind: "score lost", about, detail: "It was answered, and isn't in the archive and the warehouse." }));
}

function missingLabels({ warehouse }: World, { labels }: Accepted): readonly Violation[] {
  const rows = new Map<string, unknown>(
    warehouse.rows("risk_labels").map(({ event_id, labelled_at, label }) => [`${event_id} ${labelled_at}`, label]),
  );
  return [...labels]
    .filter(([key]) => typeof rows.get(key) !== "boolean")
    .map(([about]) => ({ kind: "label lost", about, detail: "It was accepted, and isn't in the warehouse." }));
}

function repeatedRows({ warehouse, prepared }: World): readonly Violation[] {
  const twice = (rows: readonly string[]): readonly string[] => rows.filter((row, index) => rows.indexOf(row) !== index);
  const inLedger = twice(warehouse.ledger.map(({ object_key, etag }) => `${object_key} ${etag}`));
  const inTables = prepared.product.TARGETS.flatMap(({ table, key }) =>
    twice(warehouse.rows(table).map((row) => key.map((column) => row[column]).join(" "))),
  );
  return [
    ...inLedger.map((about): Violation => ({ kind: "ledger twice", about, detail: "Loaded twice." })),
    ...inTables.map((about): Violation => ({ kind: "row twice", about, detail: "Two rows of one key." })),
  ];
}
