// A link as a file of its own: an address, and what it is called.

import { useEffect, useId, useRef, useState } from "preact/hooks";

import { useDesk } from "../desk.js";
import { say } from "../words/words.js";
import { linkFrom, nameOfLink } from "./kinds.js";

export function LinkForm({ card, onDone }: { readonly card: string; onDone(): void }) {
  const { store } = useDesk();
  const address = useRef<HTMLInputElement>(null);
  const name = useRef<HTMLInputElement>(null);
  const [wrong, setWrong] = useState(false);
  const id = useId();
  useEffect(() => address.current?.focus(), []);
  return (
    <form
      class="link-form"
      onSubmit={(e) => {
        e.preventDefault();
        const url = linkFrom(address.current!.value);
        setWrong(!url);
        if (!url) return address.current!.focus();
        store.create("file", { url, name: name.current!.value.trim() || nameOfLink(url), ...(card ? { cardId: card } : {}) });
        onDone();
      }}
      onKeyDown={(e) => {
        if (e.key !== "Escape") return;
        e.preventDefault();
        e.stopPropagation();
        onDone();
      }}
    >
      <label>
        {say("files.linkUrl")}
        <input
          ref={address} type="text" inputMode="url" dir="ltr" maxLength={2048} placeholder="https://" spellcheck={false} autocomplete="off"
          aria-invalid={wrong} aria-describedby={wrong ? id : undefined}
        />
      </label>
      {wrong && <p id={id} class="file-why" role="alert">{say("files.badLink")}</p>}
      <label>{say("files.linkName")}<input ref={name} type="text" dir="auto" maxLength={255} autocomplete="off" /></label>
      <p class="files-add">
        <button type="submit" class="primary">{say("files.linkSave")}</button>
        <button type="button" class="second" onClick={onDone}>{say("files.cancel")}</button>
      </p>
    </form>
  );
}
