// One of ten colours, or none.

import { useId } from "preact/hooks";

import { say } from "../words/words.js";
import { colourName, colours } from "./colours.js";

export function ColourPicker({ value, none = true, choose }: {
  readonly value: string | undefined;
  /** May there be no colour? */
  readonly none?: boolean;
  choose(colour: string | null): void;
}) {
  const name = useId();
  return (
    <fieldset class="swatches">
      <legend class="unseen">{say("card.color")}</legend>
      {[...colours, ...(none ? [undefined] : [])].map((colour) => (
        <label key={colour ?? ""} class="swatch" data-color={colour} title={colourName(colour)}>
          <input type="radio" name={name} checked={value === colour} aria-label={colourName(colour)} onChange={() => choose(colour ?? null)} />
        </label>
      ))}
    </fieldset>
  );
}
