/** Public data sets whose columns are known. */
import { plainName } from "../header";
import type { FieldSource, StepUnit } from "./types";

export interface Preset {
  readonly name: string;
  readonly title: string;
  /** A file with all of these columns is one of these. */
  readonly signature: readonly string[];
  readonly time:
    | { readonly kind: "text"; readonly columns: readonly string[]; readonly formats: readonly string[] }
    | { readonly kind: "steps"; readonly column: string; readonly unit: StepUnit; readonly since: string };
  /** Why the time is taken from there. */
  readonly why: string;
  /** Fields other than the time. Those whose columns a file hasn't got are left out. */
  readonly fields: Readonly<Record<string, FieldSource>>;
}

const from = (...columns: readonly string[]): FieldSource => ({ kind: "columns", columns });
const ROW: FieldSource = { kind: "row" };

export const PRESETS: readonly Preset[] = [
  {
    name: "paysim",
    title: "PaySim: mobile money transactions",
    signature: ["step", "type", "amount", "nameOrig", "oldbalanceOrg", "nameDest"],
    time: { kind: "steps", column: "step", unit: "hours", since: "2025-01-01T00:00:00Z" },
    why: "step counts hours of a simulated month without a date; they are counted from 2025-01-01T00:00:00Z",
    fields: {
      transaction_id: ROW,
      user_id: from("nameOrig"),
      amount: from("amount"),
      category: from("type"),
      merchant_id: from("nameDest"),
    },
  },
  {
    name: "tabformer",
    title: "TabFormer: IBM's credit card transactions",
    signature: ["User", "Card", "Year", "Month", "Day", "Time", "Amount", "Use Chip", "Merchant Name", "MCC"],
    time: { kind: "text", columns: ["Year", "Month", "Day", "Time"], formats: ["YYYY M D H:mm"] },
    why: "the time is in four columns",
    fields: {
      transaction_id: ROW,
      user_id: from("User"),
      amount: from("Amount"),
      currency: { kind: "constant", value: "USD" },
      category: from("MCC"),
      merchant_id: from("Merchant Name"),
      card_present: from("Use Chip"),
    },
  },
  {
    name: "ibm-aml",
    title: "IBM AML: transactions for anti money laundering",
    signature: [
      "Timestamp",
      "From Bank",
      "From Account",
      "To Bank",
      "To Account",
      "Amount Paid",
      "Payment Currency",
      "Payment Format",
    ],
    time: { kind: "text", columns: ["Timestamp"], formats: ["YYYY/MM/DD HH:mm"] },
    why: "the only time",
    fields: {
      transaction_id: ROW,
      // The same account number exists at several banks.
      user_id: from("From Bank", "From Account"),
      amount: from("Amount Paid"),
      currency: from("Payment Currency"),
      category: from("Payment Format"),
      merchant_id: from("To Bank", "To Account"),
    },
  },
  {
    name: "take-home",
    title: "The take-home e-commerce fraud file (Fraud_Data.csv)",
    signature: ["user_id", "signup_time", "purchase_time", "purchase_value", "device_id", "ip_address"],
    time: { kind: "text", columns: ["purchase_time"], formats: ["M/D/YYYY H:mm", "M/D/YYYY H:mm:ss", "M/D/YY H:mm"] },
    why: "the purchase is scored; signup_time is when the account was made",
    fields: {
      transaction_id: ROW,
      user_id: from("user_id"),
      amount: from("purchase_value"),
      device_id: from("device_id"),
      ip_address: from("ip_address"),
    },
  },
  {
    name: "sparkov",
    title: "Sparkov: simulated card transactions",
    signature: ["trans_date_trans_time", "cc_num", "merchant", "category", "amt", "trans_num"],
    time: {
      kind: "text",
      columns: ["trans_date_trans_time"],
      formats: ["M/D/YYYY H:mm", "D-M-YYYY H:mm", "M/D/YY H:mm"],
    },
    why: "unix_time is the same moment, but 2,557 days (seven years) too early",
    fields: {
      transaction_id: from("trans_num"),
      user_id: from("cc_num"),
      amount: from("amt"),
      category: from("category"),
      merchant_id: from("merchant"),
      latitude: from("merch_lat"),
      longitude: from("merch_long"),
      home_latitude: from("lat"),
      home_longitude: from("long"),
    },
  },
];

/** The preset whose signature the columns have, whatever their case, order and number. */
export function detectPreset(columns: readonly string[]): Preset | null {
  const names = new Set(columns.map(plainName));
  return PRESETS.find(({ signature }) => signature.every((column) => names.has(plainName(column)))) ?? null;
}
