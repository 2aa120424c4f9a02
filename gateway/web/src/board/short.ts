// Titles as long as the board has room for: one of many pages would hide, and slow down, all that stands around it. The whole
// title is in the card's dialog, and where it is edited.

import { clip } from "../text/mutation.js";

const shortened = (title: string, most: number): string => (title.length > most ? clip(title, most) : title);

/** In letters. */
export const cardTitle = (title: string): string => shortened(title, 300);
export const columnTitle = (title: string): string => shortened(title, 100);
