// Goes to a moment: along the events at hand if it is near, else the server is asked for the board as it was, and for what
// of the log is around it.

import { batch } from "@preact/signals";

import type { EntityChange } from "@snapback/client";

import { film, indexAt, whole, type Spot, type Stretch } from "./film.js";
import { held } from "./fold.js";
import { fail, type Standing } from "./player.js";
import { boardAt, decisions } from "./reading.js";

/** So many revs before and behind a moment are asked for at once. */
export const around = 150;
/** So many events are gone along; what is further is asked for as it was. */
const near = 400;
/** Who drags the slider is waited for so long, in milliseconds. */
const rest = 120;

export function going(s: Standing) {
  const { board, user, past, spot, state, failure, stretch, index, changed, head, life } = s;
  const reel = film(user);
  let under = new AbortController();
  let isShown = false;

  /** Takes in what has come of the log. */
  const lay = (now: Stretch): void => {
    reel.lay(now.decisions);
    stretch.value = now;
    index.value = indexAt(now, spot.peek());
  };

  const arrive = (to: Spot, changes: readonly EntityChange[], tell: (changes: readonly EntityChange[]) => void) => batch(() => {
    spot.value = to;
    state.value = "ready";
    failure.value = undefined;
    index.value = indexAt(stretch.peek(), to);
    tell(changes);
    changed.value = isShown ? changes : [];
    isShown = true;
  });

  const covers = ({ rev, tried }: Spot) => {
    const now = stretch.peek();
    if (rev <= now.from || rev > now.to) return false;
    return tried === undefined || now.decisions[indexAt(now, { rev, tried })]?.id === tried;
  };

  const fetchAround = async (rev: number, signal: AbortSignal): Promise<Stretch> => {
    const [from, to] = [Math.max(0, rev - around), Math.min(rev + around, Math.max(rev, head.peek()))];
    return { from, to, decisions: await decisions(board, { since: from, until: to }, signal) };
  };

  const fetch = async (to: Spot, patience: number, signal: AbortSignal) => {
    if (patience) await new Promise((done) => setTimeout(done, patience));
    if (signal.aborted) return;
    const [then, laid] = await Promise.all([boardAt(board, to.rev, signal), covers(to) ? undefined : fetchAround(to.rev, signal)]);
    if (signal.aborted) return;
    batch(() => {
      if (laid) lay(laid);
      const changes = reel.cut(then.rev, held(then.entities, user));
      arrive({ ...to, rev: then.rev }, changes, (all) => past.show(reel.entities, all));
    });
  };

  const go = async (asked: Spot): Promise<void> => {
    under.abort();
    under = new AbortController();
    const signal = AbortSignal.any([under.signal, life.signal]);
    const to = whole(stretch.peek(), asked);
    const changes = covers(to) && Math.abs(to.rev - reel.rev) <= near ? reel.move(to.rev) : undefined;
    if (changes) return arrive(to, changes, past.tell);
    const patience = state.peek() === "loading" && isShown ? rest : 0;
    batch(() => {
      spot.value = to;
      index.value = indexAt(stretch.peek(), to);
      state.value = "loading";
    });
    await fetch(to, patience, signal).catch((why: unknown) => fail(s, why, signal));
  };

  return { go, lay };
}
