// What is chosen, dropped or pasted becomes uploads.

import { atLeast, type Desk } from "../desk.js";
import { announce, note } from "../say.js";
import { say } from "../words/words.js";
import { uploadsOf } from "./sending.js";

/** Uploads files to a card, or to the board. */
export function start(desk: Desk, files: readonly File[], card?: string): void {
  if (!files.length) return;
  if (!atLeast(desk.store.me?.role, "editor")) {
    note({ tone: "refused", title: say("files.mayNot") });
    return;
  }
  uploadsOf(desk).add(files.map((file) => ({ name: file.name, content: file })), card);
  announce(say("files.started", { count: files.length }));
}

/** Are files being dragged, and not a text or a link of the page? */
export const hasFiles = (data: DataTransfer | null): boolean => !!data?.types.includes("Files");

/** The files that were dropped; folders are left out, and said to be. */
export function dropped(data: DataTransfer): readonly File[] {
  const items = [...data.items].filter((item) => item.kind === "file");
  const plain = items.filter((item) => !item.webkitGetAsEntry?.()?.isDirectory);
  if (plain.length < items.length) note({ tone: "plain", title: say("files.folder") });
  return plain.flatMap((item) => item.getAsFile() ?? []);
}

/** The pictures that were pasted; none if there is text, too, as a table of numbers has both. */
export function pasted(data: DataTransfer | null): readonly File[] {
  if (!data || data.types.includes("text/plain")) return [];
  return [...data.files];
}
