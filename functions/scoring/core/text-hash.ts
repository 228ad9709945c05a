/**
 * Stable hash of a text as an integer below 2^53, which a double holds exactly: the value that a feature vector carries for a text from
 * an open list. Equal means equal code unit by code unit; nothing is trimmed, folded or normalised.
 *
 * It is cyrb53 (bryc, public domain) with seed 0: two multiplicative hashes over the UTF-16 code units, mixed at the end as MurmurHash3
 * does. Among 10,000 texts the chance that any two collide is 6 in a billion. It is no protection against somebody who constructs a text
 * with a given hash, and needn't be: whoever sends the text could as well send the other one.
 *
 * Hashes are archived and models are loaded against them, so the function must never change.
 */
export function textHash(text: string): number {
  let low = 0xdeadbeef;
  let high = 0x41c6ce57;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    low = Math.imul(low ^ unit, 2_654_435_761);
    high = Math.imul(high ^ unit, 1_597_334_677);
  }
  low = Math.imul(low ^ (low >>> 16), 2_246_822_507) ^ Math.imul(high ^ (high >>> 13), 3_266_489_909);
  high = Math.imul(high ^ (high >>> 16), 2_246_822_507) ^ Math.imul(low ^ (low >>> 13), 3_266_489_909);
  return 2 ** 32 * (high & 0x1fffff) + (low >>> 0);
}

/** 32-bit FNV-1a over UTF-16 code units, for lists that have to be short. */
export function shortHash(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}
