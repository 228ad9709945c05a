/** Takes one line of a history: who, what. */
export type Trace = (actor: string, event: string) => void;

export const NO_TRACE: Trace = () => {};
