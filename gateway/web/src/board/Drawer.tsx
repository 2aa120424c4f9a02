// What is open at the side of the board.

import { useEffect, useRef } from "preact/hooks";

import { ArchivePanel } from "../archive/ArchivePanel.js";
import { LabelsPanel } from "../card/LabelsPanel.js";
import { FilesPanel } from "../files/FilesPanel.js";
import { HistoryPanel } from "../history/HistoryPanel.js";
import { InspectPanel } from "../inspect/InspectPanel.js";
import { LabPanel } from "../lab/LabPanel.js";
import { useOnBody } from "../parts/body.js";
import { Icon } from "../parts/Icon.js";
import { MembersPanel } from "../people/MembersPanel.js";
import { panel, type Panel } from "../ui.js";
import { say } from "../words/words.js";

const panels = {
  archive: ArchivePanel, files: FilesPanel, history: HistoryPanel, inspect: InspectPanel, lab: LabPanel, labels: LabelsPanel, members: MembersPanel,
} as const;

/** Closes the drawer and gives the focus back to what opens it. */
function close(which: Panel): void {
  panel.value = undefined;
  document.querySelector<HTMLElement>(`[data-opens="${which}"]`)?.focus();
}

export function Drawer() {
  const which = panel.value;
  const ref = useRef<HTMLElement>(null);
  useEffect(() => {
    if (which) ref.current?.focus();
  }, [which]);
  useOnBody("drawer", which !== undefined);
  if (!which) return null;
  const Panel = panels[which];
  const title = say(`panel.${which}`);
  return (
    <aside
      ref={ref} class="drawer" tabIndex={-1} aria-label={title}
      onKeyDown={(e) => {
        if (e.key === "Escape" && !e.defaultPrevented) close(which);
      }}
    >
      <header>
        <h2>{title}</h2>
        <button type="button" class="tool" aria-label={say("top.close")} onClick={() => close(which)}><Icon name="close" /></button>
      </header>
      <Panel />
    </aside>
  );
}
