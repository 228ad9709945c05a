/** Redshift's SQL on an embedded PostgreSQL. */
export type { SessionResult, SessionStatement } from "./session";
export { type DatabaseUser, type Session, type TransactionHandle, Warehouse } from "./warehouse";
