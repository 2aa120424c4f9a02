// What a card says at length.

import type { Card } from "@snapback/client";

import { keyOf } from "../text/texts.js";
import { useBegun } from "../text/Unsaved.js";
import { say } from "../words/words.js";
import { Editable } from "./Editable.js";
import { Prose } from "./Prose.js";

export function Description({ card: { id, description }, editable }: { readonly card: Card; readonly editable: boolean }) {
  const begun = useBegun(keyOf(id, "description"));
  if (!editable && !description && !begun) return null;
  return (
    <section class="description" aria-label={say("card.description")}>
      <h3>{say("card.description")}</h3>
      <Editable
        id={id} field="description" label={say("card.description")} multiline editable={editable}
        name={say(description ? "card.description.edit" : "card.description.add")} face={say(description ? "card.edit" : "card.description.add")}
      >
        {() => description && <Prose text={description} />}
      </Editable>
    </section>
  );
}
