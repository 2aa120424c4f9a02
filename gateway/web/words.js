// What people read. A refusal is worded from its code and details (the
// server's reason is for logs).

export function wording(nack, store, what) {
  const d = nack.details ?? {};
  const name = (id) => {
    const e = store.get(id);
    return e ? `“${e.title ?? e.name ?? e.text ?? id}”` : 'It';
  };
  switch (nack.code) {
    case 'wip_limit': return `${name(d.columnId)} is full (${d.count} of ${d.limit}).`;
    case 'name_taken': return 'That name is taken by another file here.';
    case 'not_found': return `${what} is gone: somebody deleted it.`;
    case 'archived': return `${name(d.entityId)} is archived.`;
    case 'forbidden': return d.needs ? `Only ${/^[ae]/.test(d.needs) ? 'an' : 'a'} ${d.needs} may do that.` : 'You may not do that.';
    case 'conflict': return `${what} was changed by somebody else meanwhile.`;
    case 'not_empty': return `There are still ${d.cards} cards in it${d.archived ? `, ${d.archived} of them archived` : ''}.`;
    case 'limit': return `A board has room for ${d.limit} of these.`;
    case 'invalid': return d.limit ? `The ${d.field} may have ${d.limit} characters.` : `The ${d.field ?? 'change'} is not valid.`;
    case 'too_large': return 'That is too large to send.';
    case 'expired': case 'withdrawn': return 'The server did not get to it in time.';
    default: return 'The server refused it.';
  }
}

const first = ['amber', 'brisk', 'calm', 'clever', 'coral', 'gentle', 'golden', 'happy', 'jolly', 'kind', 'lucky', 'merry', 'quiet', 'silver', 'sunny', 'swift'];
const second = ['badger', 'beaver', 'dolphin', 'falcon', 'finch', 'fox', 'heron', 'lynx', 'marmot', 'otter', 'owl', 'panda', 'robin', 'seal', 'sparrow', 'wren'];
const pick = (list) => list[Math.floor(Math.random() * list.length)];

export const pleasantName = () => `${pick(first)}-${pick(second)}`;

export const initials = (name) => name.split(/[^\p{L}\p{N}]+/u).filter(Boolean).slice(0, 2).map((w) => [...w][0].toUpperCase()).join('') || '?';

// hue gives everybody a colour of their own.
export function hue(name) {
  let h = 0;
  for (const c of name) h = (h * 31 + c.codePointAt(0)) % 360;
  return h;
}

export function size(bytes) {
  const units = ['B', 'KB', 'MB', 'GB'];
  let n = bytes, u = 0;
  for (; n >= 1000 && u < 3; u++) n /= 1000;
  return `${n < 10 && u ? n.toFixed(1) : Math.round(n)} ${units[u]}`;
}
