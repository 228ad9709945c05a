export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Puts what failed in front of the reason. */
export async function failing<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new Error(`${what}: ${messageOf(error)}`);
  }
}
