/** The choice of calls: by seed, by number and by time. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FaultInjector } from "../../src/faults/injector";
import type { CallRule } from "../../src/faults/schedule";

const put = { service: "dynamodb", action: "PutItem", functionName: "dev-stream-1a2b" };
const get = { service: "dynamodb", action: "GetItem" };

const hits = (injector: FaultInjector, calls: readonly { service: string; action: string }[]) =>
  calls.flatMap((call, index) => (injector.next(call) === undefined ? [] : [index]));

const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);

describe("a rule", () => {
  it("hits the n-th call, each n-th call, or calls by chance", () => {
    const rule = { kind: "error", service: "dynamodb" } as const;
    expect(hits(new FaultInjector(1, [{ ...rule, nth: 3 }]), times(9, put))).toEqual([2]);
    expect(hits(new FaultInjector(1, [{ ...rule, every: 3 }]), times(9, put))).toEqual([2, 5, 8]);
    expect(hits(new FaultInjector(1, [{ ...rule, every: 3, times: 2 }]), times(9, put))).toEqual([2, 5]);
    expect(hits(new FaultInjector(1, [{ ...rule, probability: 1 }]), times(3, put))).toEqual([0, 1, 2]);
    expect(hits(new FaultInjector(1, [{ ...rule, probability: 0 }]), times(3, put))).toEqual([]);
    const share = hits(new FaultInjector(1, [{ ...rule, probability: 0.2 }]), times(2000, put)).length;
    expect(share).toBeGreaterThan(300);
    expect(share).toBeLessThan(500);
  });

  it("leaves other services, actions and callers alone", () => {
    const rule = { kind: "error", service: "dynamodb", nth: 1 } as const;
    expect(hits(new FaultInjector(1, [{ ...rule, action: "PutItem" }]), [get, put])).toEqual([1]);
    expect(hits(new FaultInjector(1, [{ ...rule, functionName: "stream" }]), [get, put])).toEqual([1]);
    expect(hits(new FaultInjector(1, [{ ...rule, functionName: "loader" }]), [get, put])).toEqual([]);
    expect(hits(new FaultInjector(1, [rule]), [{ service: "s3", action: "GetObject" }])).toEqual([]);
  });

  it("kills functions, and nobody else", () => {
    expect(hits(new FaultInjector(1, [{ kind: "crash", service: "dynamodb", nth: 1 }]), [get, put, put])).toEqual([1]);
  });

  it("applies in its time, which comes again", () => {
    const clock = { ms: 5_000 };
    const rule = { kind: "error", service: "dynamodb", probability: 1, fromSeconds: 1, untilSeconds: 3 } as const;
    const during = (extra: Partial<Pick<CallRule, "repeatSeconds">>) => {
      clock.ms = 5_000;
      const injector = new FaultInjector(1, [{ ...rule, ...extra }], () => clock.ms);
      return Array.from({ length: 10 }, (_, second) => {
        clock.ms = 5_000 + second * 1000;
        return injector.next(put) === undefined ? [] : [second];
      }).flat();
    };
    expect(during({})).toEqual([1, 2]);
    expect(during({ repeatSeconds: 4 })).toEqual([1, 2, 5, 6, 9]);
  });

  it("is counted by kind and action", () => {
    const injector = new FaultInjector(1, [
      { kind: "throttle", service: "dynamodb", action: "PutItem", every: 2 },
      { kind: "error", service: "dynamodb", every: 3 },
    ]);
    for (const call of times(6, put)) injector.next(call);
    injector.next(get);
    // The sixth call is the throttle's, which comes first.
    expect(injector.injected()).toEqual([
      { kind: "throttle", target: "dynamodb PutItem", count: 3 },
      { kind: "error", target: "dynamodb PutItem", count: 1 },
    ]);
  });
});

describe("a seed", () => {
  const rules: readonly CallRule[] = [
    { kind: "throttle", service: "dynamodb", action: "PutItem", probability: 0.3 },
    { kind: "slow", service: "dynamodb", action: "GetItem", probability: 0.3 },
  ];

  it("gives the same faults for the same calls, whatever comes between them", () => {
    const anyCalls = fc.array(fc.constantFrom(put, get), { maxLength: 60 });
    fc.assert(
      fc.property(fc.nat(), anyCalls, (seed, calls) => {
        const mixed = new FaultInjector(seed, rules);
        const alone = new FaultInjector(seed, rules);
        const ofPuts = calls.flatMap((call) => {
          const fault = mixed.next(call);
          return call === put ? [fault] : [];
        });
        expect(ofPuts).toEqual(ofPuts.map(() => alone.next(put)));
      }),
    );
  });

  it("differs from another", () => {
    const of = (seed: number) => hits(new FaultInjector(seed, rules), times(50, put));
    expect(of(7)).toEqual(of(7));
    expect(of(7)).not.toEqual(of(8));
  });
});
