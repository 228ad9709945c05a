export type { ObjectAccess, ObjectPlace } from "./objects";
export type { SessionResult, SessionStatement } from "./session";
export { type DatabaseUser, type Session, type TransactionHandle, Warehouse, type WarehouseOptions } from "./warehouse";
