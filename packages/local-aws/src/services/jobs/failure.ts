import { messageOf } from "@risk/program-graph";

/** Puts what failed in front of the reason. */
export async function failing<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new Error(`${what}: ${messageOf(error)}`);
  }
}
