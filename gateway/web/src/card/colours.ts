// The colours of labels, cards and columns, by the names under which they are stored.

import { say, type Key } from "../words/words.js";

export const colours = ["red", "orange", "yellow", "lime", "green", "sky", "blue", "purple", "pink", "black"] as const;

export type Colour = (typeof colours)[number];

const isColour = (value: string | undefined): value is Colour => colours.includes(value as Colour);

/** What a colour is called; one that is none of ours goes by its own name. */
export const colourName = (value: string | undefined): string => (isColour(value) ? say(`card.color.${value}` satisfies Key) : (value ?? say("card.color.none")));

/** What a label is called: one without a name goes by its colour. */
export const labelName = (label: { readonly name?: string; readonly color?: string }): string => label.name || colourName(label.color);

/** A colour that is used least, the first of several. */
export function nextColour(used: readonly (string | undefined)[]): Colour {
  let best: Colour = colours[0];
  let fewest = Infinity;
  for (const colour of colours) {
    const n = used.reduce((sum, other) => sum + (other === colour ? 1 : 0), 0);
    if (n < fewest) [best, fewest] = [colour, n];
  }
  return best;
}
