// All keys of the board.

import { useEffect } from "preact/hooks";

import { Dialog } from "../parts/Dialog.js";
import { say, type Key } from "../words/words.js";
import { helping } from "./keys.js";

const keys: readonly (readonly [keys: readonly string[], what: Key])[] = [
  [["↑", "↓", "←", "→"], "keys.go"],
  [[say("key.home"), say("key.end")], "keys.ends"],
  [[say("key.enter")], "keys.open"],
  [[say("key.space")], "keys.lift"],
  [[say("key.escape")], "keys.back"],
  [["F2", "E"], "keys.rename"],
  [["M"], "keys.move"],
  [["N"], "keys.add"],
  [["L"], "keys.like"],
  [["C"], "keys.archive"],
  [["?"], "keys.help"],
];

const close = () => void (helping.value = false);

export function KeysDialog() {
  useEffect(() => close, []);
  if (!helping.value) return null;
  return (
    <Dialog label={say("board.keys")} className="small-dialog keys-dialog" onClose={close}>
      <h2>{say("board.keys")}</h2>
      <p>{say("keys.where")}</p>
      <dl>
        {keys.map(([names, what]) => (
          <div key={what}>
            <dt>{names.map((name) => <kbd key={name}>{name}</kbd>)}</dt>
            <dd>{say(what)}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
