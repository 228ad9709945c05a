/** Finds loopback ports before anything listens on them. */
import { createServer } from "node:net";

/** `wanted`, or a free port for 0. @throws Error with the fix when it is in use. */
export function reservePort(wanted: number, option: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) =>
      reject(
        error.code === "EADDRINUSE"
          ? new Error(`Port ${wanted} on 127.0.0.1 is in use; choose another one with ${option}.`)
          : error,
      ),
    );
    probe.listen(wanted, "127.0.0.1", () => {
      const address = probe.address();
      const port = typeof address === "object" && address !== null ? address.port : wanted;
      probe.close(() => resolve(port));
    });
  });
}
