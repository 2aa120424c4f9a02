// Dark or light: as the system has it, unless the user says otherwise.

import { effect, signal } from "@preact/signals";

import { shared } from "../storage.js";

const KEY = "snapback.theme";

export type Theme = "system" | "light" | "dark";
export const themes: readonly Theme[] = ["system", "light", "dark"];
const stored = shared.get(KEY);
export const theme = signal<Theme>(stored === "light" || stored === "dark" ? stored : "system");

/** What the browser paints around the page: the colour of the bar at the top, `--card` of base.css. */
const around = { light: "#ffffff", dark: "#282c37" } as const;
const system = matchMedia("(prefers-color-scheme: dark)");
const systemIsDark = signal(system.matches);
system.addEventListener("change", () => (systemIsDark.value = system.matches));

const meta = document.createElement("meta");
meta.name = "theme-color";
document.head.append(meta);

effect(() => {
  const now = theme.value;
  if (now === "system") {
    delete document.documentElement.dataset["theme"];
    shared.remove(KEY);
  } else {
    document.documentElement.dataset["theme"] = now;
    shared.set(KEY, now);
  }
  meta.content = around[now === "system" ? (systemIsDark.value ? "dark" : "light") : now];
});
