import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { describe, expect, it } from "vitest";
import { device as validate } from "#validators";
import { deviceLines, deviceVisit } from "../../cli/training/device-world";
import { SEED, writeDeviceData } from "../../cli/training/training-data";
import { accept } from "../../functions/scoring/core/accept";
import { encoder } from "../../functions/scoring/models/feature-encoder";
import { type FeatureSpec, featureSpecOf } from "../../functions/scoring/models/feature-spec";
import { DEVICE } from "../../functions/scoring/profiles/device";

const COUNT = 3000;
const visits = Array.from({ length: COUNT }, (_, index) => deviceVisit(SEED, index, COUNT));

describe("the device world", () => {
  it("makes visits that the platform accepts, in time order", () => {
    for (const { raw } of visits) expect(accept(DEVICE, validate, raw)).toMatchObject({ ok: true });
    expect(visits.every(({ atMs }, index) => index === 0 || atMs >= visits[index - 1]!.atMs)).toBe(true);
    expect(new Set(visits.map(({ raw }) => raw.request_id)).size).toBe(COUNT);
  });

  it("has scores from 0 to 100, low for most, high for some", () => {
    const labels = visits.map(({ label }) => label).sort((a, b) => a - b);
    expect(labels.every((label) => Number.isInteger(label) && label >= 0 && label <= 100)).toBe(true);
    const share = (from: number) => labels.filter((label) => label >= from).length / COUNT;
    expect(labels[COUNT / 2]).toBeLessThan(30);
    expect(share(75)).toBeGreaterThan(0.04);
    expect(share(75)).toBeLessThan(0.25);
  });

  it("has values missing, rare ones, and some that only the newest tenth knows", () => {
    const missing = (name: string) => visits.filter(({ raw }) => raw[name] === null).length / COUNT;
    expect(missing("battery_percent")).toBeGreaterThan(0.4);
    expect(missing("vpn")).toBeGreaterThan(0.002);
    const browsers = (part: typeof visits) => new Set(part.map(({ raw }) => raw.browser));
    expect(browsers(visits.slice(0, COUNT * 0.9)).has("Ladybird")).toBe(false);
    expect(browsers(visits.slice(COUNT * 0.9)).has("Ladybird")).toBe(true);
  });

  it("writes CSV that reads back as it was: the same encoded rows", () => {
    const folder = mkdtempSync(join(tmpdir(), "device-"));
    const file = writeDeviceData(folder, 300, 5);
    const text = readFileSync(file, "utf8");
    expect(text).toBe(`${[...deviceLines(5, 300)].join("\n")}\n`);
    const rows: Readonly<Record<string, string>>[] = parse(text, { columns: true });
    expect(Object.keys(rows[0]!)).toEqual(["key", "time", ...DEVICE.features.definitions.map(({ name }) => name), "label"]);
    const spec: FeatureSpec = {
      version: 1,
      features: featureSpecOf(DEVICE).features.map((feature) => {
        if (!("encoder" in feature) || feature.encoder === "encoded") return feature;
        return { ...feature, categories: [...new Set(rows.map((row) => row[feature.name]!))].filter((value) => value !== "") };
      }),
    };
    const encode = encoder(spec);
    for (const [index, row] of rows.entries()) {
      const { raw, atMs, label } = deviceVisit(5, index, 300);
      expect([row.key, row.time, Number(row.label)]).toEqual([raw.request_id, new Date(atMs).toISOString(), label]);
      expect(encode.encode(row)).toEqual(encode.encode(raw));
    }
    rmSync(folder, { recursive: true });
  });
});
