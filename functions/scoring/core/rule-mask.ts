/**
 * A set of rules as the bits of one number, so that deciding allocates nothing for it. Bit `i` stands for the document's rule `i`; a
 * policy has at most 31 rules, so the number stays a small integer.
 */
export const NO_RULES = 0;

export const withRule = (mask: number, rule: number): number => mask | (1 << rule);

export const hasRule = (mask: number, rule: number): boolean => (mask & (1 << rule)) !== 0;

/** Index of the first rule of a non-empty set: the number of leading zeros of its lowest bit gives the position. */
export const firstRule = (mask: number): number => 31 - Math.clz32(mask & -mask);

/** The set without its first rule: subtracting 1 clears the lowest bit and sets those below it. */
export const withoutFirst = (mask: number): number => mask & (mask - 1);
