/** Takes pieces of any size out of chunks of any size, and holds no more than the piece that is asked for. */
export class ChunkReader {
  private readonly chunks: AsyncIterator<Uint8Array>;
  private held: Buffer[] = [];
  private size = 0;
  private ended = false;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.chunks = chunks[Symbol.asyncIterator]();
  }

  /** @returns whether as much is there */
  async has(length: number): Promise<boolean> {
    while (this.size < length && !this.ended) {
      const { done, value } = await this.chunks.next();
      if (done === true) this.ended = true;
      else this.hold(value);
    }
    return this.size >= length;
  }

  /** The next bytes, as many as there are if the source ends before. They stay. */
  async peek(length: number): Promise<Buffer> {
    await this.has(length);
    if (this.held.length > 1 && (this.held[0]?.length ?? 0) < length) this.held = [Buffer.concat(this.held)];
    return (this.held[0] ?? Buffer.alloc(0)).subarray(0, length);
  }

  /** Leaves out bytes that are there. */
  drop(length: number): void {
    let left = length;
    while (left > 0) {
      const [first] = this.held;
      if (first === undefined) return;
      const taken = Math.min(left, first.length);
      if (taken === first.length) this.held.shift();
      else this.held[0] = first.subarray(taken);
      this.size -= taken;
      left -= taken;
    }
  }

  /** @returns null, and leaves what there is, when the source ends before */
  async take(length: number): Promise<Buffer | null> {
    const bytes = await this.peek(length);
    if (bytes.length < length) return null;
    this.drop(length);
    return bytes;
  }

  /** Moves behind the next `marker`. @returns false when the source ends before */
  async skipBehind(marker: Buffer): Promise<boolean> {
    const window = 64 * 1024;
    for (;;) {
      const bytes = await this.peek(window);
      const found = bytes.indexOf(marker);
      if (found >= 0) {
        this.drop(found + marker.length);
        return true;
      }
      if (bytes.length < window) {
        this.drop(bytes.length);
        return false;
      }
      // The marker may begin at the window's end.
      this.drop(bytes.length - marker.length + 1);
    }
  }

  /** Lets the source know that nothing more is wanted. */
  async close(): Promise<void> {
    if (!this.ended) await this.chunks.return?.();
  }

  private hold(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.held.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length));
    this.size += chunk.length;
  }
}
