const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const smallest = "A" + "0".repeat(26);
function keyBetween(a, b) {
  const x = a && whole(a), y = b && whole(b);
  if (x === void 0 || y === void 0 || a && b && a >= b) return;
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
const size = (head) => Math.abs(digits.indexOf(head) - 35.5) + 1.5;
function whole(key) {
  const n = size(key.charAt(0));
  if (/^[a-z][^\W_]*$/i.test(key) && key.length >= n && key !== smallest && !/0$/.test(key.slice(n))) return key.slice(0, n);
}
function midpoint(a, b) {
  let n = 0;
  while (n < b.length && (a[n] ?? "0") === b[n]) n++;
  if (n) return b.slice(0, n) + midpoint(a.slice(n), b.slice(n));
  const low = digits.indexOf(a.charAt(0)), high = b ? digits.indexOf(b.charAt(0)) : 62;
  if (high - low > 1) return digits.charAt(low + high + 1 >> 1);
  return b.length > 1 ? b.charAt(0) : digits.charAt(low) + midpoint(a.slice(1), "");
}
function step(from, by) {
  const next = (c, all) => all.charAt(all.indexOf(c) + by), fill = by > 0 ? "0" : "z";
  for (let i = from.length; --i; ) {
    const digit = next(from.charAt(i), digits);
    if (digit) return from.slice(0, i) + digit + fill.repeat(from.length - 1 - i);
  }
  const head = next(from.charAt(0), digits.slice(10));
  return head && head + fill.repeat(size(head) - 1);
}
export {
  keyBetween
};
