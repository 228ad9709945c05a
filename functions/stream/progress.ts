/** How far a batch has come. Records are finished from the front: where one step stops, the batch ends for all later steps. */
export interface Progress {
  /** Records before this index have not been held up so far. */
  readonly done: number;
  /** The first thing that went wrong, for the log. */
  readonly error: unknown;
}

/** What a step could not finish. */
export interface Unfinished {
  /** Indexes of records. */
  readonly indexes: readonly number[];
  /** The reason. */
  readonly error: unknown;
}

export const afterStep = ({ done, error }: Progress, unfinished: Unfinished): Progress => ({
  done: Math.min(done, ...unfinished.indexes),
  error: error ?? unfinished.error,
});

export interface InBatch {
  readonly candidate: { readonly index: number };
}

/** All of a step's entries, when the step as a whole failed. */
export const unfinishedAll = (entries: readonly InBatch[], error: unknown): Unfinished => ({
  indexes: entries.map(({ candidate }) => candidate.index),
  error,
});

export const inOrder = <T extends InBatch>(list: readonly T[]): readonly T[] =>
  list.toSorted((a, b) => a.candidate.index - b.candidate.index);

/** The entries (in order) of the records that are not held up. */
export function notHeldUp<T extends InBatch>({ done }: Progress, entries: readonly T[]): readonly T[] {
  const last = entries.at(-1);
  return last === undefined || last.candidate.index < done ? entries : entries.filter(({ candidate }) => candidate.index < done);
}
