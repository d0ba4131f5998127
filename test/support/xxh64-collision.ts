/**
 * Another line with the same XXH64 (seed 0), made by arithmetic: its state after two rounds of one lane is a sum that two
 * inputs share in any way one likes. https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
 */
const PRIME_1 = 0x9e3779b185ebca87n;
const PRIME_2 = 0xc2b2ae3d27d4eb4fn;

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);

/** Adds one input to a lane and mixes it. */
const round = (lane: bigint, input: bigint): bigint => {
  const sum = u64(lane + input * PRIME_2);
  return u64(((sum << 31n) | (sum >> 33n)) * PRIME_1);
};

/** By Newton's method: each step doubles the number of bits that are right. */
function inverse(odd: bigint): bigint {
  let found = odd;
  for (let bits = 3; bits < 64; bits *= 2) found = u64(found * (2n - odd * found));
  return found;
}

const PRINTABLE = /^[ -~]{8}$/;

/** A collision of a line of 64 or more printable letters. */
export function collisionOf(line: string): string {
  const bytes = Buffer.from(line);
  const start = u64(PRIME_1 + PRIME_2);
  const first = round(start, bytes.readBigUInt64LE(0));
  const collision = Buffer.from(bytes);
  for (let tried = 0n; tried < 1_000_000n; tried += 1n) {
    // Eight digits, all of them printable.
    collision.write((10_000_000n + tried).toString(), 0);
    const shift = u64((first - round(start, collision.readBigUInt64LE(0))) * inverse(PRIME_2));
    collision.writeBigUInt64LE(u64(bytes.readBigUInt64LE(32) + shift), 32);
    if (PRINTABLE.test(collision.toString('latin1', 32, 40))) return collision.toString('latin1');
  }
  throw new Error('no collision among a million');
}
