/** Staging and prod under the real engine. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startWorld, type World } from "./world";

describe.each(["staging", "prod"])("%s", (stack) => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld(stack);
  });
  afterAll(() => world?.stop());

  it("is created, and a second preview changes nothing", async () => {
    const steps = await world.preview();
    expect(steps.every((step) => step.startsWith("create "))).toBe(true);
    const created = await world.pulumi("up", "--yes", "--skip-preview");
    expect(created.stdout + created.stderr).toContain(`${steps.length} created`);
    expect(created.status).toBe(0);
    expect(await world.preview()).toEqual([]);
  });

  it(stack === "prod" ? "is not destroyed: what holds data is protected" : "is destroyed", async () => {
    const destroyed = await world.pulumi("destroy", "--yes", "--skip-preview");
    const left = [...world.session.resources()].map(({ name }) => name);
    if (stack === "prod") {
      expect(destroyed.status).not.toBe(0);
      expect(destroyed.stdout + destroyed.stderr).toContain("protect");
      expect(left).toEqual(
        expect.arrayContaining(["fraud-stream", "fraud-results-table", "fraud-data-bucket", "warehouse-namespace"]),
      );
    } else {
      expect(destroyed.stdout + destroyed.stderr).toMatch(/- \d+ deleted/);
      expect(destroyed.status).toBe(0);
      expect(left.filter((name) => !/^(gateway-logs|models-)/.test(name))).toEqual([]);
    }
  });
});
