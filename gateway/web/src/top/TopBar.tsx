// The bar at the top: which board, who is here, how the connection stands, what is searched for.

import { useEffect } from "preact/hooks";

import { useBoard } from "@snapback/client/react";

import { restore } from "../actions.js";
import { atLeast, useDesk } from "../desk.js";
import { Icon, type IconName } from "../parts/Icon.js";
import { Dialog } from "../parts/Dialog.js";
import { bar, knock } from "../people/door.js";
import { FilterButton } from "../people/FilterButton.js";
import { showAll } from "../people/filter.js";
import { Here } from "../people/Here.js";
import { Narrowed } from "../people/Narrowed.js";
import { Listen } from "../people/present.js";
import { useRole } from "../people/role.js";
import { Search } from "../people/Search.js";
import { SignIn } from "../people/SignIn.js";
import { who } from "../session.js";
import { UndoButtons } from "../text/Undo.js";
import { ReplayButton } from "../time/ReplayButton.js";
import { panel, toggle, type Panel } from "../ui.js";
import { say } from "../words/words.js";
import { BoardMenu } from "./BoardMenu.js";
import { BoardTitle } from "./BoardTitle.js";
import { isNarrow, panelsHere } from "./panels.js";
import { Standing } from "./Standing.js";

export function TopBar() {
  const desk = useDesk();
  const { board, me, status } = useBoard();
  useDoor();
  useRole();
  useEffect(() => showAll, [desk.board]); // labels and people of another board are others
  return (
    <header class="top">
      <div class="top-row">
        <BoardTitle />
        <Standing />
        <Here />
        <span class="top-fill" />
        {board && status !== "closed" && (
          <>
            <search class="top-search"><Search /><FilterButton /></search>
            {atLeast(me?.role, "commenter") && <UndoButtons />}
            {!isNarrow.value && (
              <nav class="top-tools" aria-label={say("top.tools")}>
                {panelsHere().map(({ which, icon }) => <Opener key={which} which={which} icon={icon} />)}
                <ReplayButton />
              </nav>
            )}
          </>
        )}
        <BoardMenu />
      </div>
      {board && <Narrowed />}
      {board?.archived && (
        <p class="top-archived">
          {say("top.archived")}
          {atLeast(me?.role, "admin") && <button type="button" class="second" onClick={() => restore(desk, board.id)}>{say("top.restore")}</button>}
        </p>
      )}
      <Listen />
      <Barred />
    </header>
  );
}

/** Opens and closes a panel of the drawer. */
function Opener({ which, icon }: { readonly which: Panel; readonly icon: IconName }) {
  const title = say(`panel.${which}`);
  return (
    <button type="button" class="tool" data-opens={which} aria-label={title} title={title} aria-expanded={panel.value === which} onClick={() => toggle(which)}>
      <Icon name={icon} />
    </button>
  );
}

/** Asks whether the server lets this window in: at the beginning, and when the connection breaks. Who never was in is asked to sign in. */
function useDoor(): void {
  const { store } = useDesk();
  const { status } = useBoard();
  const { token } = who.value;
  useEffect(() => {
    bar.value = undefined;
  }, [store]);
  const isOff = status === "offline";
  useEffect(() => {
    if (status !== "closed") void knock();
  }, [store, isOff, token]);
  const barred = bar.value;
  useEffect(() => {
    if (barred && !store.me) store.close();
  }, [barred, store]);
}

/** The token has run out while the board was open: the board stays, with what waits on it. */
function Barred() {
  const { store } = useDesk();
  const { status } = useBoard();
  if (bar.value !== "stale" || status === "closed") return null;
  const count = store.engine.entries.size;
  return (
    <Dialog label={say("signIn.expired")} className="sign-in-dialog" onClose={() => (bar.value = undefined)}>
      <SignIn lost />
      {count > 0 && <p class="hint">{say("signIn.waits", { count })}</p>}
    </Dialog>
  );
}
