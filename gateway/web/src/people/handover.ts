// What was said to one person is not for the next one at the same window.

import { effect, untracked } from "@preact/signals";

import { dismiss, notes } from "../say.js";
import { claimsOf, who, type Who } from "../session.js";

const personOf = ({ user, token }: Who): string => (token ? `token ${claimsOf(token).sub ?? ""}` : `name ${user}`);

let last = personOf(who.peek());
effect(() => {
  const now = personOf(who.value);
  if (now === last) return;
  last = now;
  untracked(() => notes.value.forEach(({ id }) => dismiss(id, "taken")));
});
