// All that the page says, from one catalogue, in the user's language and formats.
//
// A message is text with {names} in it, or one text for each plural form of its {count}. There is one language, English,
// and a made-up one to try others with: ?locale=ar-XB is English marked and written from right to left.

import { board } from "./board.js";
import { card } from "./card.js";
import { files } from "./files.js";
import { lab } from "./lab.js";
import { people } from "./people.js";
import { refusals } from "./refusals.js";
import { texts } from "./texts.js";
import { time } from "./time.js";
import { top } from "./top.js";
import { pseudo } from "./pseudo.js";

/** A text, or one for each plural form that the language tells apart. */
export type Message = string | { readonly one: string; readonly other: string };

export const en = { ...board, ...card, ...files, ...lab, ...people, ...refusals, ...texts, ...time, ...top } satisfies { readonly [key: string]: Message };

export type Key = keyof typeof en;
export type Params = { readonly [name: string]: string | number };

const asked = typeof location === "undefined" ? null : new URLSearchParams(location.search).get("locale");
const isPseudo = asked === "ar-XB";

/** For Intl: dates and numbers are the reader's own. */
export const locale: string = isPseudo ? "ar" : (asked ?? globalThis.navigator?.language ?? "en");
/** The language of the texts. */
export const language = isPseudo ? "ar-XB" : "en";
export const direction = isPseudo ? "rtl" : "ltr";

const plurals = new Intl.PluralRules("en");
const numbers = new Intl.NumberFormat(locale);

/** The message with its params put in; numbers are written as the reader writes them. */
export function say(key: Key, params: Params = {}): string {
  const message: Message = en[key];
  const text = typeof message === "string" ? message : message[plurals.select(Number(params["count"])) === "one" ? "one" : "other"];
  if (!isPseudo && !text.includes("{")) return text;
  const filled = (isPseudo ? pseudo(text) : text).replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = params[name];
    return value === undefined ? whole : isolate(typeof value === "number" ? numbers.format(value) : value);
  });
  return filled;
}

/** What is put into a text keeps its own direction and does not turn the text around it. */
const isolate = (value: string): string => (isPseudo ? `\u2068${value}\u2069` : value);
