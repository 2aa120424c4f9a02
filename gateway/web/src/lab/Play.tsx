// The button that plays three quick edits, and how they stand.

import { useState } from "preact/hooks";

import { archive } from "../actions.js";
import { useDesk } from "../desk.js";
import { Icon } from "../parts/Icon.js";
import { note } from "../say.js";
import { say } from "../words/words.js";
import { play, type Act } from "./script.js";

export function Play() {
  const desk = useDesk();
  const [acts, setActs] = useState<readonly Act[]>([]);
  const [busy, setBusy] = useState(false);
  const [card, setCard] = useState<string>();
  const run = async () => {
    setBusy(true);
    setActs([]);
    setCard(undefined);
    try {
      const made = await play(desk, setActs);
      setCard(made);
      if (made === undefined) note({ tone: "plain", title: say("lab.script.none") });
    } catch {
      note({ tone: "plain", title: say("lab.failed") });
    }
    setBusy(false);
  };
  return (
    <section class="play" data-done={(!busy && card) || undefined}>
      <button type="button" class="primary" aria-disabled={busy} onClick={() => busy || void run()}><Icon name="play" /> {say(busy ? "lab.script.busy" : "lab.script")}</button>
      {acts.length > 0 && (
        <ol>
          {acts.map(({ what, state }) => <li key={what} data-state={state}><span>{what}</span> <span class="act-state">{say(`lab.script.${state}`)}</span></li>)}
        </ol>
      )}
      {!busy && card && desk.store.get(card) && (
        <button
          type="button" class="second"
          onClick={() => {
            archive(desk, card);
            setCard(undefined);
          }}
        >
          {say("lab.script.archive")}
        </button>
      )}
    </section>
  );
}
