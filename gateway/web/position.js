// Fractional index keys: base 62, the format of the npm package fractional-indexing.

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const SMALLEST = 'A' + '0'.repeat(26); // no key is below it, and it is none itself

// keyBetween gives a key after a and before b; '' is the open end. It throws on what is no key.
export function keyBetween(a, b) {
  if (a && b && a >= b) throw new Error('not in order');
  if (!a && !b) return 'a0';
  if (!a) {
    const [whole, fraction] = split(b);
    if (whole === SMALLEST) return whole + midpoint('', fraction);
    if (fraction) return whole;
    const less = step(whole, -1);
    return less === SMALLEST ? less + midpoint('', null) : less;
  }
  const [whole, fraction] = split(a);
  if (!b) return step(whole, +1) ?? whole + midpoint(fraction, null);
  const [bWhole, bFraction] = split(b);
  if (whole === bWhole) return whole + midpoint(fraction, bFraction);
  const next = step(whole, +1);
  return next !== null && next < b ? next : whole + midpoint(fraction, null);
}

function split(key) {
  const head = key[0] ?? '';
  const length = /[a-z]/.test(head) ? head.charCodeAt(0) - 97 + 2 : /[A-Z]/.test(head) ? 90 - head.charCodeAt(0) + 2 : 0;
  const fraction = key.slice(length);
  if (!length || key.length < length || key === SMALLEST || fraction.endsWith('0') || /[^0-9A-Za-z]/.test(key)) {
    throw new Error('not a position key');
  }
  return [key.slice(0, length), fraction];
}

// midpoint gives a fraction between a and b; b null is no upper bound.
function midpoint(a, b) {
  if (b) {
    let same = 0;
    while (same < b.length && (a[same] ?? '0') === b[same]) same++;
    if (same) return b.slice(0, same) + midpoint(a.slice(same), b.slice(same));
  }
  const low = a ? DIGITS.indexOf(a[0]) : 0;
  const high = b ? DIGITS.indexOf(b[0]) : DIGITS.length;
  if (high - low > 1) return DIGITS[Math.round((low + high) / 2)];
  if (b && b.length > 1) return b[0];
  return DIGITS[low] + midpoint(a.slice(1), null);
}

// step counts an integer part up or down by one; null beyond the last.
function step(whole, by) {
  const body = [...whole.slice(1)];
  const [first, last] = by > 0 ? ['0', 'z'] : ['z', '0'];
  for (let i = body.length - 1; i >= 0; i--) {
    if (body[i] !== last) {
      body[i] = DIGITS[DIGITS.indexOf(body[i]) + by];
      return whole[0] + body.join('');
    }
    body[i] = first;
  }
  const head = whole[0];
  if (head === (by > 0 ? 'z' : 'A')) return null;
  if (by > 0 && head === 'Z') return 'a0';
  if (by < 0 && head === 'a') return 'Zz';
  const next = String.fromCharCode(head.charCodeAt(0) + by);
  if ((next >= 'a') === by > 0) body.push(first);
  else body.pop();
  return next + body.join('');
}
