import {
  BatchGetItemCommand,
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import type { Case } from "../sides";

export const tables: readonly Case[] = [
  {
    name: "an item is put once, read, changed under a condition and deleted",
    run: async ({ given, dynamodb, refused }) => {
      const TableName = "items";
      await given.table({ name: TableName, key: "id" });
      const Item = { id: { S: "1" }, n: { N: "1.50" }, list: { L: [{ BOOL: true }, { NULL: true }] }, set: { SS: ["a"] } };
      const once = { TableName, Item, ConditionExpression: "attribute_not_exists(id)" };
      await dynamodb.send(new PutItemCommand(once));
      await refused(dynamodb.send(new PutItemCommand(once)));
      await refused(dynamodb.send(new PutItemCommand({ ...once, ReturnValuesOnConditionCheckFailure: "ALL_OLD" })));
      const Key = { id: { S: "1" } };
      await dynamodb.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }));
      await dynamodb.send(new GetItemCommand({ TableName, Key, ProjectionExpression: "n" }));
      await dynamodb.send(new GetItemCommand({ TableName, Key: { id: { S: "none" } } }));
      const update = (current: string) =>
        new UpdateItemCommand({
          TableName,
          Key,
          UpdateExpression: "SET n = n + :one, #w = if_not_exists(#w, :word) REMOVE #l ADD hits :one",
          ConditionExpression: "n = :current",
          ExpressionAttributeNames: { "#w": "word", "#l": "list" },
          ExpressionAttributeValues: { ":one": { N: "1" }, ":word": { S: "w" }, ":current": { N: current } },
          ReturnValues: "ALL_NEW",
        });
      await dynamodb.send(update("1.5"));
      await refused(dynamodb.send(update("1.5")));
      await dynamodb.send(new DeleteItemCommand({ TableName, Key, ReturnValues: "ALL_OLD" }));
      await dynamodb.send(new DeleteItemCommand({ TableName, Key }));
      await refused(dynamodb.send(new DeleteItemCommand({ TableName, Key, ConditionExpression: "attribute_exists(id)" })));
    },
  },
  {
    name: "items of one key are queried in order and by pages, and scanned by a filter",
    run: async ({ given, dynamodb }) => {
      const TableName = "ordered";
      await given.table({ name: TableName, key: "user", sort: "at" });
      for (const at of ["3", "1", "2"])
        await dynamodb.send(new PutItemCommand({ TableName, Item: { user: { S: "u" }, at: { S: at }, n: { N: at } } }));
      const query = {
        TableName,
        KeyConditionExpression: "#u = :u AND #a BETWEEN :low AND :high",
        ExpressionAttributeNames: { "#u": "user", "#a": "at" },
        ExpressionAttributeValues: { ":u": { S: "u" }, ":low": { S: "1" }, ":high": { S: "3" } },
        ScanIndexForward: false,
        Limit: 2,
      };
      const page = await dynamodb.send(new QueryCommand(query));
      await dynamodb.send(new QueryCommand({ ...query, ExclusiveStartKey: page.LastEvaluatedKey }));
      await dynamodb.send(
        new ScanCommand({
          TableName,
          FilterExpression: "n >= :two AND contains(#u, :u)",
          ExpressionAttributeNames: { "#u": "user" },
          ExpressionAttributeValues: { ":two": { N: "2" }, ":u": { S: "u" } },
          ProjectionExpression: "n",
        }),
      );
      await dynamodb.send(new ScanCommand({ TableName, Select: "COUNT" }));
    },
  },
  {
    name: "several items are read in one call",
    run: async ({ given, dynamodb, note, refused }) => {
      const TableName = "several";
      await given.table({ name: TableName, key: "id" });
      for (const id of ["a", "b"]) await dynamodb.send(new PutItemCommand({ TableName, Item: { id: { S: id } } }));
      const keys = (...ids: readonly string[]) => ({ [TableName]: { Keys: ids.map((S) => ({ id: { S } })) } });
      const { Responses } = await dynamodb.send(new BatchGetItemCommand({ RequestItems: keys("a") }));
      note(Responses?.[TableName]?.map(({ id }) => id?.S));
      await refused(dynamodb.send(new BatchGetItemCommand({ RequestItems: keys("a", "a") })));
      await refused(dynamodb.send(new BatchGetItemCommand({ RequestItems: { none: { Keys: [{ id: { S: "a" } }] } } })));
    },
  },
  {
    name: "wrong requests are refused",
    run: async ({ given, dynamodb, refused }) => {
      const TableName = "strict-table";
      await given.table({ name: TableName, key: "id" });
      const Key = { id: { S: "1" } };
      await refused(dynamodb.send(new GetItemCommand({ TableName: "none", Key })));
      await refused(dynamodb.send(new PutItemCommand({ TableName: "none", Item: Key })));
      await refused(
        dynamodb.send(
          new QueryCommand({
            TableName: "none",
            KeyConditionExpression: "id = :i",
            ExpressionAttributeValues: { ":i": { S: "1" } },
          }),
        ),
      );
      await refused(dynamodb.send(new ScanCommand({ TableName: "none" })));
      await refused(dynamodb.send(new UpdateItemCommand({ TableName: "none", Key })));
      await refused(dynamodb.send(new DeleteItemCommand({ TableName: "none", Key })));
      await refused(dynamodb.send(new GetItemCommand({ TableName, Key: { id: { N: "1" } } })));
      await refused(dynamodb.send(new GetItemCommand({ TableName, Key: { other: { S: "1" } } })));
      await refused(dynamodb.send(new PutItemCommand({ TableName, Item: { id: { S: "" } } })));
      await refused(dynamodb.send(new PutItemCommand({ TableName, Item: { other: { S: "1" } } })));
      await refused(
        dynamodb.send(new PutItemCommand({ TableName, Item: { id: { S: "1" }, big: { S: "x".repeat(401 * 1024) } } })),
      );
      await refused(dynamodb.send(new PutItemCommand({ TableName, Item: { id: { S: "1" }, n: { N: "no number" } } })));
      await refused(dynamodb.send(new PutItemCommand({ TableName, Item: Key, ConditionExpression: "attribute_not_exists(" })));
      await refused(dynamodb.send(new UpdateItemCommand({ TableName, Key, UpdateExpression: "SET a = :missing" })));
      await refused(
        dynamodb.send(
          new UpdateItemCommand({
            TableName,
            Key,
            UpdateExpression: "SET id = :other",
            ExpressionAttributeValues: { ":other": { S: "2" } },
          }),
        ),
      );
      await refused(
        dynamodb.send(
          new PutItemCommand({
            TableName,
            Item: Key,
            ConditionExpression: "attribute_not_exists(id)",
            ExpressionAttributeValues: { ":unused": { S: "2" } },
          }),
        ),
      );
      await refused(
        dynamodb.send(
          new UpdateItemCommand({
            TableName,
            Key,
            UpdateExpression: "SET n = n + :one",
            ExpressionAttributeValues: { ":one": { N: "1" } },
          }),
        ),
      );
      await refused(
        dynamodb.send(
          new QueryCommand({ TableName, KeyConditionExpression: "other = :i", ExpressionAttributeValues: { ":i": { S: "1" } } }),
        ),
      );
    },
  },
];
