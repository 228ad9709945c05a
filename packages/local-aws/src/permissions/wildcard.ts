/**
 * Patterns of policies: `*` any run, `?` any one character, `${*}`, `${?}` and `${$}` these characters themselves.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-specialchars
 */
const ESCAPE = /\$\{([*?$])\}/g;
const PIECE = /\$\{([*?$])\}|[\s\S]/g;

/** Every request is matched with the same few patterns; those with a caller's values in them may be many. */
const MAX_COMPILED = 10_000;
const compiled = new Map<string, RegExp>();

export function matchesWildcard(pattern: string, text: string): boolean {
  if (pattern === "*" || (pattern === text && !pattern.includes("${"))) return true;
  let expression = compiled.get(pattern);
  if (expression === undefined) {
    expression = compile(pattern);
    if (compiled.size === MAX_COMPILED) compiled.clear();
    compiled.set(pattern, expression);
  }
  return expression.test(text);
}

function compile(pattern: string): RegExp {
  const source = pattern.replace(PIECE, (piece, escaped: string | undefined) => {
    if (escaped !== undefined) return `\\${escaped}`;
    if (piece === "*") return ".*";
    return piece === "?" ? "." : piece.replace(/[.+^${}()|[\]\\]/, "\\$&");
  });
  return new RegExp(`^${source}$`, "s");
}

/** The pattern that only `text` matches; with `characters`, the one in which just these stand for themselves. */
export function literalPattern(text: string, characters = "*?$"): string {
  return text.replace(/[*?$]/g, (character) => (characters.includes(character) ? `\${${character}}` : character));
}

/** The text that a pattern stands for where it is compared as a whole. */
export function unescaped(pattern: string): string {
  return pattern.includes("${") ? pattern.replace(ESCAPE, "$1") : pattern;
}
