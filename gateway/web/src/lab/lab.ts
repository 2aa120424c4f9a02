// The lab of an open board: from the first look at it until the board is closed, whether its panel is open or not.

import type { Desk } from "../desk.js";
import { note } from "../say.js";
import { describe } from "../text/mutation.js";
import { say } from "../words/words.js";
import { isOn, keepSetting } from "./setting.js";
import { timeline, type Timeline } from "./timeline.js";

const labs = new WeakMap<Desk, Timeline>();

/** What was made since the first call. */
export function timelineOf(desk: Desk): Timeline {
  let one = labs.get(desk);
  if (!one) {
    labs.set(desk, (one = timeline(desk.store, (changes) => describe(desk.store, changes))));
    isOn.value = false; // another board's lab is another
    keepSetting(desk, failed);
  }
  return one;
}

/** The gateway did not take a setting. */
export const failed = (): void => void note({ tone: "plain", title: say("lab.failed") });
