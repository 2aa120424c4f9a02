// On a server without keys everyone is who he says. Another name is another person.

import { useContext, useId, useRef, useState } from "preact/hooks";

import { DeskContext } from "../desk.js";
import { isName, rename, who } from "../session.js";
import { say } from "../words/words.js";
import { bar } from "./door.js";

export function RenameForm({ onDone }: { onDone?(): void }) {
  const desk = useContext(DeskContext);
  const [wrong, setWrong] = useState<string>();
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  const { user } = who.value;
  const submit = () => {
    const name = input.current!.value.trim();
    const count = desk ? desk.store.engine.entries.size + desk.offline.stale.length : 0;
    if (name === user) return onDone?.();
    if (!isName(name)) return setWrong(say("closed.nameMore"));
    if (count) return setWrong(say("top.nameWaits", { count }));
    bar.value = undefined;
    onDone?.();
    rename(name);
  };
  return (
    <form
      class="rename-me"
      onSubmit={(e) => {
        e.preventDefault();
        submit();
      }}
    >
      <label class="field">
        {say("top.name")}
        <input
          ref={input} dir="auto" name="user" defaultValue={user} maxLength={255} autocomplete="off" spellcheck={false} data-first
          aria-invalid={wrong !== undefined} aria-describedby={`${id}-hint ${id}-wrong`} onInput={() => setWrong(undefined)}
        />
      </label>
      <p id={`${id}-hint`} class="hint">{say("top.nameHint", { name: user })}</p>
      <p id={`${id}-wrong`} class="wrong" role="alert">{wrong}</p>
      <button type="submit" class="primary">{say("top.doRename")}</button>
    </form>
  );
}
