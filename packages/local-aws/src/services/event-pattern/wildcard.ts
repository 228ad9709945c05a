import { InvalidEventPattern } from "./errors";

const ANY = Symbol("any run of characters");
type Token = string | typeof ANY;

// The most positions of a pattern that one value may be at simultaneously. AWS doesn't publish its limit. Of its examples the user
// guide's `*:*:*:*:*:event-bus/*` comes to 13 and is refused, `/Users/*/dir/dir/dir/dir/dir/doc.txt` comes to 8 and is accepted; 10 is
// what the README of Event Ruler suggests for a single rule.
const MAX_POSITIONS = 10;

/** `*` matches any run of characters; `\*` and `\\` are the literal ones; `**` is refused as on AWS. */
export function wildcard(pattern: string, path: string): RegExp {
  const tokens = tokensOf(pattern, path);
  if (isTooComplex(tokens)) {
    const reason = "try using fewer wildcard characters or fewer repeating character sequences after a wildcard character";
    throw new InvalidEventPattern(path, `Rule is too complex - ${reason}`);
  }
  const source = tokens.map((token) => (token === ANY ? "[^]*" : token.replace(/[\\^$.*+?()[\]{}|/]/, "\\$&"))).join("");
  return new RegExp(`^${source}$`);
}

function tokensOf(pattern: string, path: string): Token[] {
  const tokens: Token[] = [];
  for (let index = 0; index < pattern.length; index++) {
    const character = pattern.charAt(index);
    if (character === "*") {
      if (tokens.at(-1) === ANY) throw new InvalidEventPattern(path, `wildcard "${pattern}" has consecutive * characters`);
      tokens.push(ANY);
      continue;
    }
    if (character === "\\") index++;
    const literal = pattern.charAt(index);
    if (character === "\\" && literal !== "*" && literal !== "\\")
      throw new InvalidEventPattern(path, `wildcard "${pattern}" has an invalid escape; only \\* and \\\\ exist`);
    tokens.push(literal);
  }
  return tokens;
}

/** Walks through all sets of positions that a value can reach, as the matching machine would. */
function isTooComplex(tokens: readonly Token[]): boolean {
  const characters = new Set(tokens);
  const withSkipped = (positions: ReadonlySet<number>): Set<number> => {
    const all = new Set(positions);
    for (const position of positions) for (let next = position; tokens[next] === ANY; next++) all.add(next + 1);
    return all;
  };
  const start = withSkipped(new Set([0]));
  const seen = new Set([...start].join());
  const waiting = [start];
  for (let positions = waiting.pop(); positions !== undefined; positions = waiting.pop()) {
    if (positions.size > MAX_POSITIONS) return true;
    for (const character of characters) {
      const next = new Set<number>();
      for (const position of positions) {
        const token = tokens[position];
        if (token === ANY) next.add(position);
        else if (token === character) next.add(position + 1);
      }
      const reached = withSkipped(next);
      const key = [...reached].sort((a, b) => a - b).join();
      if (reached.size > 0 && !seen.has(key)) {
        seen.add(key);
        waiting.push(reached);
      }
    }
  }
  return false;
}
