import { flag, type Line, text, time } from "./line-columns";

/** One line of a labels object (`labels/dt=YYYY-MM-DD/<batch>.ndjson.zst`) and one row of `risk.risk_labels`: how an event turned out. */
export const LABEL_COLUMNS = {
  event_id: text(512, "Of the scored event: a transaction's id, or the score id of a REST answer."),
  label: flag("True: it was fraud, the customer left, the lead bought."),
  labelled_at: time("When the verdict was reached."),
  source: text(64, "Who says so: `chargeback`, `investigation`, `crm`."),
  received_at: time("When the platform got it."),
} as const;

export type LabelRecord = Line<typeof LABEL_COLUMNS>;
