// Into the clipboard, also where the page is not from a place the browser trusts.

import { announce } from "../say.js";
import { say } from "../words/words.js";

export async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    if (!copyOld(text)) return announce(say("texts.notCopied"));
  }
  announce(say("texts.copied"));
}

/** By a selection, inside of what is open: the rest cannot be focused. */
function copyOld(text: string): boolean {
  const before = document.activeElement;
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "unseen";
  (before?.closest("dialog") ?? document.body).append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (before instanceof HTMLElement) before.focus();
  return done;
}
