// What the bar at the top depends on: how wide the window is, and what the server has.

import { signal, type ReadonlySignal } from "@preact/signals";

import { hasLab } from "../lab/setting.js";
import type { Panel } from "../ui.js";
import type { IconName } from "../parts/Icon.js";

/** Does the window match? Followed for as long as the page lives. */
function matched(query: string): ReadonlySignal<boolean> {
  const media = matchMedia(query);
  const now = signal(media.matches);
  media.addEventListener("change", () => (now.value = media.matches));
  return now;
}

/** A window for one hand: the tools go into one menu. As in people.css. */
export const isNarrow = matched("(max-width: 47.5rem)");
/** A window in which not everything has the room it would like. */
export const isSmall = matched("(max-width: 64rem)");

export const panels: readonly { readonly which: Panel; readonly icon: IconName }[] = [
  { which: "files", icon: "clip" }, { which: "labels", icon: "label" }, { which: "members", icon: "people" },
  { which: "archive", icon: "archive" }, { which: "history", icon: "history" }, { which: "inspect", icon: "inspect" }, { which: "lab", icon: "lab" },
];

/** Those that this server has. */
export const panelsHere = () => panels.filter(({ which }) => which !== "lab" || hasLab.value);
