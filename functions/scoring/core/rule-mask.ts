/**
 * A set of rules as the bits of one number: deciding allocates nothing for it. Bit `i` stands for the document's rule `i`; a policy has at
 * most 31 rules, so the number stays a small integer.
 */
export const NO_RULES = 0;

export const withRule = (mask: number, rule: number): number => mask | (1 << rule);

export const hasRule = (mask: number, rule: number): boolean => (mask & (1 << rule)) !== 0;

/** Index of the first rule of a set that is not empty: the lowest bit alone has as many leading zeros as tell its place. */
export const firstRule = (mask: number): number => 31 - Math.clz32(mask & -mask);

/** The set without its first rule: subtracting 1 turns the lowest bit off and those below it on. */
export const withoutFirst = (mask: number): number => mask & (mask - 1);
