// Positions are fractional index keys: base 62, the format of the npm package fractional-indexing. A key is an integer
// part, whose first letter says how many digits it has, and a fraction without trailing zero.

const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** No key is below it; it is not a key by itself. */
const smallest = "A" + "0".repeat(26);

/** A key after a and before b; "" is the open end on that side. Undefined if a or b is no key or a is not before b. */
export function keyBetween(a: string, b: string): string | undefined {
  const x = a && whole(a), y = b && whole(b);
  if (x === undefined || y === undefined || (a && b && a >= b)) return;
  const high = b.slice(y.length);
  if (!a) {
    if (!b) return "a0";
    if (y === smallest) return y + midpoint("", high);
    const previous = high ? y : step(y, -1);
    return previous === smallest ? previous + midpoint("", "") : previous;
  }
  const low = a.slice(x.length);
  if (x === y) return x + midpoint(low, high);
  const next = step(x, 1);
  return next && (!b || next < b) ? next : x + midpoint(low, "");
}

/** How many digits the integer part has, its head included, which says so. */
const size = (head: string) => Math.abs(digits.indexOf(head) - 35.5) + 1.5; // A 27, Z 2, a 2, z 27

/** The integer part of a key. */
function whole(key: string): string | undefined {
  const n = size(key.charAt(0));
  if (/^[a-z][^\W_]*$/i.test(key) && key.length >= n && key !== smallest && !/0$/.test(key.slice(n))) return key.slice(0, n);
}

/** A fraction between a and b, neither with a trailing zero; b is "" where there is no upper bound. */
function midpoint(a: string, b: string): string {
  let n = 0;
  while (n < b.length && (a[n] ?? "0") === b[n]) n++;
  if (n) return b.slice(0, n) + midpoint(a.slice(n), b.slice(n));
  const low = digits.indexOf(a.charAt(0)), high = b ? digits.indexOf(b.charAt(0)) : 62;
  if (high - low > 1) return digits.charAt((low + high + 1) >> 1);
  return b.length > 1 ? b.charAt(0) : digits.charAt(low) + midpoint(a.slice(1), "");
}

/** Counts an integer part up or down by one; "" beyond the last. */
function step(from: string, by: 1 | -1): string {
  const next = (c: string, all: string) => all.charAt(all.indexOf(c) + by), fill = by > 0 ? "0" : "z";
  for (let i = from.length; --i; ) {
    const digit = next(from.charAt(i), digits);
    if (digit) return from.slice(0, i) + digit + fill.repeat(from.length - 1 - i);
  }
  const head = next(from.charAt(0), digits.slice(10));
  return head && head + fill.repeat(size(head) - 1);
}
