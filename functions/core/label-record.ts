/** One line of a labels object (`labels/dt=YYYY-MM-DD/<batch>.ndjson.gz`): what became of an event. Column by column `risk.risk_labels_staging`. */
export interface LabelRecord {
  /** Of the scored event: a transaction's id, or the score id of a REST answer. */
  readonly event_id: string;
  /** True: it was fraud, the customer left, the lead bought. */
  readonly label: boolean;
  /** When the verdict was reached, ISO 8601, UTC. */
  readonly labelled_at: string;
  /** Who says so: `chargeback`, `investigation`, `crm`. */
  readonly source: string;
  /** When the platform got it, ISO 8601, UTC. */
  readonly received_at: string;
}
