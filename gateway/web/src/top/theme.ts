// Dark or light: as the system has it, unless the user says otherwise.

import { effect, signal } from "@preact/signals";

const KEY = "snapback.theme";

export type Theme = "system" | "light" | "dark";
const stored = localStorage.getItem(KEY);
export const theme = signal<Theme>(stored === "light" || stored === "dark" ? stored : "system");

effect(() => {
  const now = theme.value;
  if (now === "system") {
    delete document.documentElement.dataset["theme"];
    localStorage.removeItem(KEY);
  } else {
    document.documentElement.dataset["theme"] = now;
    localStorage.setItem(KEY, now);
  }
});
