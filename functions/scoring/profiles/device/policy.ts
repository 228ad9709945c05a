import type { PolicyDocument } from "../../core/policy-document";

/**
 * Rules that score devices until a model has been trained and approved. Their points are added to a model's: a stack that promotes a
 * model lowers the rules that it has learnt with `device.policy.weights`. The bands are the usual ones of fraud scores: suspicious
 * from 75, high risk from 90.
 */
export const DEVICE_POLICY: PolicyDocument = {
  version: "device-1",
  profile: "device",
  model: { kind: "rules-only" },
  thresholds: {
    emulator: 0.8,
    timezone_hours: 3,
    accounts_24h: 4,
    ip_risk: 75,
    failed_logins: 5,
    chargebacks: 1,
    inconsistencies: 3,
    new_days: 1,
  },
  rules: [
    { id: "automation", when: { field: "bot", op: "==", value: 1 }, weight: 45, text: "A program drives the browser" },
    {
      id: "emulator",
      when: {
        any: [
          { field: "device_integrity", op: "==", value: "emulator" },
          { field: "emulator_likelihood", op: ">=", value: "$emulator" },
        ],
      },
      weight: 30,
      text: "The device is an emulator or a virtual machine",
    },
    {
      id: "tampered",
      when: {
        any: [
          { field: "device_integrity", op: "==", value: "rooted" },
          { field: "device_integrity", op: "==", value: "jailbroken" },
        ],
      },
      weight: 10,
      text: "The device's protection has been removed",
    },
    {
      id: "anonymised",
      when: {
        any: [
          { field: "vpn", op: "==", value: 1 },
          { field: "proxy", op: "==", value: 1 },
        ],
      },
      weight: 12,
      text: "The address hides behind a VPN or proxy",
    },
    {
      id: "timezone_mismatch",
      when: { field: "timezone_mismatch_hours", op: ">=", value: "$timezone_hours" },
      weight: 15,
      text: "Clock and address are {timezone_mismatch_hours} hours apart",
    },
    {
      id: "many_accounts",
      when: { field: "accounts_on_device_24h", op: ">=", value: "$accounts_24h" },
      weight: 25,
      text: "{accounts_on_device_24h} accounts on the device within a day",
    },
    {
      id: "bad_address",
      when: { field: "ip_risk_score", op: ">=", value: "$ip_risk" },
      weight: 15,
      text: "The address has a reputation of {ip_risk_score}",
    },
    {
      id: "failed_logins",
      when: { field: "failed_logins_24h", op: ">=", value: "$failed_logins" },
      weight: 12,
      text: "{failed_logins_24h} logins failed within a day",
    },
    {
      id: "chargebacks",
      when: { field: "chargebacks_365d", op: ">=", value: "$chargebacks" },
      weight: 30,
      text: "{chargebacks_365d} chargebacks within a year",
    },
    {
      id: "inconsistent",
      when: { field: "inconsistency_count", op: ">=", value: "$inconsistencies" },
      weight: 15,
      text: "The browser contradicts itself {inconsistency_count} times",
    },
    {
      id: "new_device_and_account",
      when: {
        all: [
          { field: "device_age_days", op: "<", value: "$new_days" },
          { field: "account_age_days", op: "<", value: "$new_days" },
        ],
      },
      weight: 8,
      text: "Device and account are both new",
    },
  ],
  bands: [
    { name: "low", min: 0 },
    { name: "medium", min: 40 },
    { name: "high", min: 75, alert: true },
    { name: "critical", min: 90, alert: true },
  ],
};
