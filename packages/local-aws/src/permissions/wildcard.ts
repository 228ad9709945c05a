/**
 * Patterns of policies: `*` any run, `?` any one character, `${*}`, `${?}` and `${$}` these characters themselves.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-specialchars
 */
const ESCAPE = /\$\{([*?$])\}/g;
const PIECE = /\$\{([*?$])\}|[\s\S]/g;

export function matchesWildcard(pattern: string, text: string): boolean {
  if (pattern === "*" || (pattern === text && !pattern.includes("${"))) return true;
  const source = pattern.replace(PIECE, (piece, escaped: string | undefined) => {
    if (escaped !== undefined) return `\\${escaped}`;
    if (piece === "*") return ".*";
    return piece === "?" ? "." : piece.replace(/[.+^${}()|[\]\\]/, "\\$&");
  });
  return new RegExp(`^${source}$`, "s").test(text);
}

/** The pattern that only `text` matches; with `characters`, the one in which just these stand for themselves. */
export function literalPattern(text: string, characters = "*?$"): string {
  return text.replace(/[*?$]/g, (character) => (characters.includes(character) ? `\${${character}}` : character));
}

/** The text that a pattern stands for where it is compared as a whole. */
export function unescaped(pattern: string): string {
  return pattern.includes("${") ? pattern.replace(ESCAPE, "$1") : pattern;
}
