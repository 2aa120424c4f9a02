// A new text that has no entity yet: a comment. Its draft is kept by name. Sent, the field is empty at once; if it is
// refused, the words come back into it, or into a note where there are others meanwhile.

import { useEffect, useRef, useState } from "preact/hooks";

import type { Sent } from "@snapback/client";

import { useDesk } from "../desk.js";
import { say } from "../words/words.js";
import { stored } from "./stored.js";

export function Compose({ name, label, multiline = false, button = say("texts.send"), submit }: {
  /** Under which an unfinished text is kept: `comment-CARD`. */
  readonly name: string;
  /** What the field is called. */
  readonly label: string;
  readonly multiline?: boolean;
  /** What the button says. */
  readonly button?: string;
  submit(text: string): Sent;
}) {
  const { texts } = useDesk();
  const draft = texts.draft(name);
  const ref = useRef<HTMLTextAreaElement>(null);
  const [why, setWhy] = useState<string>();
  const [filled, setFilled] = useState(() => !!draft.text);
  useEffect(() => () => texts.drafts.flush(), []);
  const put = (text: string) => {
    ref.current!.value = text;
    setFilled(!!text);
    draft.set(text);
  };
  const send = () => {
    const text = stored(ref.current!.value, !multiline);
    if (!text.trim()) return;
    ref.current!.value = "";
    setFilled(false);
    setWhy(undefined);
    const sent = submit(text);
    draft.send(text, sent);
    texts.claim(sent.id, (_, reason) => {
      if (!ref.current || ref.current.value) return false; // the field may be gone before any effect of it has run
      draft.set("");
      put(text);
      setWhy(reason);
      return true;
    });
  };
  return (
    <form
      class="compose" data-state={why ? "refused" : undefined}
      onSubmit={(e) => {
        e.preventDefault();
        send();
      }}
    >
      <textarea
        ref={ref} class="compose-text" dir="auto" aria-label={label} placeholder={label} rows={multiline ? 3 : 1} defaultValue={draft.text}
        onInput={(e) => {
          put(e.currentTarget.value);
          setWhy(undefined);
        }}
        onKeyDown={(e) => {
          if (e.key !== "Escape") e.stopPropagation();
          if (e.key !== "Enter" || e.isComposing || (multiline && !e.ctrlKey && !e.metaKey)) return;
          e.preventDefault();
          send();
        }}
      />
      {why && <p class="edit-trouble" role="alert">{say("texts.notSaved", { why })}</p>}
      <button type="submit" class="primary" disabled={!filled}>{button}</button>
    </form>
  );
}
