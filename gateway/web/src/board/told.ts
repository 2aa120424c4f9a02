// What a component takes of a signal that is all the board's: it is drawn when that changes, and not with every change of it.

import { useComputed } from "@preact/signals";

export const useTold = <T>(read: () => T): T => useComputed(read).value;
