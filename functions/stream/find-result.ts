import { type DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { s } from "../shared/attribute-values";
import type { StoredResult } from "./ports";
import { readResult } from "./result-item";

/** The result of an event, for readers. Not strongly consistent, which costs half: whoever asks a moment early asks again. */
export async function findResult(client: DynamoDBClient, table: string, eventId: string): Promise<StoredResult | null> {
  const { Item } = await client.send(new GetItemCommand({ TableName: table, Key: { transaction_id: s(eventId) } }));
  return Item === undefined ? null : readResult(Item);
}
