/** A model behind a pipe: one Python process that has loaded it and answers one request after the other. */
import type { Readable } from "node:stream";
import type { After } from "../jobs/control";
import type { PythonProcess } from "../jobs/python-process";

export interface ModelAnswer {
  readonly body: Buffer;
  readonly contentType: string;
}

interface Head {
  readonly ok: boolean;
  readonly length: number;
  readonly contentType?: string;
  readonly error?: string;
}

/** The model answered a request with an error; others may still succeed. */
export class ModelError extends Error {}

/** The process is gone: no request can succeed any more. */
export class ServerGone extends Error {}

export class ModelServer {
  private readonly frames: Frames;

  constructor(
    private readonly process: PythonProcess,
    private readonly after: After,
  ) {
    this.frames = new Frames(process.child.answers);
  }

  /** Resolves when the model is loaded. @throws ServerGone with the reason */
  async ready(): Promise<void> {
    await this.next();
  }

  /** @throws ModelError, ServerGone */
  async invoke(body: Buffer, contentType: string, accept: string, timeoutMs: number): Promise<ModelAnswer> {
    const head = JSON.stringify({ contentType, accept, length: body.length });
    this.process.child.input.write(`${head}\n`);
    this.process.child.input.write(body);
    let timedOut = false;
    const cancel = this.after(timeoutMs, () => {
      timedOut = true;
      this.process.child.kill("SIGKILL");
    });
    try {
      return await this.next();
    } catch (error) {
      throw timedOut
        ? new ServerGone(`the model did not answer within ${timeoutMs / 1000} s (InvocationsTimeoutInSeconds)`)
        : error;
    } finally {
      cancel();
    }
  }

  /** Ends the process and waits until it is gone. */
  async end(): Promise<void> {
    this.process.child.kill("SIGKILL");
    await this.process.failure;
  }

  private async next(): Promise<ModelAnswer> {
    const frame = await this.frames.next();
    if (frame === undefined) throw new ServerGone((await this.process.failure)?.message ?? "the model server ended by itself");
    const { head, body } = frame;
    if (!head.ok) throw new ModelError(head.error ?? "the model failed");
    return { body, contentType: head.contentType ?? "" };
  }
}

/** A line of JSON and as many bytes as it says, again and again. */
class Frames {
  private chunks: Buffer[] = [];
  private size = 0;
  private ended = false;
  private wake: (() => void) | undefined;

  constructor(stream: Readable) {
    stream.on("data", (chunk: Buffer) => {
      this.chunks.push(chunk);
      this.size += chunk.length;
      this.wake?.();
    });
    stream.on("error", () => undefined);
    stream.on("close", () => {
      this.ended = true;
      this.wake?.();
    });
  }

  /** Undefined when the stream ended. */
  async next(): Promise<{ readonly head: Head; readonly body: Buffer } | undefined> {
    while (!this.buffered().includes(10)) if (!(await this.more())) return undefined;
    const newline = this.buffered().indexOf(10);
    // Written by our own host.
    const head = JSON.parse(this.buffered().toString("utf8", 0, newline)) as Head;
    const end = newline + 1 + head.length;
    while (this.size < end) if (!(await this.more())) return undefined;
    const all = this.buffered();
    this.chunks = [all.subarray(end)];
    this.size -= end;
    return { head, body: all.subarray(newline + 1, end) };
  }

  private buffered(): Buffer {
    const [first, ...rest] = this.chunks;
    if (first !== undefined && rest.length === 0) return first;
    const all = Buffer.concat(this.chunks);
    this.chunks = [all];
    return all;
  }

  /** Waits for further bytes; false when there are none. */
  private async more(): Promise<boolean> {
    if (this.ended) return false;
    await new Promise<void>((resolve) => {
      this.wake = resolve;
    });
    this.wake = undefined;
    return true;
  }
}
