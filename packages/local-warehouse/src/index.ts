/** Redshift's SQL on an embedded PostgreSQL. */

export { DialectError } from "./dialect/lexer";
export { type LakeColumn, type LakeQuery, type LakeResult, type LakeTable, type Scan, tablesOf } from "./lake/lake";
export type { SessionResult, SessionStatement } from "./session";
export { type DatabaseUser, type Session, type TransactionHandle, Warehouse } from "./warehouse";
