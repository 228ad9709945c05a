/** A model behind a pipe: one Python process that has loaded it and answers one request after the other, each a line of JSON. */
import { createInterface } from "node:readline";
import type { After } from "../jobs/control";
import type { PythonProcess } from "../jobs/python-process";

/** The model answered a request with an error; others may still succeed. */
export class ModelError extends Error {}

/** The process is gone: no request can succeed any more. */
export class ServerGone extends Error {}

export class ModelServer {
  private readonly answers: AsyncIterator<string>;

  constructor(
    private readonly process: PythonProcess,
    private readonly after: After,
  ) {
    const { answers } = process.child;
    // A broken pipe ends the lines, which `next` reports.
    answers.on("error", () => undefined);
    this.answers = createInterface({ input: answers })[Symbol.asyncIterator]();
  }

  /** Resolves when the model is loaded. @throws ServerGone with the reason */
  async ready(): Promise<void> {
    await this.next();
  }

  /** @throws ModelError, ServerGone */
  async invoke(body: string, timeoutMs: number): Promise<string> {
    this.process.child.input.write(`${JSON.stringify({ body })}\n`);
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

  private async next(): Promise<string> {
    const line = await this.answers.next();
    if (line.done === true) throw new ServerGone((await this.process.failure)?.message ?? "the model server ended by itself");
    // Written by our own host.
    const { body, error } = JSON.parse(line.value) as { readonly body: string; readonly error?: string };
    if (error !== undefined) throw new ModelError(error);
    return body;
  }
}
