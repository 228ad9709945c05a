import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { planText } from "../../../functions/files/columns";
import { readRowsFrom } from "../../../functions/files/read";
import foreign from "../formats/fixtures/containers.json";
import { all, inChunks, readFile } from "./samples";

const CONTAINER = Buffer.from(foreign.containers.deflate, "base64");
/** Two columns of objects, one row: {"a":"x"}, whose schema is a string in the second file. */
const container = (schema: unknown, block: readonly number[], count: number): Buffer => {
  const text = Buffer.from(JSON.stringify(schema));
  const name = Buffer.from("avro.schema");
  const sync = Buffer.alloc(16, 7);
  const head = [
    Buffer.from("Obj\u0001"),
    Buffer.from([2, name.length * 2]),
    name,
    long(text.length),
    text,
    Buffer.from([0]),
    sync,
  ];
  return Buffer.concat([...head, long(count), long(block.length), Buffer.from(block), sync]);
};
/** A small length as Avro writes it. */
const long = (value: number): Buffer => Buffer.from(value < 64 ? [value * 2] : [((value * 2) & 127) | 128, (value * 2) >> 7]);
const RECORD = { type: "record", name: "T", fields: [{ name: "a", type: "string" }] };

describe("rows of an Avro object container", () => {
  it("are read with its schema, in any chunks, compressed once more or not", async () => {
    const { plan, rows, sample } = await readFile(CONTAINER, {}, [5, 100, 3]);
    expect(planText(plan)).toBe("Avro object container");
    expect(rows).toHaveLength(foreign.count);
    expect(sample.length).toBeGreaterThan(0);
    const packed = await readFile(gzipSync(CONTAINER));
    expect(packed.rows).toEqual(rows);
    expect(packed.plan.contentId).toBe(plan.contentId);
  });

  it("go on after any row", async () => {
    const { plan, rows } = await readFile(CONTAINER);
    const after = rows[2];
    expect(await all(readRowsFrom(inChunks(CONTAINER), plan, after?.next ?? { offset: 0, line: 0, row: 0 }))).toEqual(
      rows.slice(3),
    );
  });

  it("are none of a damaged block, which is one row that can't be read", async () => {
    const { rows } = await readFile(container(RECORD, [2, 0x78, 9], 2));
    expect(rows).toMatchObject([
      { kind: "row", cells: { a: "x" }, row: 1 },
      { kind: "unreadable", reason: expect.stringContaining("damaged block"), row: 2 },
    ]);
  });

  it("have to be records", async () => {
    const { rows } = await readFile(container("string", [2, 0x78], 1));
    expect(rows).toMatchObject([{ kind: "unreadable", reason: "not a record" }]);
  });

  it("are refused with the file when its header is damaged, and when it isn't one", async () => {
    await expect(readFile("Obj\u0001\u0002\u0001")).rejects.toThrow("damaged header");
    await expect(readFile("a,b\n1,2\n", { format: "avro" })).rejects.toThrow("doesn't begin like one");
  });
});
