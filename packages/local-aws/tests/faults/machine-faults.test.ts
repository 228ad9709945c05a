/** A full disk and a killed database, by the clock. */
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { isDiskError, PretendedFullDisk } from "../../src/disk";
import { MachineFaults } from "../../src/faults/machine-faults";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Records what happens and when, in seconds. */
function world(isRunning = true) {
  const began = Date.now();
  const events: string[] = [];
  const note = (what: string) => events.push(`${(Date.now() - began) / 1000} ${what}`);
  return {
    events,
    setDiskFull: (full: boolean) => void note(full ? "full" : "room"),
    killDatabase: () => {
      note("kill");
      return isRunning;
    },
  };
}

describe("faults of the machine", () => {
  it("come at their time, and again", () => {
    const machine = world();
    const faults = new MachineFaults(
      [
        { kind: "full-disk", fromSeconds: 1, untilSeconds: 3, repeatSeconds: 10 },
        { kind: "killed-database", fromSeconds: 2 },
      ],
      machine,
    );
    vi.advanceTimersByTime(14_000);
    expect(machine.events).toEqual(["1 full", "2 kill", "3 room", "11 full", "13 room"]);
    expect(faults.injected()).toEqual([
      { kind: "full-disk", target: "", count: 2 },
      { kind: "killed-database", target: "", count: 1 },
    ]);
    faults.end();
    vi.advanceTimersByTime(60_000);
    expect(machine.events).toHaveLength(5);
  });

  it("leave the disk full until the last rule that fills it is over, or all end", () => {
    const machine = world();
    const rules = [
      { kind: "full-disk", fromSeconds: 0, untilSeconds: 4 },
      { kind: "full-disk", fromSeconds: 1, untilSeconds: 2 },
    ] as const;
    new MachineFaults(rules, machine);
    vi.advanceTimersByTime(10_000);
    expect(machine.events.filter((event) => event.endsWith("room"))).toEqual(["4 room"]);
    const ended = world();
    const faults = new MachineFaults(rules, ended);
    vi.advanceTimersByTime(1_500);
    faults.end();
    vi.advanceTimersByTime(10_000);
    expect(ended.events.filter((event) => event.endsWith("room"))).toEqual(["1.5 room"]);
  });

  it("aren't counted when there was nothing to kill", () => {
    const faults = new MachineFaults([{ kind: "killed-database", fromSeconds: 0 }], world(false));
    vi.advanceTimersByTime(10);
    expect(faults.injected()).toEqual([]);
  });
});

describe("a pretended full disk", () => {
  it("refuses each write as a disk would, keeps what is there, and has room again", () => {
    const db = new DatabaseSync(":memory:");
    db.exec("CREATE TABLE kept (a); INSERT INTO kept VALUES (1)");
    const insert = db.prepare("INSERT INTO kept VALUES (2)");
    const disk = new PretendedFullDisk(db);
    disk.set(true);
    expect(disk.full).toBe(true);
    const refusal = (() => {
      try {
        return insert.run();
      } catch (error) {
        return error;
      }
    })();
    expect(isDiskError(refusal)).toBe(true);
    expect(db.prepare("SELECT a FROM kept").all()).toEqual([{ a: 1 }]);
    disk.set(false);
    insert.run();
    expect(db.prepare("SELECT count(*) AS n FROM kept").get()).toEqual({ n: 2 });
    db.close();
  });
});
