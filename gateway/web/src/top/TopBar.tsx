// The bar at the top: which board, who is here, how the connection stands.

import { useBoard } from "@snapback/client/react";

import { Icon, type IconName } from "../parts/Icon.js";
import { panel, toggle, type Panel } from "../ui.js";
import { say } from "../words/words.js";
import { Standing } from "./Standing.js";

export function TopBar() {
  const { board } = useBoard();
  return (
    <header class="top">
      <h1 dir="auto">{board?.title ?? ""}</h1>
      <Standing />
      <nav class="top-tools" aria-label={say("top.tools")}>
        <Opener which="files" icon="clip" />
        <Opener which="members" icon="people" />
        <Opener which="archive" icon="archive" />
        <Opener which="history" icon="history" />
        <Opener which="inspect" icon="inspect" />
        <Opener which="lab" icon="lab" />
      </nav>
    </header>
  );
}

/** Opens and closes a panel of the drawer. */
export function Opener({ which, icon }: { readonly which: Panel; readonly icon: IconName }) {
  const title = say(`panel.${which}`);
  return (
    <button type="button" class="tool" data-opens={which} aria-label={title} title={title} aria-expanded={panel.value === which} onClick={() => toggle(which)}>
      <Icon name={icon} />
    </button>
  );
}
