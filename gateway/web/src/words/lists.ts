// Several things in a row: a, b and c.

import { locale } from "./words.js";

const format = new Intl.ListFormat(locale, { type: "conjunction" });

export const list = (parts: readonly string[]): string => format.format(parts);
