// How people are called and told apart.

const first = ["amber", "brisk", "calm", "clever", "coral", "gentle", "golden", "happy", "jolly", "kind", "lucky", "merry", "quiet", "silver", "sunny", "swift"];
const second = ["badger", "beaver", "dolphin", "falcon", "finch", "fox", "heron", "lynx", "marmot", "otter", "owl", "panda", "robin", "seal", "sparrow", "wren"];
const pick = (list: readonly string[]) => list[Math.floor(Math.random() * list.length)];

/** What to be called until one says it: quiet-heron. */
export const pleasantName = (): string => `${pick(first)}-${pick(second)}`;

/** One or two letters for an avatar. */
export function initials(name: string): string {
  const parts = name.split(/[^\p{L}\p{N}]+/u).filter(Boolean).slice(0, 2);
  return parts.map((part) => [...part][0]!.toLocaleUpperCase()).join("") || "?";
}

/** The colour of a person, the same everywhere: a hue in degrees. */
export function hue(user: string): number {
  let h = 0;
  for (const c of user) h = (h * 31 + c.codePointAt(0)!) % 360;
  return h;
}
