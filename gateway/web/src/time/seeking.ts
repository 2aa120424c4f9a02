// The next change to stop at, and more of the log around what is at hand. Far away the server says where the next one of a
// person is, or of what was refused.

import type { Decision } from "../history/log.js";
import { nextStop, spotOf, stopsAt, withEarlier, withLater, type Spot, type Stretch } from "./film.js";
import { around } from "./going.js";
import { fail, type Standing } from "./player.js";
import { decisions } from "./reading.js";

/** So many decisions are looked at together for one to stop at. */
const portion = 200;

export function seeking(s: Standing, go: (to: Spot) => Promise<void>, lay: (now: Stretch) => void) {
  const { board, stretch, index, choice, head, hasLater, searching, life } = s;
  const { signal } = life;
  let reading: Promise<void> | undefined;
  /** One at a time: each begins where the one before it ended. */
  const read = (fn: () => Promise<void>) => (reading ??= fn().catch((why: unknown) => fail(s, why)).finally(() => (reading = undefined)));

  const earlier = () => read(async () => {
    const { from } = stretch.peek();
    if (!from) return;
    const start = Math.max(0, from - 2 * around);
    const more = await decisions(board, { since: start, until: from }, signal);
    if (stretch.peek().from === from) lay(withEarlier(stretch.peek(), start, more));
  });

  const later = () => read(async () => {
    const { to } = stretch.peek();
    const end = Math.max(to, Math.min(to + 2 * around, head.peek()));
    const more = await decisions(board, { since: Math.max(0, to - 1), until: end }, signal);
    if (stretch.peek().to === to) lay(withLater(stretch.peek(), end, more));
  });

  const fits = (d: Decision) => stopsAt(d, choice.peek());
  const filtered = () => {
    const { user, what } = choice.peek();
    return { actor: user || undefined, outcome: what === "refused" ? what : undefined } as const;
  };

  const behind = async (): Promise<Decision | undefined> => (
    await decisions(board, { since: stretch.peek().to, ...filtered() }, signal, (all) => all.some(fits))
  ).find(fits);

  const before = async (): Promise<Decision | undefined> => {
    for (let until = stretch.peek().from; until > 0; ) {
      const all = await decisions(board, { until, last: portion, ...filtered() }, signal);
      const found = all.findLast(fits);
      if (found || all.length < portion) return found;
      until = all[0]!.rev - 1;
    }
    return undefined;
  };

  /** The next one to stop at: at hand, right beside that, or far away. */
  const next = async (way: 1 | -1): Promise<Decision | undefined> => {
    const find = () => stretch.peek().decisions[nextStop(stretch.peek(), index.peek(), way, choice.peek())];
    const near = find();
    if (near) return near;
    searching.value = true;
    await (way > 0 ? later() : earlier());
    const beside = find();
    if (beside || way < 0) return beside ?? before();
    return hasLater.peek() ? behind() : undefined;
  };

  const step = async (way: 1 | -1): Promise<boolean> => {
    try {
      const to = await next(way);
      if (to) await go(spotOf(to));
      return to !== undefined;
    } catch (why) {
      fail(s, why);
      return false;
    } finally {
      searching.value = false;
    }
  };

  return { earlier, later, step };
}
