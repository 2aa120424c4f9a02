// Plays on by itself, from one change to stop at to the next.

import { nextStop, pause } from "./film.js";
import type { Speed, Standing } from "./player.js";

export function rolling({ stretch, index, choice, playing, speed, state }: Standing, step: (way: 1) => Promise<boolean>) {
  let timer: ReturnType<typeof setTimeout> | undefined;

  const stop = (): void => {
    clearTimeout(timer);
    playing.value = false;
  };

  /** Waits as long as the next one took to come, and goes there. */
  const roll = (): void => {
    clearTimeout(timer);
    const now = stretch.peek();
    const here = now.decisions[index.peek()];
    const next = now.decisions[nextStop(now, index.peek(), 1, choice.peek())];
    const gap = here && next ? Date.parse(next.at) - Date.parse(here.at) : 0;
    timer = setTimeout(() => void on(), pause(gap, speed.peek()));
  };

  const on = async (): Promise<void> => {
    const went = await step(1);
    if (!playing.peek()) return;
    if (went && state.peek() === "ready") roll();
    else stop();
  };

  return {
    stop,
    play(): void {
      if (playing.peek()) return;
      playing.value = true;
      roll();
    },
    faster(to: Speed): void {
      speed.value = to;
      if (playing.peek()) roll();
    },
  };
}
