/** Emits the function that turns a row into ranks (see `../columns.ts`): branchless binary searches, four columns in flight. */
import { QUAD } from "../columns";
import { type KernelInput, type MemoryMap, missingRight, rankBias } from "../image";
import { type Code, F32, I32, type ModuleWriter, type Value } from "./code";

export interface RankForm {
  /** Bits that a rank is stored in. */
  readonly bits: 8 | 16 | 32;
  /** Bits that it is shifted left by. */
  readonly shift: number;
  /** Bytes from a slot to the next one. */
  readonly slotBytes: number;
}

/** `(row address, address of slot 0) → ()`. @returns the function's index */
export function defineRanks(module: ModuleWriter, description: KernelInput, map: MemoryMap, form: RankForm): number {
  return module.define({ parameters: [I32, I32], results: [] }, (code) => {
    const [row, base] = [0, 1];
    const emitter = new RankEmitter(code, description, map, form, row);
    code.set(emitter.out, () =>
      code.add(
        () => code.get(base),
        () => code.i32(form.slotBytes),
      ),
    );
    emitter.start();
    for (const { bits, count } of description.quads) emitter.quads(bits, count);
    if (description.setColumns > 0) emitter.sets(description.setColumns);
  });
}

class RankEmitter {
  /** Address of the current column's left slot. */
  readonly out: number;
  private readonly features: number;
  private readonly table: number;
  private readonly end: number;
  private readonly x: readonly number[];
  private readonly rank: readonly number[];

  constructor(
    private readonly code: Code,
    private readonly description: KernelInput,
    private readonly map: MemoryMap,
    private readonly form: RankForm,
    private readonly row: number,
  ) {
    this.out = code.local(I32);
    this.features = code.local(I32);
    this.table = code.local(I32);
    this.end = code.local(I32);
    this.x = Array.from({ length: QUAD }, () => code.local(F32));
    this.rank = Array.from({ length: QUAD }, () => code.local(I32));
  }

  start(): void {
    this.code.set(this.features, () => this.code.i32(this.map.sections.columnFeatures));
    this.code.set(this.table, () => this.code.i32(this.map.sections.thresholds));
  }

  /** Searches `count` quads of columns whose tables hold 2^bits thresholds. */
  quads(bits: number, count: number): void {
    const { code, form } = this;
    const tableBytes = 4 * 2 ** bits;
    code.set(this.end, () => this.plus(this.features, 4 * QUAD * count));
    code.repeat(
      () => {
        for (let lane = 0; lane < QUAD; lane++) {
          this.loadFeature(lane);
          code.set(this.rank[lane]!, () => code.get(this.table));
        }
        // The rank is kept as the address in the table that it leads to.
        for (let step = 2 ** (bits - 1); step >= 1; step /= 2) {
          for (let lane = 0; lane < QUAD; lane++) {
            const rank = this.rank[lane]!;
            const threshold: Value = () => code.loadFloat(() => code.get(rank), lane * tableBytes + 4 * (step - 1));
            const reached: Value = () => code.f32AtMost(threshold, () => code.get(this.x[lane]!));
            const advance: Value = () => code.shl(reached, Math.log2(4 * step));
            code.set(rank, () => code.add(() => code.get(rank), advance));
          }
        }
        for (let lane = 0; lane < QUAD; lane++) {
          this.write(lane, () =>
            code.shrU(
              () =>
                code.sub(
                  () => code.get(this.rank[lane]!),
                  () => code.get(this.table),
                ),
              2,
            ),
          );
        }
        this.advance(this.out, 2 * QUAD * form.slotBytes);
        this.advance(this.table, QUAD * tableBytes);
        this.advance(this.features, 4 * QUAD);
      },
      () => this.unfinished(),
    );
  }

  /** Looks `count` values up in their category sets. */
  sets(count: number): void {
    const { code, map, form } = this;
    const directory = this.table;
    const [category, inRange] = [this.rank[0]!, this.rank[1]!];
    code.set(directory, () => code.i32(map.sections.setDirectory));
    code.set(this.end, () => this.plus(this.features, 4 * count));
    code.repeat(
      () => {
        this.loadFeature(0);
        const x: Value = () => code.get(this.x[0]!);
        code.set(category, () => code.truncate(x));
        code.set(inRange, () =>
          code.and(
            () =>
              code.lessU(
                () => code.get(category),
                () => code.load(() => code.get(directory), 4),
              ),
            () => code.f32AtLeast(x, () => code.f32(0)),
          ),
        );
        code.set(category, () =>
          code.select(
            () => code.get(category),
            () => code.i32(0),
            () => code.get(inRange),
          ),
        );
        const byteAddress: Value = () =>
          code.add(
            () => code.load(() => code.get(directory), 0),
            () => code.shrU(() => code.get(category), 3),
          );
        const byte: Value = () => code.load8(byteAddress, map.sections.setBits);
        const bit: Value = () =>
          code.shrUBy(byte, () =>
            code.and(
              () => code.get(category),
              () => code.i32(7),
            ),
          );
        this.write(0, () => code.and(bit, () => code.get(inRange)));
        this.advance(this.out, 2 * form.slotBytes);
        this.advance(directory, 8);
        this.advance(this.features, 4);
      },
      () => this.unfinished(),
    );
  }

  private loadFeature(lane: number): void {
    const { code } = this;
    const feature: Value = () => code.load(() => code.get(this.features), 4 * lane);
    const address: Value = () =>
      code.add(
        () => code.get(this.row),
        () => code.shl(feature, 2),
      );
    code.set(this.x[lane]!, () => code.loadFloat(address, 0));
  }

  /** Stores a rank in the left slot, and in the right slot unless the value is missing. */
  private write(lane: number, rank: Value): void {
    const { code, description, form } = this;
    const local = this.rank[lane]!;
    const bias = rankBias(description) << form.shift;
    const shifted: Value = form.shift === 0 ? rank : () => code.shl(rank, form.shift);
    code.set(local, bias === 0 ? shifted : () => code.add(shifted, () => code.i32(bias)));
    const store = form.bits === 8 ? code.store8 : form.bits === 16 ? code.store16 : code.store;
    const out: Value = () => code.get(this.out);
    const x: Value = () => code.get(this.x[lane]!);
    store(out, 2 * lane * form.slotBytes, () => code.get(local));
    store(out, (2 * lane + 1) * form.slotBytes, () =>
      code.select(
        () => code.i32(missingRight(description) << form.shift),
        () => code.get(local),
        () => code.f32Differ(x, x),
      ),
    );
  }

  private plus(local: number, amount: number): void {
    this.code.add(
      () => this.code.get(local),
      () => this.code.i32(amount),
    );
  }

  private advance(local: number, amount: number): void {
    this.code.set(local, () => this.plus(local, amount));
  }

  private unfinished(): void {
    this.code.lessU(
      () => this.code.get(this.features),
      () => this.code.get(this.end),
    );
  }
}
