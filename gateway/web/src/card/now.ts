// The present, for what depends on it: "5 minutes ago", overdue.

import { signal } from "@preact/signals";

/** How often it moves on, in milliseconds. */
const step = 20_000;

const now = signal(Date.now());
let ticking = false;

/** The time in milliseconds; whoever reads it while rendering renders again as it goes on. */
export function present(): number {
  if (!ticking) {
    ticking = true;
    now.value = Date.now();
    setInterval(() => (now.value = Date.now()), step);
  }
  return now.value;
}
