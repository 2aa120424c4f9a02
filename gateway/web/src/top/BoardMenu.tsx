// The main menu of a board: with its settings, and in a narrow window with the tools that have no room.

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import type { Member } from "@snapback/client";
import { useBoard, useEntity } from "@snapback/client/react";

import { restore } from "../actions.js";
import { helping } from "../board/keys.js";
import { atLeast, useDesk } from "../desk.js";
import { Dialog } from "../parts/Dialog.js";
import type { MenuItem } from "../parts/Menu.js";
import { Pop } from "../parts/Pop.js";
import { Question } from "../parts/Sure.js";
import { bar } from "../people/door.js";
import { claimsOf, who } from "../session.js";
import { open } from "../time/moment.js";
import { panel, toggle } from "../ui.js";
import { say } from "../words/words.js";
import { MainMenu } from "./MainMenu.js";
import { isNarrow, panelsHere } from "./panels.js";

/** Are the settings open? */
const settings = signal(false);
const close = () => void (settings.value = false);

export function BoardMenu() {
  const { store, board, me, status } = useBoard();
  const { user, token } = who.value;
  const claims = claimsOf(token);
  useEffect(() => close, []);
  const mine = me?.user ?? (token ? (claims.sub ?? "") : bar.value ? "" : user); // who has no token is nobody to a server with keys
  const member = useEntity<Member>(`member:${mine}`);
  const name = member?.name || claims.name || mine;
  const isOpen = board !== undefined && status !== "closed";
  const tools: readonly MenuItem[] = isOpen && isNarrow.value
    ? [
      ...panelsHere().map(({ which }) => ({ label: say(`panel.${which}`), checked: panel.value === which, run: () => toggle(which) })),
      { label: say("time.open"), run: () => open({ at: store.rev }) },
    ]
    : [];
  const more: readonly MenuItem[] = isOpen
    ? [
      { label: say("top.keys"), keys: "?", run: () => void (helping.value = true) },
      ...(atLeast(me?.role, "admin") ? [{ label: say("top.settings"), run: () => void (settings.value = true) }] : []),
    ]
    : [];
  return (
    <>
      <MainMenu
        name={name} user={mine} picture={member?.avatar} role={me && say(`role.${me.role}`)} before={tools} after={more}
        opens={isNarrow.value ? panel.value : undefined}
      />
      {settings.value && isOpen && <Settings />}
    </>
  );
}

function Settings() {
  const desk = useDesk();
  const { board, me } = useBoard();
  if (!board) return null;
  return (
    <Dialog label={say("top.settingsTitle")} className="small-dialog" onClose={close}>
      <h2>{say("top.settingsTitle")}</h2>
      <p class="hint">{say(board.archived ? "top.archived" : "top.archiveHint")}</p>
      <div class="choices">
        {!atLeast(me?.role, "admin")
          ? <p>{say("top.onlyAdmin")}</p>
          : board.archived
            ? <button type="button" class="primary" onClick={() => restore(desk, board.id)}>{say("top.restore")}</button>
            : (
              <Pop label={say("top.archiveBoard")} face={say("top.archiveBoard")} className="danger">
                {(close) => (
                  <Question
                    question={say("top.archiveSure")} act={say("top.doArchive")} run={() => desk.store.mutate(board.id, { archived: true })} close={close}
                  />
                )}
              </Pop>
            )}
      </div>
    </Dialog>
  );
}
