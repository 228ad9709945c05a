/** Shows a promotion and a rollback on the running platform, under traffic. */
import { setTimeout as pause } from "node:timers/promises";
import { GetItemCommand } from "@aws-sdk/client-dynamodb";
import { PutRecordCommand } from "@aws-sdk/client-kinesis";
import { refName } from "../../functions/scoring/models/document";
import type { ProfileId } from "../../functions/scoring/profiles";
import { ModelCommands } from "../model-lifecycle/commands";
import { goldenIn } from "../model-lifecycle/golden";
import { connectModels } from "../model-lifecycle/target";
import { type Outputs, streamOf } from "../outputs";
import { table } from "../terminal";
import type { Clients } from "./clients";
import { query } from "./tally";

const PROFILE = "fraud";
const PATIENCE_MS = 20_000;

export interface ModelShow {
  /** Transactions sent to see which model answers; each is scored and counts in the books. */
  readonly sent: number;
  /** What happened, in lines to print. */
  readonly lines: readonly string[];
}

/**
 * Promotes the first challenger of the stream's profile, waits until the running function scores with it, and rolls back. Does nothing
 * on a stack without challengers.
 * @throws Error when the function doesn't use the new model in time
 */
export async function switchModels(clients: Clients, outputs: Outputs): Promise<ModelShow> {
  const target = connectModels(
    { ...outputs, modelsParameters: outputs.modelsParameters as Readonly<Record<ProfileId, string>> },
    {
      endpoint: outputs.awsEndpointUrl,
      credentials: { accessKeyId: outputs.accessKeyId, secretAccessKey: outputs.secretAccessKey },
    },
  );
  let sent = 0;
  const answered = async (model: string): Promise<string> => {
    const startedAt = performance.now();
    for (;;) {
      sent += 1;
      const by = await modelThatScores(clients, outputs, `demo-model-${sent}`);
      const milliseconds = performance.now() - startedAt;
      if (by === model) return `${(milliseconds / 1000).toFixed(1)} s`;
      if (milliseconds > PATIENCE_MS)
        throw new Error(`The stream function still scores with ${by}, ${PATIENCE_MS} ms after ${model} became the champion.`);
    }
  };
  try {
    const commands = new ModelCommands(target, goldenIn(process.cwd()), { contentType: "text/csv", timeoutMs: 500 });
    const { models } = await commands.state(PROFILE);
    const [champion] = models.chain;
    const challenger = models.challengers?.[0];
    if (champion === undefined || challenger === undefined) return { sent, lines: ["  this stack has no challenger to promote"] };
    const [old, next] = [refName(champion), refName(challenger.model)];
    const { verified } = await commands.promote(PROFILE, next);
    const checks =
      verified[next] === undefined ? "" : ` (hash correct, ${verified[next].goldenRows} golden rows equal bit for bit)`;
    const promotedAfter = await answered(next);
    await commands.rollback(PROFILE, undefined);
    const backAfter = await answered(old);
    return {
      sent,
      lines: [
        `  promoted     ${next} instead of ${old}${checks}: the running function scored with it after ${promotedAfter}`,
        `  rolled back  ${old} scored again after ${backAfter}; ${sent} transactions in between, none lost, no restart`,
      ],
    };
  } finally {
    target.close();
  }
}

/** Sends one ordinary transaction. @returns the model that scored it */
async function modelThatScores(clients: Clients, outputs: Outputs, id: string): Promise<string> {
  const body = { transaction_id: id, user_id: id, amount: 42.5, timestamp: new Date().toISOString(), category: "grocery" };
  await clients.kinesis.send(
    new PutRecordCommand({ StreamName: streamOf(outputs), PartitionKey: id, Data: Buffer.from(JSON.stringify(body)) }),
  );
  for (const startedAt = performance.now(); performance.now() - startedAt < PATIENCE_MS; await pause(50)) {
    const { Item } = await clients.dynamodb.send(
      new GetItemCommand({ TableName: outputs.resultsTable, Key: { transaction_id: { S: id } }, ConsistentRead: true }),
    );
    if (Item?.model_version?.S !== undefined) return Item.model_version.S;
  }
  throw new Error(`Transaction ${id} has no result ${PATIENCE_MS} ms after it was sent.`);
}

/** Which models answered, and how those in shadow compare. */
export async function modelsTable(clients: Clients): Promise<string> {
  const answers = await query<{ profile: string; model_version: string; role: string; events: string }>(
    clients,
    `select profile, model_version, coalesce(model_role, 'champion') as role, count(*) as events from risk.risk_events
      group by 1, 2, 3 order by 1, 4 desc`,
  );
  const shadows = await query<{
    profile: string;
    answered_by: string;
    challenger: string;
    events: string;
    agreement: number;
    average_difference: number;
  }>(clients, "select * from risk.challenger_agreement order by profile, events desc");
  return [
    table(
      ["profile", "answered by", "as", "events"],
      answers.map((row) => [row.profile, row.model_version, row.role, Number(row.events)]),
    ),
    ...(shadows.length === 0 ? [] : [""]),
    ...(shadows.length === 0
      ? []
      : [
          table(
            ["in shadow", "beside", "events", "same band", "average difference"],
            shadows.map((row) => [
              row.challenger,
              row.answered_by,
              Number(row.events),
              `${(Number(row.agreement) * 100).toFixed(1)} %`,
              Number(row.average_difference).toFixed(4),
            ]),
          ),
        ]),
  ].join("\n");
}

/** The customer most likely to leave, and why the model thinks so. */
export async function churnExample(clients: Clients): Promise<string> {
  const [row] = await query<{ score: number; model_version: string; reasons: { text: string; contribution: number }[] }>(
    clients,
    "select score, model_version, reasons from risk.risk_events where profile = 'churn' order by score desc limit 1",
  );
  if (row === undefined) return "  no churn scores";
  const shown = row.reasons.slice(0, 5).map(({ text, contribution }) => {
    const share = `${contribution < 0 ? "" : "+"}${contribution.toFixed(3)}`;
    return `    ${share.padStart(7)}  ${text}`;
  });
  return [`  ${Number(row.score).toFixed(3)} by ${row.model_version}:`, ...shown].join("\n");
}
