/** Schedules of faults as JSON documents. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readFaultSchedule } from "../../src/faults/read-schedule";
import { FAULT_SERVICES } from "../../src/faults/schedule";
import { services } from "../engine/round-trip-world";

const read = (rules: unknown) => readFaultSchedule(JSON.stringify({ rules }), "faults.json");
const call = { kind: "error", service: "dynamodb", probability: 0.5 };
const disk = { kind: "full-disk", fromSeconds: 1, untilSeconds: 5 };

describe("a schedule of faults", () => {
  it("is read as it stands", () => {
    const rules = [
      { ...call, action: "PutItem", functionName: "stream", times: 3, fromSeconds: 0, untilSeconds: 5, repeatSeconds: 10 },
      { kind: "slow", service: "s3", every: 4, delayMs: 20 },
      { kind: "crash", service: "s3", nth: 4 },
      disk,
      { kind: "killed-database", fromSeconds: 3, repeatSeconds: 60 },
    ];
    expect(read(rules)).toEqual({ rules });
  });

  it.each([
    [
      [{ ...call, kind: "trottle" }],
      'rules[0].kind: expected one of throttle, error, slow, lost-reply, duplicate, crash, full-disk, killed-database, got "trottle"',
    ],
    [[call, { ...call, service: "dynamo" }], /rules\[1\]\.service: expected one of athena, .*, got "dynamo"/],
    [[{ kind: "error", nth: 1 }], "rules[0].service: is missing"],
    [[{ ...call, probabilty: 1 }], "rules[0].probabilty: unknown field; expected one of kind, service, action"],
    [[{ ...call, constructor: 1 }], "rules[0].constructor: unknown field"],
    [[{ ...call, probability: 2 }], "rules[0].probability: expected a number from 0 to 1, got 2"],
    [[{ ...call, nth: 2 }], "rules[0]: expected exactly one of probability, nth, every, got probability and nth"],
    [[{ kind: "error", service: "s3" }], "rules[0]: expected exactly one of probability, nth, every, got none"],
    [[{ kind: "error", service: "s3", every: 0 }], "rules[0].every: expected a whole number from 1, got 0"],
    [[{ ...call, delayMs: 5 }], "rules[0].delayMs: only for the kind slow; remove it"],
    [[{ ...call, fromSeconds: -1 }], "rules[0].fromSeconds: expected a number of seconds from 0, got -1"],
    [[{ ...disk, untilSeconds: 1 }], "rules[0].untilSeconds: expected more than fromSeconds (1), got 1"],
    [
      [{ ...disk, repeatSeconds: 4 }],
      "rules[0].repeatSeconds: expected more than the 4 s from fromSeconds to untilSeconds, got 4",
    ],
    [[{ kind: "full-disk" }], "rules[0].untilSeconds: is missing"],
    [
      [{ kind: "killed-database", fromSeconds: 1, untilSeconds: 2 }],
      "rules[0].untilSeconds: a killed database is started again at once",
    ],
    [
      [{ ...disk, service: "s3" }],
      "rules[0].service: unknown field; expected one of kind, fromSeconds, untilSeconds, repeatSeconds",
    ],
    [["error"], 'rules[0]: expected an object, got "error"'],
    [[], "rules: expected a list of rules, got []"],
    [undefined, "rules: expected a list of rules, got nothing"],
  ])("is refused with the field and what was expected: %j", (rules, message) => {
    expect(() => read(rules)).toThrow(message);
  });

  it("names every problem at once, and the file", () => {
    const document = JSON.stringify({ seed: 1, description: 5, rules: [{ kind: "x" }, { ...call, every: 1.5 }] });
    expect(() => readFaultSchedule(document, "my.json")).toThrow(
      /^my\.json is not a schedule of faults:\n {2}seed: unknown field.*\n {2}description: .*\n {2}rules\[0\]\.kind: .*\n {2}rules\[1\]\.every: .*\n {2}rules\[1\]: expected exactly one/,
    );
    expect(() => readFaultSchedule("{", "my.json")).toThrow(/^my\.json is not JSON: /);
    expect(() => readFaultSchedule("[]", "my.json")).toThrow('expected an object {"rules": […]}, got []');
  });

  it("is never half read, whatever the document is", () => {
    fc.assert(
      fc.property(fc.json(), (document) => {
        expect(() => readFaultSchedule(document, "any.json")).toThrow("any.json is not a schedule of faults");
      }),
    );
  });

  it("may name each service of the endpoint", () => {
    expect(services.aws.map(({ name }) => name).sort()).toEqual([...FAULT_SERVICES]);
  });
});
