/**
 * One loopback port that speaks HTTP/1.1 and HTTP/2 without TLS. The first bytes of a connection show which: clients
 * with prior knowledge (Kinesis in the JavaScript SDK) start with the HTTP/2 preface.
 */
import http from "node:http";
import http2 from "node:http2";
import net from "node:net";
import type { AwsResponse } from "../contracts";
import type { SignedRequest } from "./signature-claim";

/** A larger body gets a 413 and isn't kept. */
const MAX_BODY_BYTES = 128 * 1024 * 1024;
/** How long `end()` lets running requests finish. */
const GRACE_MS = 2000;
const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

export class Port {
  private readonly plain: http.Server;
  private readonly multiplexed: http2.Http2Server;
  private readonly listener: net.Server;
  private readonly sockets = new Set<net.Socket>();
  private readonly sessions = new Set<http2.ServerHttp2Session>();
  private active = 0;

  constructor(
    private readonly handler: (request: SignedRequest) => Promise<AwsResponse>,
    private readonly log: (line: string) => void,
  ) {
    this.plain = http.createServer({ keepAliveTimeout: 65_000 }, (request, response) => this.serve(request, response));
    this.multiplexed = http2.createServer({}, (request, response) => this.serve(request, response));
    this.multiplexed.on("session", (session) => {
      this.sessions.add(session);
      session.on("close", () => this.sessions.delete(session));
    });
    this.listener = net.createServer({ noDelay: true, pauseOnConnect: false }, (socket) => this.accept(socket));
  }

  /** Listens on 127.0.0.1; 0 picks a free port. Resolves to the port; rejects with how to choose another one. */
  start(port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.listener.once("error", (error: NodeJS.ErrnoException) =>
        reject(
          error.code === "EADDRINUSE" ? new Error(`Port ${port} on 127.0.0.1 is in use; choose another one with --port.`) : error,
        ),
      );
      this.listener.listen(port, "127.0.0.1", () => {
        const address = this.listener.address();
        if (address === null || typeof address === "string") reject(new Error("The port has no address."));
        else resolve(address.port);
      });
    });
  }

  /** Stops accepting, lets running requests finish for the grace time, then closes what is left. */
  async end(): Promise<void> {
    if (!this.listener.listening) return;
    const closed = new Promise<void>((resolve) => this.listener.close(() => resolve()));
    for (const session of this.sessions) session.close();
    this.plain.closeIdleConnections();
    for (const socket of this.sockets) if (socket.bytesRead === 0) socket.destroy();
    // Connections handed over by hand are unknown to closeIdleConnections(): it only closes those the server tracks.
    const force = setTimeout(
      () => {
        for (const socket of this.sockets) socket.destroy();
      },
      this.active === 0 ? 50 : GRACE_MS,
    );
    await closed;
    clearTimeout(force);
  }

  private accept(socket: net.Socket): void {
    this.sockets.add(socket);
    socket.on("close", () => this.sockets.delete(socket));
    // A client may go away at any time.
    socket.on("error", () => socket.destroy());
    let seen = Buffer.alloc(0);
    const sniff = (chunk: Buffer): void => {
      seen = Buffer.concat([seen, chunk]);
      const compared = Math.min(seen.length, PREFACE.length);
      const couldBePreface = seen.subarray(0, compared).equals(PREFACE.subarray(0, compared));
      if (couldBePreface && compared < PREFACE.length) return;
      socket.off("data", sniff);
      socket.pause();
      socket.unshift(seen);
      (couldBePreface ? this.multiplexed : this.plain).emit("connection", socket);
      process.nextTick(() => socket.resume());
    };
    socket.on("data", sniff);
  }

  private serve(
    request: http.IncomingMessage | http2.Http2ServerRequest,
    response: http.ServerResponse | http2.Http2ServerResponse,
  ): void {
    this.active += 1;
    this.answer(request, response)
      .catch((error: Error) => {
        this.log(`endpoint: ${request.method} ${request.url}: ${error.stack ?? error.message}`);
        response.destroy();
      })
      .finally(() => {
        this.active -= 1;
      });
  }

  private async answer(
    request: http.IncomingMessage | http2.Http2ServerRequest,
    response: http.ServerResponse | http2.Http2ServerResponse,
  ): Promise<void> {
    const body = await readBody(request, MAX_BODY_BYTES);
    const answer =
      body === undefined
        ? { status: 413, headers: { connection: "close" }, body: `The request body is larger than ${MAX_BODY_BYTES} bytes.` }
        : await this.handler({
            method: request.method ?? "GET",
            target: request.url ?? "/",
            headers: headersOf(request.rawHeaders),
            body,
          });
    const payload = typeof answer.body === "string" ? Buffer.from(answer.body, "utf8") : (answer.body ?? Buffer.alloc(0));
    const version2 = request.httpVersionMajor === 2;
    response.statusCode = answer.status;
    for (const [name, value] of Object.entries(answer.headers ?? {})) {
      // HTTP/2 forbids connection-specific headers.
      if (!(version2 && name.toLowerCase() === "connection")) response.setHeader(name, value);
    }
    const bodiless = request.method === "HEAD" || answer.status === 204 || answer.status === 304;
    if (!bodiless) response.setHeader("content-length", payload.length);
    if (response instanceof http.ServerResponse) response.end(bodiless ? undefined : payload);
    else response.end(bodiless ? Buffer.alloc(0) : payload);
  }
}

/** The body; undefined when it is over the limit. The rest of it is read and dropped so that the client sees the response. */
export async function readBody(request: AsyncIterable<Buffer>, maxBytes: number): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size <= maxBytes) parts.push(chunk);
    else parts.length = 0;
  }
  return size > maxBytes ? undefined : Buffer.concat(parts);
}

function headersOf(raw: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let index = 0; index < raw.length; index += 2) {
    const sent = (raw[index] ?? "").toLowerCase();
    const name = sent === ":authority" ? "host" : sent;
    if (name.startsWith(":")) continue;
    const value = raw[index + 1] ?? "";
    headers[name] = headers[name] === undefined ? value : `${headers[name]},${value}`;
  }
  return headers;
}
