/** Personal values are nowhere but in the stream, in the raw bucket, and in the callers' own hands. */
import { textOf } from "./archive";
import { MARKER } from "./plan-records";
import type { Violation } from "./violation";
import type { World } from "./world";

/** The marker in base64, at each of the three places at which a text can start in a group of three bytes. */
const ENCODED = [0, 1, 2].map((shift) =>
  Buffer.from(`${"\0".repeat(shift)}${MARKER}`)
    .toString("base64")
    .slice(shift === 0 ? 0 : 4, -4),
);

export function personalValues(world: World): readonly Violation[] {
  const queues = [world.archiveQueue, world.loadQueue];
  const places: [string, string][] = [
    ...[...world.s3.objects.keys()].map((key): [string, string] => [key, textOf(world.s3, key)]),
    ...[...world.dynamodb.tables].map(([name, items]): [string, string] => [`table ${name}`, JSON.stringify([...items])]),
    ...[...world.warehouse.tables].map(([name, rows]): [string, string] => [`warehouse ${name}`, JSON.stringify(rows)]),
    ["bus", JSON.stringify(world.bus.accepted)],
    ["logs and metrics", world.lines.join("\n")],
    ["queues", queues.flatMap((queue) => [...queue.bodies(), ...(queue.dead?.bodies() ?? [])]).join("\n")],
  ];
  return places
    .filter(([, text]) => [MARKER, ...ENCODED].some((form) => text.includes(form)))
    .map(([about]) => ({
      kind: "personal value",
      about: about.replace(/\/.*/, "/"),
      detail: `${about} holds a personal value.`,
    }));
}
