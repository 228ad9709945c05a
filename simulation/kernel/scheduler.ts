/** Virtual time: events run one after the other in the order of their times, and between two events all promises settle. */
interface Timed {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

export class Scheduler {
  #now: number;
  #scheduled = 0;
  readonly #heap: Timed[] = [];

  constructor(startMs: number) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now;
  }

  after(milliseconds: number, run: () => void): void {
    this.#push({ at: this.#now + Math.max(0, milliseconds), order: this.#scheduled++, run });
  }

  sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => this.after(milliseconds, resolve));
  }

  /** Runs until nothing is scheduled any more. @returns false when `endMs` came first */
  async run(endMs: number): Promise<boolean> {
    for (;;) {
      // A turn of the event loop comes only when no microtask is left.
      await new Promise((resolve) => setImmediate(resolve));
      const next = this.#heap[0];
      if (next === undefined) return true;
      if (next.at > endMs) return false;
      this.#pop();
      this.#now = next.at;
      next.run();
    }
  }

  #push(event: Timed): void {
    const heap = this.#heap;
    let index = heap.push(event) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(heap[index]!, heap[parent]!)) break;
      swap(heap, index, parent);
      index = parent;
    }
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    heap[0] = last;
    for (let index = 0; ; ) {
      const left = 2 * index + 1;
      const right = left + 1;
      let first = index;
      if (left < heap.length && isBefore(heap[left]!, heap[first]!)) first = left;
      if (right < heap.length && isBefore(heap[right]!, heap[first]!)) first = right;
      if (first === index) return;
      swap(heap, index, first);
      index = first;
    }
  }
}

const isBefore = (a: Timed, b: Timed): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

function swap(heap: Timed[], a: number, b: number): void {
  const kept = heap[a]!;
  heap[a] = heap[b]!;
  heap[b] = kept;
}
