// Which moment of the past is shown: the address says it behind "#", so that a link to it can be shared and leads there
// again after a reload, and goes with every other address of the page.
//
//   /boards/{board}#at=46             the board as it was at rev 46
//   /boards/{board}#at=46&tried=ID    and what was refused then, by the id of its mutation

import { computed, signal } from "@preact/signals";

import { route } from "../route.js";

export interface Moment {
  /** The rev; the newest one when the replay was opened, if there is none. */
  readonly at: number;
  /** The mutation that was refused at this rev. */
  readonly tried?: string;
}

const turn = signal(0);
const look = (): void => void turn.value++;
addEventListener("popstate", look);
addEventListener("hashchange", look);

export function parse(hash: string): Moment | undefined {
  const params = new URLSearchParams(hash.replace(/^#/, ""));
  const text = params.get("at") ?? "";
  const tried = params.get("tried");
  if (!/^\d{1,15}$/.test(text)) return undefined;
  return { at: Number(text), ...(tried && { tried }) };
}

/** What stands behind an address for the moment. */
export const hashOf = ({ at, tried }: Moment): string => `#${new URLSearchParams({ at: String(at), ...(tried && { tried }) })}`;

/** The moment that the address asks for; undefined: now. */
export const moment = computed((): Moment | undefined => {
  void turn.value;
  return route.value.page === "board" ? parse(location.hash) : undefined;
});

/** Is the past shown? */
export const isPast = computed(() => moment.value !== undefined);

/** Opens the past there; Back leads to the present again. */
export function open(at: Moment): void {
  history.pushState(null, "", hashOf(at));
  look();
}

/** The address follows what is shown. */
export function follow(at: Moment): void {
  const hash = hashOf(at);
  if (location.hash !== hash) history.replaceState(history.state, "", hash);
}

/** Back to the present. */
export function leave(): void {
  history.replaceState(history.state, "", `${location.pathname}${location.search}`);
  look();
}
