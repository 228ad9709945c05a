/** Joins a file of entities with the archive. */
import { profileById } from "../../functions/scoring/profiles";
import { registeredFeatures } from "../../functions/scoring/profiles/feature-registry";
import type { Format } from "../ingest/rows";
import { archivedEvents } from "./archive";
import type { EntityRow } from "./entities";
import { PointInTimeJoin } from "./point-in-time";
import type { FeaturesTarget } from "./target";
import { exportText } from "./write";

export interface ExportResult {
  readonly text: string;
  readonly rows: number;
  /** Rows of which something was known. */
  readonly known: number;
}

export async function exportFeatures(
  { s3, bucket }: FeaturesTarget,
  profile: string,
  rows: readonly EntityRow[],
  format: Format,
): Promise<ExportResult> {
  const features = registeredFeatures(profileById(profile)).map(({ name }) => name);
  const join = new PointInTimeJoin(rows.map(({ moment }) => moment));
  const untilMs = rows.reduce((latest, { moment }) => Math.max(latest, moment.knownByMs), Number.NEGATIVE_INFINITY);
  for await (const event of archivedEvents({ s3, bucket, profile }, untilMs, (user) => join.asksFor(user))) join.offer(event);
  const found = join.results();
  const known = found.filter((event) => event !== undefined).length;
  return { text: exportText(rows, found, features, format), rows: rows.length, known };
}
