/** The parts of dynalite that the local DynamoDB calls in-process, and the storage that it expects; the package ships no types. */
declare module "dynalite/db" {
  import type { Stream } from "node:stream";

  export type Callback = (error: unknown, value?: unknown) => void;

  export interface Table {
    readonly TableStatus: string;
  }

  /** Keys from and to; with `reverse` the last one first. */
  export interface Range {
    readonly gt?: string;
    readonly gte?: string;
    readonly lt?: string;
    readonly lte?: string;
    readonly reverse?: boolean;
    /** -1: all. */
    readonly limit?: number;
  }

  export interface SubStore {
    lock(key: string, work: (release: (callback: Callback) => Callback) => void): void;
    get(key: string, callback: Callback): void;
    put(key: string, value: unknown, callback: Callback): void;
    del(key: string, callback: Callback): void;
    createValueStream(range: Range): Stream;
  }

  export interface DynaliteStore {
    readonly options: {
      readonly createTableMs: number;
      readonly deleteTableMs: number;
      readonly updateTableMs: number;
      /** Bytes. */
      readonly maxItemSize: number;
    };
    readonly tableDb: SubStore & { readonly awsAccountId: string; readonly awsRegion: string };
    getItemDb(table: string): SubStore;
    deleteItemDb(table: string, callback: Callback): void;
    getIndexDb(type: string, table: string, index: string): SubStore;
    deleteIndexDb(type: string, table: string, index: string, callback: Callback): void;
    getTagDb(table: string): SubStore;
    deleteTagDb(table: string, callback: Callback): void;
    getTable(name: string, ...rest: [callback: Callback] | [checksStatus: boolean, callback: Callback]): void;
  }
}

declare module "dynalite/validations" {
  export function checkTypes(data: Record<string, unknown>, types: unknown): Record<string, unknown>;
  export function checkValidations(data: Record<string, unknown>, types: unknown, custom: unknown, store: unknown): void;
}
