// Who else is on the board, as faces in the bar.

import { nameOf, useDesk, type Desk } from "../desk.js";
import { Avatar } from "../parts/Avatar.js";
import { Pop } from "../parts/Pop.js";
import { isSmall } from "../top/panels.js";
import { say } from "../words/words.js";
import type { Person } from "./gather.js";
import { present } from "./present.js";

/** So many have a face; the others are a number. */
const faces = { wide: 5, small: 2 };

/** Who it is and what he is at, in words. */
function wordsOf({ store }: Desk, { name, isMe, card, doing }: Person): string {
  const who = isMe ? say("people.youElsewhere") : name;
  const title = card === undefined ? undefined : nameOf(store.get(card));
  if (title === undefined) return isMe ? who : say("people.onBoard", { name: who });
  return say(doing === "drag" ? "people.dragsCard" : doing === "edit" ? "people.editsCard" : "people.looksAtCard", { name: who, card: title });
}

export function Here() {
  const desk = useDesk();
  const people = present.value;
  if (!people.length) return null;
  const most = isSmall.value ? faces.small : faces.wide;
  const rest = people.slice(most);
  return (
    <div class="here">
      <ul aria-label={say("people.here")}>
        {people.slice(0, most).map((p) => (
          <li key={p.user} title={wordsOf(desk, p)} data-doing={p.card === undefined ? undefined : p.doing}>
            <span aria-hidden="true"><Avatar user={p.user} name={p.name} picture={p.picture} /></span>
            <span class="unseen">{wordsOf(desk, p)}</span>
          </li>
        ))}
      </ul>
      {rest.length > 0 && (
        <Pop label={say("people.here")} name={say("people.everyone", { count: rest.length })} className="tool here-more" face={say("people.more", { count: rest.length })}>
          {() => (
            <ul class="here-all" tabIndex={-1} data-first>
              {people.map((p) => <li key={p.user}><span aria-hidden="true"><Avatar user={p.user} name={p.name} picture={p.picture} /></span><bdi>{wordsOf(desk, p)}</bdi></li>)}
            </ul>
          )}
        </Pop>
      )}
    </div>
  );
}
