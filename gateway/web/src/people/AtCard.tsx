// Who else is at a card right now: looking, dragging, editing. It is there to be read, and is not announced: it changes all
// the time.

import { useLayoutEffect, useRef } from "preact/hooks";

import { Avatar } from "../parts/Avatar.js";
import { Icon } from "../parts/Icon.js";
import { say } from "../words/words.js";
import type { Person } from "./gather.js";
import { hue } from "./names.js";
import { at } from "./present.js";

/** What somebody does, in words. */
function doingWords({ name, isMe, doing }: Person): string {
  const who = isMe ? say("people.youElsewhere") : name;
  return say(doing === "drag" ? "people.drags" : doing === "edit" ? "people.edits" : "people.looks", { name: who });
}

export function AtCard({ id }: { readonly id: string }) {
  const people = at(id).value;
  if (!people.length) return null;
  const dragging = people.find((p) => p.doing === "drag");
  const doing = dragging ? "drag" : people.some((p) => p.doing === "edit") ? "edit" : "look";
  const words = people.map(doingWords).join(", ");
  return (
    <span class="at-card" title={words} data-doing={doing}>
      {dragging && <Frame user={dragging.user} />}
      <span class="at-people" aria-hidden="true">
        {doing !== "look" && <Icon name={doing === "drag" ? "move" : "pencil"} />}
        {people.slice(0, 3).map((p) => <Avatar key={p.user} user={p.user} name={p.name} picture={p.picture} />)}
        {people.length > 3 && <span>{say("people.more", { count: people.length - 3 })}</span>}
      </span>
      <span class="unseen">{words}</span>
    </span>
  );
}

/** Stands around a card that somebody else holds, which is positioned for it as long. */
function Frame({ user }: { readonly user: string }) {
  const ref = useRef<HTMLSpanElement>(null);
  useLayoutEffect(() => {
    const card = ref.current!.closest<HTMLElement>(".card");
    if (card) card.dataset["held"] = "";
    return () => void (card && delete card.dataset["held"]);
  }, []);
  return <span ref={ref} class="at-frame" aria-hidden="true" style={{ "--hue": hue(user) }} />;
}
