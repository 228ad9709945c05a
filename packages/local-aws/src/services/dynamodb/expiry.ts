/** Deletes expired items, as TTL does. */
import { type DynamoEngine, DynamoError, type WireItem } from "./engine";

/** Deletes the items whose time has come; TTL's own deletions cost no units. @returns how many */
export async function deleteExpired(engine: DynamoEngine, table: string, attribute: string, nowMs: number): Promise<number> {
  const now = Math.floor(nowMs / 1000);
  // AWS ignores times more than five years in the past, to protect against a wrong unit.
  const oldest = now - 5 * 365 * 86_400;
  const expired = {
    ExpressionAttributeNames: { "#ttl": attribute },
    ExpressionAttributeValues: { ":now": { N: String(now) }, ":oldest": { N: String(oldest) } },
  };
  const condition = "#ttl <= :now AND #ttl > :oldest";
  let deleted = 0;
  let start: unknown;
  do {
    const page = await engine.run("Scan", {
      TableName: table,
      FilterExpression: condition,
      ...expired,
      ...(start === undefined ? {} : { ExclusiveStartKey: start }),
    });
    for (const item of (page.Items ?? []) as WireItem[]) {
      const Key = await engine.keyOf(table, item);
      deleted += await deleteIf(engine, { TableName: table, Key, ConditionExpression: condition, ...expired });
    }
    start = page.LastEvaluatedKey;
  } while (start !== undefined);
  return deleted;
}

/** The item may have been renewed since the scan. */
async function deleteIf(engine: DynamoEngine, input: Readonly<Record<string, unknown>>): Promise<number> {
  try {
    await engine.run("DeleteItem", input);
    return 1;
  } catch (error) {
    if (error instanceof DynamoError && error.code === "ConditionalCheckFailedException") return 0;
    throw error;
  }
}
