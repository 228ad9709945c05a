/** What one record of the stream costs. Measured with the demo's traffic, which decides the shares of alerts and of users with several events. */
export const RECORD_COST = {
  /**
   * Milliseconds of one core: 0.03 to score (`npm run bench`, handler.stream) and 0.21 for each of at most two calls of the SDK, a result
   * and its user's state (a PutItem of such an item through the client with its connection replaced, Node 24, two cores).
   */
  cpuMilliseconds: 0.45,
  /**
   * Items of up to 1 KB; alerts explained feature by feature take two units (tests/functions/stream/result-item.test.ts). Users with one
   * event cost as much as users with many, and an event that is already stored as much as a new one. When an invocation's time ends before
   * its batch does, each record that it finished costs a second write (tests/e2e/slow-table.test.ts).
   */
  resultWriteUnits: 1.03,
  /** For a record that is delivered again after its user's state was written; a new record costs no read. */
  resultReadUnits: 1,
  /**
   * A state of up to 1 KB, one per user and batch; in the worst case every record belongs to another user. With 48 events a day it takes 2
   * units, and with thousands an hour 12, most of them for event marks (tests/functions/stream/state-size.test.ts).
   */
  stateWriteUnits: 1,
  alertShare: 0.03,
} as const;
