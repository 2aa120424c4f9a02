// What can be done with a column.

import type { Column } from "@snapback/client";

import { archive, archiveAll } from "../actions.js";
import type { Desk } from "../desk.js";
import type { MenuItem } from "../parts/Menu.js";
import { moving, renaming } from "../ui.js";
import { say } from "../words/words.js";
import { adding, helping } from "./keys.js";
import { setting } from "./LimitDialog.js";

export function columnMenu(desk: Desk, { id }: Column, count: number): readonly MenuItem[] {
  return [
    { label: say("board.addCard"), keys: "N", run: () => (adding.value = id) },
    { label: say("board.rename"), keys: "F2", run: () => (renaming.value = id) },
    { label: say("board.move"), keys: "M", run: () => (moving.value = id) },
    { label: say("board.settings"), run: () => (setting.value = id) },
    { label: say("board.archive"), keys: "C", run: () => archive(desk, id) },
    { label: say("board.archiveAll", { count }), disabled: !count, run: () => archiveAll(desk, id) },
    { label: say("board.keys"), keys: "?", run: () => (helping.value = true) },
  ];
}
