/** Providers that ignore dots in the local part ("Dots don't matter in Gmail addresses", Gmail Help). */
const IGNORE_DOTS: ReadonlySet<string> = new Set(["gmail.com"]);
/** Domains of one provider with the same mailboxes. */
const SAME_DOMAIN: Readonly<Record<string, string>> = { "googlemail.com": "gmail.com" };

/**
 * The mailbox that an address delivers to, as far as its spelling tells: without a tag after a plus sign, and without dots where the
 * provider ignores them. `a.nn+shop@googlemail.com` and `ann@gmail.com` are one. The address has to be in one form already
 * (`foldedText`). Text that is no address is its own mailbox. Idempotent.
 */
export function mailboxOf(address: string): string {
  const at = address.lastIndexOf("@");
  if (at <= 0) return address;
  const local = address.slice(0, at);
  const given = address.slice(at + 1);
  const domain = Object.hasOwn(SAME_DOMAIN, given) ? SAME_DOMAIN[given]! : given;
  const plus = local.indexOf("+");
  const untagged = plus > 0 ? local.slice(0, plus) : local;
  const name = IGNORE_DOTS.has(domain) ? untagged.replaceAll(".", "") : untagged;
  return `${name === "" ? untagged : name}@${domain}`;
}
