// The notes at the edge of the page, and the voice for screen readers.

import { useEffect } from "preact/hooks";

import { Icon } from "../parts/Icon.js";
import { dismiss, notes, polite, urgent, type Note } from "../say.js";
import { say } from "../words/words.js";

/** How long a note stays, in milliseconds; one with words of the user's own stays until it is closed. */
const stay = { refused: 9000, done: 7000, plain: 5000 };

export function Notes() {
  return <div class="notes">{notes.value.map((n) => <One key={n.id} note={n} />)}</div>;
}

function One({ note }: { readonly note: Note }) {
  const { id, tone, title, text, kept, actions = [] } = note;
  useEffect(() => {
    if (kept !== undefined) return undefined;
    const timer = setTimeout(() => dismiss(id), stay[tone]);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div class="note" data-tone={tone} role={tone === "refused" ? "alert" : undefined}>
      <p class="note-title">{title}</p>
      {text && <p>{text}</p>}
      {kept !== undefined && <blockquote dir="auto">{kept}</blockquote>}
      <p class="note-actions">
        {actions.map(({ label, run }) => (
          <button
            key={label} type="button"
            onClick={() => {
              dismiss(id);
              run();
            }}
          >
            {label}
          </button>
        ))}
      </p>
      <button type="button" class="tool note-close" aria-label={say("top.close")} onClick={() => dismiss(id)}><Icon name="close" /></button>
    </div>
  );
}

export function Voice() {
  return (
    <>
      <p class="unseen" role="status" aria-live="polite">{polite.value.text}</p>
      <p class="unseen" role="alert">{urgent.value.text}</p>
    </>
  );
}
