import { DatabaseSync, type StatementSync } from "node:sqlite";

/** The platform's SQLite database. Each statement is prepared once: services prepare theirs for every request, and parsing takes longer than most of them run. */
export class StateDatabase extends DatabaseSync {
  private readonly prepared = new Map<string, StatementSync>();

  override prepare(sql: string): StatementSync {
    const known = this.prepared.get(sql);
    if (known !== undefined) return known;
    const statement = super.prepare(sql);
    this.prepared.set(sql, statement);
    return statement;
  }
}
