/** The sections that the demo prints at its end. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import type { Usage } from "@risk/local-aws";
import type { Outputs } from "../outputs";
import { paint, table } from "../terminal";
import type { Books } from "./check";
import type { Clients } from "./clients";
import { alarms, query } from "./tally";

interface RiskyUser {
  readonly user_id: string;
  readonly highest_score: number;
  readonly band: string;
  readonly events: string;
  readonly highest_event_id: string;
  readonly reasons: readonly { readonly text: string; readonly contribution: number }[];
}

export async function topUsers(clients: Clients): Promise<string> {
  const users = await query<RiskyUser>(
    clients,
    `select u.user_id, u.highest_score, u.band, u.events, u.highest_event_id, e.reasons
       from risk.top_risky_users u join risk.risk_events e on e.event_id = u.highest_event_id
      where u.profile = 'fraud' order by u.highest_score desc, u.user_id limit 6`,
  );
  const rows = users.map((user) => [
    user.user_id,
    Number(user.highest_score).toFixed(3),
    user.band,
    Number(user.events),
    user.reasons
      .slice(0, 3)
      .map(({ text, contribution }) => `${text} (+${contribution.toFixed(2)})`)
      .join("; "),
  ]);
  return table(["user (token)", "score", "band", "events", "why"], rows);
}

export async function bands(clients: Clients): Promise<string> {
  const rows = await query<{ profile: string; band: string; events: string; average: number }>(
    clients,
    `select profile, band, count(*) as events, avg(score) as average from risk.risk_events
      group by profile, band order by profile, average desc`,
  );
  return table(
    ["profile", "band", "events", "average score"],
    rows.map((row) => [row.profile, row.band, Number(row.events), Number(row.average).toFixed(3)]),
  );
}

export function quarantineReasons(books: Books): string {
  const byReason = new Map<string, { count: number; example: string }>();
  for (const { reason, detail } of books.quarantine.lines) {
    const known = byReason.get(String(reason));
    byReason.set(String(reason), { count: (known?.count ?? 0) + 1, example: known?.example ?? String(detail) });
  }
  const rows = [...byReason].sort(([, a], [, b]) => b.count - a.count);
  return table(
    ["quarantined because", "records", "for example"],
    rows.map(([reason, { count, example }]) => [reason, count, example.length > 90 ? `${example.slice(0, 89)}…` : example]),
  );
}

/** Where high scores went: the log group of the score rule, and the e-mails that the topic sent. */
export async function routes(clients: Clients, highScoresLogGroup: string, dataDir: string): Promise<string> {
  let logged = 0;
  let token: string | undefined;
  do {
    const page = await clients.logs.send(
      new FilterLogEventsCommand({ logGroupName: highScoresLogGroup, ...(token ? { nextToken: token } : {}) }),
    );
    logged += page.events?.length ?? 0;
    token = page.nextToken;
  } while (token !== undefined);
  const mails = readdirSync(join(dataDir, "mail"), { withFileTypes: true }).filter((entry) => entry.isFile()).length;
  return table(
    ["routed by the event bus", "count", "where"],
    [
      ["scores over the log threshold", logged, `log group ${highScoresLogGroup}`],
      ["e-mails", mails, join(dataDir, "mail")],
    ],
  );
}

/** How the tables' units would have slowed the traffic on AWS. */
export function throughput(usage: readonly Usage[]): string {
  const lines = usage
    .filter(({ kind }) => kind === "Write")
    .flatMap(({ table, consumed, unitsPerSecond, secondsBehind }) => [
      `  ${table} used ${Math.round(consumed)} write units; on AWS it has ${unitsPerSecond} a second, and up to five minutes of unused ones.`,
      ...(secondsBehind === 0
        ? []
        : [
            `  There the last record would have been stored ${duration(secondsBehind)} later: records wait in the stream, and none is lost.`,
            "  npm start holds tables to their units. For real traffic, set fraud.capacityMode to onDemand (docs/capacity.md).",
          ]),
    ]);
  return lines.length === 0 ? "  No table has provisioned units: all are on demand." : lines.join("\n");
}

const duration = (seconds: number): string =>
  seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;

export async function alarmStates(clients: Clients): Promise<string> {
  const all = await alarms(clients);
  const firing = all.filter(({ state }) => state === "ALARM");
  const quiet = all.length - firing.length;
  return [
    `  ${all.length} alarms watch the platform: ${quiet} quiet, ${firing.length} in ALARM.`,
    ...firing.map(({ name, reason }) => `  ${paint("yellow", "!")} ${name}: ${reason}`),
  ].join("\n");
}

export function booksTable(books: Books): string {
  const rows = books.entries.map(({ what, expected, found }) => [
    what,
    expected,
    found,
    expected === found ? paint("green", "✓") : paint("red", "✗"),
  ]);
  return table(["count", "expected", "found", ""], rows);
}

export function whereThingsLie(outputs: Outputs, dataDir: string): string {
  return [
    `  results     DynamoDB table ${outputs.resultsTable}`,
    `  archive     s3://${outputs.dataBucket}/archive/`,
    `  quarantine  s3://${outputs.dataBucket}/quarantine/`,
    `  warehouse   schema risk: risk_events, quarantined_events, views (sql/)`,
    `  on disk     ${dataDir}`,
  ].join("\n");
}

export const nextSteps = [
  "  npm start                                   keep a platform running, and paste the lines it prints",
  "  npm run ingest -- FILE.csv --profile fraud  send a file of your own",
  "  edit Pulumi.dev.yaml while it runs          a threshold changes without a restart",
  "  npm run model -- list                       show champions and challengers; promote and roll back (with npm start)",
  "  npm run pipeline -- --help                  train models and score whole days (with npm start)",
  "  npm run bench                               measure its speed against other libraries",
  "  README.md, docs/architecture.md             how it works, and how to deploy it to AWS",
].join("\n");
