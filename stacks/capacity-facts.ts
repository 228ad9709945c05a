/** What one record of the stream costs: measured on the demo's traffic, so shares of alerts and of users with several events are its. */
export const RECORD_COST = {
  /**
   * Milliseconds of one core: 0.03 to score (`npm run bench`, handler.stream) and 0.21 for each of at most two calls of the SDK, a result
   * and its user's state (a PutItem of such an item through the client with its connection replaced, Node 24, two cores).
   */
  cpuMilliseconds: 0.45,
  /**
   * Items of up to 1 KB; alerts that are explained by feature take two units (tests/functions/stream/result-item.test.ts). Users with one event
   * or many cost the same, and an event that was stored before as much as a new one. When the time of an invocation ends before its batch
   * does, each record that it finished costs a second write (tests/functions/stream/slow-table.test.ts).
   */
  resultWriteUnits: 1.03,
  /** Of a record that is delivered again after its user's state was written; one that is new costs none. */
  resultReadUnits: 1,
  /** A state of up to 1 KB, one a user and batch; at worst every record is another user's. */
  stateWriteUnits: 1,
  alertShare: 0.03,
} as const;
