import { describe, expect, it } from "vitest";
import * as validators from "#validators";
import { restTraffic, streamTraffic } from "../../../cli/demo/traffic";
import { accept } from "../../../functions/scoring/core/accept";
import { CHURN } from "../../../functions/scoring/profiles/churn";
import { FRAUD } from "../../../functions/scoring/profiles/fraud";
import { LEAD } from "../../../functions/scoring/profiles/lead";

const now = Date.UTC(2026, 5, 1, 12);

function parsed(data: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(data));
  } catch {
    return undefined;
  }
}

describe("streamTraffic", () => {
  const traffic = streamTraffic({ seed: 7, count: 2000, now });

  it("is the same for the same seed", () => {
    expect(streamTraffic({ seed: 7, count: 2000, now })).toEqual(traffic);
  });

  it("expects of each record what the profile decides", () => {
    const arrival = { arrivedAtMs: now, maxAgeMs: 7300 * 86_400_000, maxFutureMs: 3_600_000 };
    const seen = new Map<string, string>();
    for (const record of traffic.records) {
      const accepted = accept(FRAUD, validators.fraud, parsed(record.data), arrival);
      const id = accepted.ok ? accepted.input.transactionId : "";
      const body = record.data.toString();
      const earlier = seen.get(id);
      const verdict = !accepted.ok
        ? "quarantined"
        : earlier === undefined
          ? "scored"
          : earlier === body
            ? "duplicate"
            : "quarantined";
      expect([record.label, verdict]).toEqual([record.label, record.expect]);
      if (accepted.ok && earlier === undefined) seen.set(id, body);
    }
  });

  it("contains every kind of record", () => {
    expect(traffic.scored).toBeGreaterThan(1800);
    expect(traffic.duplicates).toBeGreaterThan(5);
    expect(traffic.quarantined).toBeGreaterThan(15);
  });
});

describe("restTraffic", () => {
  it("expects 200 exactly where the schema accepts the body", () => {
    for (const call of restTraffic({ seed: 7, leads: 50, churn: 50 })) {
      if (call.expect === 415) continue;
      const ok =
        call.path === "/score"
          ? accept(LEAD, validators.lead, parsed(Buffer.from(call.body))).ok
          : accept(CHURN, validators.churn, parsed(Buffer.from(call.body))).ok;
      expect([call.label, ok]).toEqual([call.label, call.expect === 200]);
    }
  });
});
