/** Transactions as a producer puts them into the platform's stream. */
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { type KinesisClient, PutRecordsCommand } from "@aws-sdk/client-kinesis";

const USERS = 2_000;
/** PutRecords takes no more. */
const PER_CALL = 500;

const transaction = (index: number): object => ({
  transaction_id: `bench-${index}-${randomUUID()}`,
  user_id: `user-${index % USERS}`,
  amount: 10 + (index % 97),
  currency: "USD",
  timestamp: new Date().toISOString(),
  category: "groceries",
  country: "US",
  device_id: `device-${index % USERS}`,
  card_present: true,
});

export async function putTransactions(client: KinesisClient, StreamName: string, from: number, count: number): Promise<void> {
  for (let sent = 0; sent < count; sent += PER_CALL) {
    let Records = Array.from({ length: Math.min(PER_CALL, count - sent) }, (_, index) => ({
      PartitionKey: `user-${(from + sent + index) % USERS}`,
      Data: Buffer.from(JSON.stringify(transaction(from + sent + index))),
    }));
    while (Records.length > 0) {
      const answer = await client.send(new PutRecordsCommand({ StreamName, Records }));
      Records = Records.filter((_, index) => answer.Records?.[index]?.SequenceNumber === undefined);
      if (Records.length > 0) await pause(200);
    }
  }
}
