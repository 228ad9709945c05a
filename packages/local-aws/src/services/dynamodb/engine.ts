/**
 * dynalite's actions called in-process over storage of our own, behind a guard: it deletes members that it doesn't know, and
 * would report success for a request that it didn't carry out.
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { recordOf } from "@risk/program-graph";
import type { DynaliteStore } from "dynalite/db";
import { AwsError } from "../../contracts";
import { transaction } from "../messaging/database";
import { itemStore } from "./item-store";

export const ENGINE_ACTIONS = [
  "BatchGetItem",
  "CreateTable",
  "DeleteItem",
  "DeleteTable",
  "DescribeTable",
  "GetItem",
  "PutItem",
  "Query",
  "Scan",
  "UpdateItem",
  "UpdateTable",
] as const;
export type EngineAction = (typeof ENGINE_ACTIONS)[number];

/** Change an item and its copies in the indexes: both or neither. */
const ITEM_WRITES: ReadonlySet<EngineAction> = new Set<EngineAction>(["DeleteItem", "PutItem", "UpdateItem"]);

/** An item or a key, in DynamoDB's JSON. */
export type WireItem = Readonly<Record<string, unknown>>;

/** An error of DynamoDB, which may have members of its own. */
export class DynamoError extends Error {
  constructor(
    readonly status: number,
    readonly body: Readonly<Record<string, unknown>>,
  ) {
    super(String(body.message ?? body.Message ?? body.__type));
  }

  /** Without its namespace, e.g. `ConditionalCheckFailedException`. */
  get code(): string {
    return String(this.body.__type).replace(/^.*#/, "");
  }
}

type Action = (store: DynaliteStore, data: Record<string, unknown>, callback: (error: unknown, data?: unknown) => void) => void;
interface Validation {
  readonly types: Readonly<Record<string, TypeNode>>;
  readonly custom: unknown;
}
/** A node of dynalite's type tables. */
type TypeNode = string | { readonly type: string; readonly children?: TypeNode | Readonly<Record<string, TypeNode>> };

// Loaded by path, since each action is a module of its own.
const load = createRequire(join(process.cwd(), "package.json"));
const fromHere = typeof require === "function" ? require : load;
const validations = fromHere("dynalite/validations") as typeof import("dynalite/validations");
const modules = new Map(
  ENGINE_ACTIONS.map((name) => {
    const file = name.charAt(0).toLowerCase() + name.slice(1);
    return [
      name,
      { run: fromHere(`dynalite/actions/${file}`) as Action, validation: fromHere(`dynalite/validations/${file}`) as Validation },
    ];
  }),
);

export class DynamoEngine {
  private readonly store: DynaliteStore;
  private readonly keys = new Map<string, readonly string[]>();

  constructor(
    private readonly db: DatabaseSync,
    identity: { readonly region: string; readonly accountId: string },
  ) {
    this.store = itemStore(db, identity);
  }

  /** Runs one action. Throws {@link DynamoError} for DynamoDB's own errors, {@link AwsError} for unsupported members. */
  run(action: EngineAction, input: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>> {
    const module = modules.get(action);
    if (!module) throw new Error(`dynalite has no action ${action}.`);
    const { types, custom } = module.validation;
    refuseUnknown(input, types, `dynamodb:${action}`);
    // A later table of the same name may have other keys.
    if (action === "DeleteTable") this.keys.delete(String(input.TableName));
    const perform = (callback: (error: unknown, data?: unknown) => void) => {
      const checked = validations.checkTypes(structuredClone(input), types);
      validations.checkValidations(checked, types, custom, this.store);
      module.run(this.store, checked, callback);
    };
    return ITEM_WRITES.has(action) ? this.write(perform) : outcomeOf(perform);
  }

  /** Every step of a write answers within the call, so that all of them are one transaction. */
  private async write(perform: Perform): Promise<Record<string, unknown>> {
    try {
      return transaction(this.db, () => {
        let outcome: { readonly error: unknown; readonly data: unknown } | undefined;
        perform((error, data) => {
          outcome = { error, data };
        });
        if (outcome === undefined) throw new Error("dynalite left a write unfinished.");
        if (outcome.error) throw outcome.error;
        return recordOf(outcome.data);
      });
    } catch (error) {
      throw asDynamoError(error);
    }
  }

  /** The newest state of an item; undefined when there is none. */
  async item(TableName: string, Key: WireItem): Promise<WireItem | undefined> {
    return (await this.run("GetItem", { TableName, Key, ConsistentRead: true })).Item as WireItem | undefined;
  }

  /** The attributes of an item that are its key; those that it lacks are left out. */
  async keyOf(TableName: string, item: WireItem): Promise<WireItem> {
    let names = this.keys.get(TableName);
    if (names === undefined) {
      const { Table } = (await this.run("DescribeTable", { TableName })) as {
        readonly Table: { readonly KeySchema: readonly { readonly AttributeName: string }[] };
      };
      names = Table.KeySchema.map(({ AttributeName }) => AttributeName);
      this.keys.set(TableName, names);
    }
    return Object.fromEntries(names.flatMap((name) => (item[name] === undefined ? [] : [[name, item[name]]])));
  }
}

type Perform = (callback: (error: unknown, data?: unknown) => void) => void;

function outcomeOf(perform: Perform): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    try {
      perform((error, data) => {
        if (error) reject(asDynamoError(error));
        else resolve(recordOf(data));
      });
    } catch (error) {
      reject(asDynamoError(error));
    }
  });
}

function asDynamoError(error: unknown): unknown {
  if (typeof error !== "object" || error === null || !("statusCode" in error) || !("body" in error)) return error;
  const { statusCode, body } = error;
  return typeof statusCode === "number" && typeof body === "object" && body !== null
    ? new DynamoError(statusCode, body as Record<string, unknown>)
    : error;
}

/** Walks the request beside dynalite's type table; attribute values are free-form and end the walk. */
function refuseUnknown(value: unknown, children: Readonly<Record<string, TypeNode>>, where: string): void {
  if (typeof value !== "object" || value === null) return;
  for (const [name, item] of Object.entries(value)) {
    const node = Object.hasOwn(children, name) ? children[name] : undefined;
    if (item === null || item === undefined) continue;
    if (node === undefined)
      throw new AwsError(
        "UnsupportedOperation",
        `${where}: the member '${name}' is not supported by the local DynamoDB; leave it out.`,
        501,
      );
    refuseInside(item, node, `${where}.${name}`);
  }
}

function refuseInside(value: unknown, node: TypeNode, where: string): void {
  if (typeof node === "string" || node.children === undefined) return;
  const { children } = node;
  if (node.type.startsWith("AttrStruct")) return;
  if (node.type.startsWith("FieldStruct") || node.type.startsWith("ValueStruct")) {
    if (typeof children === "object" && !("type" in children && typeof children.type === "string"))
      refuseUnknown(value, children as Readonly<Record<string, TypeNode>>, where);
    return;
  }
  const items = Array.isArray(value) ? value : typeof value === "object" && value !== null ? Object.values(value) : [];
  for (const item of items) refuseInside(item, children as TypeNode, where);
}
